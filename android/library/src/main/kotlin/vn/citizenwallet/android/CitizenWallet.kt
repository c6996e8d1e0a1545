package vn.citizenwallet.android

import android.app.Application
import android.content.pm.ApplicationInfo
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import vn.citizenwallet.core.Verifier
import vn.citizenwallet.core.VerifierConfig
import vn.citizenwallet.core.Wallet
import vn.citizenwallet.core.WalletConfig
import vn.citizenwallet.core.WalletException
import vn.citizenwallet.core.traceTo
import java.io.File

/**
 * Which central service the app belongs to.
 *
 * @property serviceUrl `https://host[:port]`
 * @property tlsRoot DER of the one TLS root the service is trusted by
 * @property trustRoot `root.json` of the trust repository
 * @property trustFloor the oldest version of the trust repository that is taken
 */
class Service(val serviceUrl: String, val tlsRoot: ByteArray, val trustRoot: ByteArray, val trustFloor: ULong)

/**
 * The process's one owner of the wallet and of the staff device. Activities come and go, two may be there at once; all of them ask here.
 *
 * [start] is called once, in `Application.onCreate`. The wallet locks itself when the screen goes off and when no activity was visible for
 * [LOCK_AFTER_MILLIS].
 */
class CitizenWallet private constructor(private val application: Application, private val service: Service, hardware: Hardware?, title: (String) -> CharSequence) {
    private val windows = Windows(application)
    private val hardware: Hardware
    private val folder = application.noBackupFilesDir
    private val opening = Mutex()

    @Volatile private var wallet: Wallet? = null

    @Volatile private var verifier: Verifier? = null

    /** What the wallet tells. */
    val walletEvents = CoreListener()

    /** What the staff device tells. */
    val staffEvents = CoreListener()

    /** The prompts of this process. */
    val prompt = Prompt(application, windows, title)

    /** For work that outlives an activity: one that is turned meanwhile finds it running. */
    val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)

    init {
        this.hardware = hardware ?: PhoneHardware(application, prompt)
        AutoLock(application, windows, LOCK_AFTER_MILLIS) { lock() }
    }

    /** The wallet, opened the first time. */
    suspend fun wallet(): Wallet = wallet ?: opening.withLock {
        wallet ?: withContext(Dispatchers.IO) {
            traceToLog()
            val config = WalletConfig(directory(WALLET), service.serviceUrl, service.tlsRoot, service.trustRoot, service.trustFloor)
            Wallet.open(config, hardware.keys(WALLET), hardware.sealer(WALLET), hardware.clock(), walletEvents)
        }.also { wallet = it }
    }

    /** The staff device, opened the first time. */
    suspend fun verifier(): Verifier = verifier ?: opening.withLock {
        verifier ?: withContext(Dispatchers.IO) {
            traceToLog()
            val config = VerifierConfig(directory(STAFF), service.serviceUrl, service.tlsRoot, service.trustRoot, service.trustFloor)
            Verifier.open(config, hardware.keys(STAFF), hardware.sealer(STAFF), hardware.clock(), staffEvents)
        }.also { verifier = it }
    }

    /** Locks the wallet, when it is open: the next screen asks for the passcode. What the user is being asked is taken back. */
    fun lock() {
        prompt.dismiss()
        try {
            wallet?.lock()
        } catch (_: WalletException) {
            // New or closed: there is nothing to lock.
        }
    }

    /** Removes the wallet with its documents and keys, for good. */
    suspend fun startOver() = opening.withLock {
        withContext(Dispatchers.IO) {
            wallet?.let {
                it.shutDown()
                it.close()
            }
            wallet = null
            File(directory(WALLET)).deleteRecursively()
            hardware.forget(WALLET)
        }
    }

    /** Closes both; for tests, since a process that ends needs no such call. */
    suspend fun shutDown() = opening.withLock {
        withContext(Dispatchers.IO) {
            wallet?.let {
                it.shutDown()
                it.close()
            }
            verifier?.let {
                it.shutDown()
                it.close()
            }
            wallet = null
            verifier = null
        }
    }

    /** The library's own lines go to the system's log: all of them in a build for developers, what is odd in others. */
    private fun traceToLog() {
        val debuggable = application.applicationInfo.flags and ApplicationInfo.FLAG_DEBUGGABLE != 0
        traceTo(AndroidLog, if (debuggable) "debug" else "warn")
    }

    private fun directory(owner: String): String = File(folder, owner).path

    companion object {
        /** How long no activity may be visible before the wallet locks itself. */
        const val LOCK_AFTER_MILLIS = 60_000L

        /** Owners of keys and names of folders. */
        private const val WALLET = "wallet"
        private const val STAFF = "staff"

        @Volatile private var instance: CitizenWallet? = null

        /**
         * Makes the one owner; without [hardware] it stands on the phone's. [title] gives what a prompt says for a reason,
         * which is a key of the catalogue.
         */
        fun start(application: Application, service: Service, hardware: Hardware? = null, title: (reason: String) -> CharSequence): CitizenWallet =
            CitizenWallet(application, service, hardware, title).also { instance = it }

        /** The one that was started. */
        fun get(): CitizenWallet = checkNotNull(instance) { "CitizenWallet.start comes first" }
    }
}
