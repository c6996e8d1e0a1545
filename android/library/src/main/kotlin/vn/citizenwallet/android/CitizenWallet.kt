package vn.citizenwallet.android

import android.app.Application
import android.content.pm.ApplicationInfo
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import vn.citizenwallet.core.PortFault
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

    /** What the app wants in the system's log; null while it has said nothing. */
    @Volatile private var level: String? = null

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

    /**
     * Does [work]. When its coroutine is cancelled meanwhile, what the user is being asked is taken back: the core stops at once and waits for no
     * answer, but it cannot reach a prompt that the system shows.
     */
    suspend fun <T> asking(work: suspend () -> T): T = try {
        work()
    } catch (stopped: CancellationException) {
        prompt.dismiss()
        throw stopped
    } catch (stopped: WalletException.Cancelled) {
        prompt.dismiss()
        throw stopped
    }

    /**
     * Removes the wallet with its documents, its log and its keys, for good; the next [wallet] is a new one. It works whatever state the folder is in, and
     * is not stopped halfway.
     *
     * @throws WalletException `Storage` when files could not be removed, `Invalid` when the key store does not let its keys go; what could be removed is.
     */
    suspend fun startOver() = remove(WALLET) {
        val old = wallet
        // Nobody may come upon an object that is being closed.
        wallet = null
        old?.let { closed(it::shutDown, it::close) }
    }

    /** Removes the staff device with its certificate, its lists and its keys, for good; otherwise as [startOver]. */
    suspend fun removeStaffDevice() = remove(STAFF) {
        val old = verifier
        verifier = null
        old?.let { closed(it::shutDown, it::close) }
    }

    private suspend fun remove(owner: String, letGo: () -> Unit) = opening.withLock {
        prompt.dismiss()
        withContext(NonCancellable + Dispatchers.IO) {
            letGo()
            // The keys first: without them the files say nothing, even those that a flash memory keeps after their removal.
            val forgotten = try {
                hardware.forget(owner)
                true
            } catch (_: PortFault) {
                false
            }
            if (!File(directory(owner)).deleteRecursively()) throw WalletException.Storage("disk")
            if (!forgotten) throw WalletException.Invalid("device-unavailable")
        }
    }

    /** Closes an object of the core. One whose store is damaged may not be able to; it is let go all the same. */
    private fun closed(shutDown: () -> Unit, free: () -> Unit) {
        try {
            shutDown()
        } catch (_: WalletException) {
            // Nothing that is to be kept.
        }
        free()
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

    /** What of the library's own lines goes to the system's log from now on: `off`, `error`, `warn`, `info` or `debug`. */
    fun trace(level: String) {
        this.level = level
        traceTo(AndroidLog, level)
    }

    /** Where the app has said nothing: all lines in a build for developers, what is odd in others. */
    private fun traceToLog() {
        if (level != null) return
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
