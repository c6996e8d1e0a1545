package vn.citizenwallet.android

import android.app.Application
import vn.citizenwallet.core.ClockPort
import vn.citizenwallet.core.DeviceSealerPort
import vn.citizenwallet.core.KeyStorePort

/** The ports that a wallet and a staff device stand on; each [owner] (a word) has keys of its own. */
interface Hardware {
    /** Private keys of [owner]. */
    fun keys(owner: String): KeyStorePort

    /** Sealing for [owner]. */
    fun sealer(owner: String): DeviceSealerPort

    /** The clocks. */
    fun clock(): ClockPort

    /** Removes every key of [owner], for starting over. */
    fun forget(owner: String)
}

/** The phone's own: AndroidKeyStore, prompts of the system, the system's clocks. */
class PhoneHardware(private val application: Application, private val prompt: Prompt) : Hardware {
    override fun keys(owner: String): KeyStorePort = KeystoreKeys(application, owner, prompt)

    override fun sealer(owner: String): DeviceSealerPort = KeystoreSealer(application, owner, prompt)

    override fun clock(): ClockPort = DeviceClock(application)

    override fun forget(owner: String) {
        // What opens the store goes first, and what is left goes although that failed.
        try {
            KeystoreSealer(application, owner, prompt).forget()
        } finally {
            val keys = KeystoreKeys(application, owner, prompt)
            keys.delete(keys.list())
        }
    }
}
