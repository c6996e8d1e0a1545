package vn.citizenwallet.app

import vn.citizenwallet.android.Hardware
import vn.citizenwallet.core.DeviceSealerPort
import vn.citizenwallet.core.SealPurpose
import vn.citizenwallet.testing.SoftwareHardware
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/** A sound phone's parts, but [act] comes before its sealer seals. */
class FaultyHardware(private val act: (SealPurpose) -> Unit) : Hardware {
    private val sound = SoftwareHardware()

    override fun keys(owner: String) = sound.keys(owner)

    override fun sealer(owner: String): DeviceSealerPort {
        val sealer = sound.sealer(owner)
        return object : DeviceSealerPort by sealer {
            override fun seal(purpose: SealPurpose, share: ByteArray): ByteArray {
                act(purpose)
                return sealer.seal(purpose, share)
            }
        }
    }

    override fun clock() = sound.clock()

    override fun forget(owner: String) = sound.forget(owner)
}

/** Something that does not answer until it is let go. */
class Hanging(private val which: SealPurpose) : (SealPurpose) -> Unit {
    private val gate = CountDownLatch(1)

    override fun invoke(purpose: SealPurpose) {
        if (purpose == which) gate.await(5, TimeUnit.MINUTES)
    }

    /** Answers from now on. */
    fun release() = gate.countDown()
}
