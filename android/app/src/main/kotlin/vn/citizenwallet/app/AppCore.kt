package vn.citizenwallet.app

import android.content.ContentResolver
import android.content.Context
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import vn.citizenwallet.android.AndroidLog
import vn.citizenwallet.android.CitizenWallet
import vn.citizenwallet.android.CoreListener
import vn.citizenwallet.app.phone.Phone
import vn.citizenwallet.app.ui.Words
import vn.citizenwallet.core.Answer
import vn.citizenwallet.core.CheckResult
import vn.citizenwallet.core.OpenRequest
import vn.citizenwallet.core.PendingRequest
import vn.citizenwallet.core.Verifier
import vn.citizenwallet.core.Wallet
import vn.citizenwallet.core.WalletException
import vn.citizenwallet.core.WalletState
import vn.citizenwallet.core.traceTo
import java.util.UUID

/**
 * What lives as long as the process: the settings, the words, the opened wallet or staff device, and what is going on between two screens.
 *
 * @param owner the library's owner of the wallet; null when this build belongs to no service, which every screen then tells
 * @param name keeps the settings of several instances apart; empty for the app's own
 */
class AppCore(context: Context, private val owner: CitizenWallet?, val phone: Phone, name: String = "") {
    /** The person's choices about the app. */
    val settings = Settings(context, "settings$name")

    /** Opens files that the person chose. */
    val resolver: ContentResolver = context.contentResolver

    /** Things in memory that screens hand to each other. */
    val session = Session()

    /** The wallet, once opened. */
    @Volatile
    var wallet: Wallet? = null
        private set

    /** The staff device, once opened. */
    @Volatile
    var verifier: Verifier? = null
        private set

    /** The words in the chosen language. */
    var words = Words(settings.language)
        private set

    /** Called on the main thread when the wallet's state changed: the passcode may be needed now. */
    var stateChanged: () -> Unit = {}

    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main)

    init {
        applyLogLevel()
        owner?.let { scope.launch { it.walletEvents.changes.collect { changed() } } }
    }

    /** Takes another language from now on. */
    fun setLanguage(language: String) {
        settings.language = language
        words = Words(language)
    }

    /** Lets the library's own lines into the system's log, as far as the settings say. */
    fun applyLogLevel() = owner?.trace(settings.logLevel) ?: traceTo(AndroidLog, settings.logLevel)

    /** Progress of the wallet's long work. */
    val progress: CoreListener? get() = owner?.walletEvents

    /** The wallet; opens it the first time. */
    suspend fun openWallet(): Wallet = belonging().wallet().also { wallet = it }

    /** The staff device; opens it the first time. */
    suspend fun openVerifier(): Verifier = belonging().verifier().also { verifier = it }

    /** Opens the wallet by [way]. Who stops it finds the wallet locked, also when it was open a moment before the stop reached it. */
    suspend fun opening(way: suspend (Wallet) -> Unit) = try {
        way(openWallet())
    } catch (stopped: CancellationException) {
        lock()
        throw stopped
    }

    /** Does [work]; what the system asks the person for it goes from the screen when it is stopped. */
    suspend fun asking(work: suspend () -> Unit) {
        if (owner == null) work() else owner.asking(work)
    }

    /** Removes what this phone is used as, for good: the wallet or the staff device. The app then begins where it began. */
    suspend fun startOver() {
        val owner = belonging()
        session.close()
        if (settings.use == Settings.Use.STAFF) {
            verifier = null
            owner.removeStaffDevice()
        } else {
            wallet = null
            owner.startOver()
        }
        settings.use = null
    }

    /** Locks the wallet; what it holds in memory is gone until the passcode. */
    fun lock() {
        session.forgetSecrets()
        owner?.lock()
    }

    /** Forgets what is in memory, as when the process ends. */
    fun close() {
        scope.cancel()
        session.close()
        wallet = null
        verifier = null
    }

    private fun changed() {
        // It locks itself, too.
        if (wallet?.state() == WalletState.LOCKED) session.forgetSecrets()
        stateChanged()
    }

    private fun belonging(): CitizenWallet = owner ?: throw WalletException.Invalid(NO_SERVICE)

    private companion object {
        /** The core's word for a service that is not set up. */
        const val NO_SERVICE = "service-settings"
    }
}

/**
 * What two screens hand to each other, by a name that means nothing. Only names are saved by the system; after the process has ended there is
 * nothing behind a name any more, and the screen says how to go on.
 */
class Session {
    private val things = HashMap<String, AutoCloseable>()

    /** The number read from the card's front, until the card was read. */
    var cardNumber: String? = null

    /** Keeps a thing; gives the name it is kept under. */
    fun keep(thing: AutoCloseable): String = UUID.randomUUID().toString().also { things[it] = thing }

    /** The request of that name. */
    fun request(name: String): PendingRequest? = things[name] as? PendingRequest

    /** The answer of that name. */
    fun answer(name: String): Answer? = (things[name] as? KeptAnswer)?.answer

    /** The open request of a checker of that name. */
    fun asked(name: String): KeptQuestion? = things[name] as? KeptQuestion

    /** The check of that name. */
    fun result(name: String): CheckResult? = things[name] as? CheckResult

    /** Lets go of the thing of that name. */
    fun drop(name: String) {
        things.remove(name)?.close()
    }

    /** What must not stay in memory while the wallet is locked. */
    fun forgetSecrets() {
        cardNumber = null
    }

    /** Lets go of everything. */
    fun close() {
        forgetSecrets()
        things.values.forEach { it.close() }
        things.clear()
    }
}

/** A checker's open request, and the name on the boarding pass that it is to be compared with; kept until the answer was checked. */
class KeptQuestion(val request: OpenRequest, val boardingName: String) : AutoCloseable {
    /** No answer to it is taken any more. */
    override fun close() {
        try {
            request.cancel()
        } catch (_: WalletException) {
            // The device is closed, and its open requests with it.
        }
        request.close()
    }
}

/** An answer, kept between consent and the screen that shows it. */
class KeptAnswer(val answer: Answer) : AutoCloseable {
    override fun close() = Unit
}
