package vn.citizenwallet.app.screens

import android.view.View
import vn.citizenwallet.app.R
import vn.citizenwallet.app.nav.Names
import vn.citizenwallet.app.nav.Navigator
import vn.citizenwallet.app.nav.Place
import vn.citizenwallet.app.ui.CardPicture
import vn.citizenwallet.app.ui.Typed
import vn.citizenwallet.app.ui.Ui
import vn.citizenwallet.app.ui.Words
import vn.citizenwallet.core.ActivationView
import vn.citizenwallet.core.DisplayRole
import vn.citizenwallet.core.IssuanceReport

/** A step of the activation. The core says what comes next; a step that needs no screen is done at once. */
abstract class ActivationStep(nav: Navigator, place: Place) : Screen(nav, place) {
    /** Goes where [start] leads. */
    protected suspend fun follow(start: ActivationView) {
        var view = start
        // Each of the steps without a screen comes once.
        repeat(SILENT_STEPS) {
            view = when (view.next) {
                "submit-chip" -> core.openWallet().submitChip()
                "complete" -> core.openWallet().completeActivation()
                else -> return go(view)
            }
        }
        go(view)
    }

    private fun go(view: ActivationView) {
        val next = screenOf(view.next)
        when {
            next == null -> nav.begin(Place(Names.ACTIVATION))
            next == Names.OBTAIN -> nav.begin(Place(Names.DOCUMENTS), Place(Names.OBTAIN))
            next == place.screen -> arrived(view)
            else -> nav.begin(Place(Names.ACTIVATION), Place(next))
        }
    }

    /** What the core says beside the steps: why the last try was refused, how many are left. Empty when nothing was refused. */
    protected fun refused(ui: Ui, view: ActivationView?): List<View> {
        val told = view?.display?.groups.orEmpty().filter { group -> group.items.none { it.role in STEPS } }
        if (view == null || told.none { group -> group.items.any { it.role == DisplayRole.WARNING } }) return emptyList()
        return groups(ui, view.display.copy(groups = told)).onEach { it.accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE }
    }

    /** The step leads to this very screen. */
    protected open fun arrived(view: ActivationView) = redraw()

    override fun startOver() = nav.begin(Place(Names.ACTIVATION))

    private fun screenOf(next: String): String? = when (next) {
        "read-card" -> Names.CARD_NUMBER
        "request-code", "enter-code" -> Names.CODE
        "take-face" -> Names.FACE
        "done" -> Names.OBTAIN
        else -> null
    }

    private companion object {
        const val SILENT_STEPS = 2
        val STEPS = setOf(DisplayRole.DONE, DisplayRole.CURRENT, DisplayRole.TODO)
    }
}

/** The steps of the activation, and the way to the next one. */
class ActivationScreen(nav: Navigator, place: Place) : ActivationStep(nav, place) {
    private var view: ActivationView? = null
    override val backShown = false

    override fun title(words: Words) = words("app.activation.title")

    override fun shown() {
        if (!working) work { view = core.openWallet().activation() }
    }

    override fun content(ui: Ui): List<View> {
        val steps = view ?: return loading(ui)
        return listOf(ui.body(ui.words("app.activation.what"))) + groups(ui, steps.display) + listOf(
            ui.primary(ui.words(if (steps.next == BEGIN) "app.activation.begin" else "app.activation.go-on")) { goOn() },
            ui.link(R.drawable.icon_settings, ui.words("app.settings.title")) { nav.go(Place(Names.SETTINGS)) },
        )
    }

    private fun goOn() = work {
        val wallet = core.openWallet()
        val now = wallet.activation()
        follow(if (now.next == BEGIN) wallet.beginActivation() else now)
    }

    override fun startOver() = work { follow(core.openWallet().beginActivation()) }

    private companion object {
        const val BEGIN = "begin"
    }
}

/** The number on the card's front, with a picture of where it is printed. */
class CardNumberScreen(nav: Navigator, place: Place) : ActivationStep(nav, place) {
    private val number = Typed()
    private var remark: String? = null

    override fun title(words: Words) = words("app.card-number.title")

    override fun content(ui: Ui): List<View> = listOfNotNull(
        ui.body(ui.words("app.card-number.why")),
        picture(ui),
        remark?.let { remarkBlock(ui, it) },
        ui.field(ui.words("app.card-number.field"), number, Ui.Field.DIGITS, ui.words("app.card-number.where")) { goOn() },
        ui.primary(ui.words("app.card-number.do")) { goOn() },
    )

    private fun picture(ui: Ui) = CardPicture(
        ui.context, ui.color(R.color.surface), ui.color(R.color.text_quiet), ui.color(R.color.accent),
        ui.words("app.card-number.picture"),
    )

    private fun goOn() {
        remark = "app.card-number.digits".takeIf { number.size != CARD_NUMBER_DIGITS }
        if (remark != null) return redraw()
        core.session.cardNumber = number.text()
        nav.go(Place(Names.READ_CARD))
    }

    override fun forget() = number.wipe()

    override fun close() {
        number.wipe()
        super.close()
    }

    private companion object {
        /** ICAO 9303-11: a card access number of this card has six digits. */
        const val CARD_NUMBER_DIGITS = 6
    }
}

/** The one-time code. */
class CodeScreen(nav: Navigator, place: Place) : ActivationStep(nav, place) {
    private val code = Typed()
    private var view: ActivationView? = null

    override fun title(words: Words) = words("app.code.title")

    override fun shown() {
        if (view == null && !working) work { view = core.openWallet().activation() }
    }

    override fun content(ui: Ui): List<View> {
        val now = view ?: return loading(ui)
        if (now.next == REQUEST) {
            return listOf(ui.body(ui.words("app.code.request-why")), ui.primary(ui.words("app.code.request")) { request() })
        }
        val refused = refused(ui, now)
        return refused + listOfNotNull(
            ui.body(ui.words("app.code.why")),
            ui.field(ui.words("app.code.field"), code, Ui.Field.DIGITS) { submit() },
            now.triesLeft?.takeIf { refused.isEmpty() }?.let { ui.small(ui.words("app.code.tries", "tries" to it)) },
            ui.primary(ui.words("app.code.do")) { submit() },
            ui.secondary(ui.words("app.code.again")) { request() },
        )
    }

    private fun request() = work { view = core.openWallet().requestCode() }

    private fun submit() {
        val typed = code.text()
        code.wipe()
        work(repeat = false) {
            try {
                follow(core.openWallet().submitCode(typed))
            } finally {
                // The tries that are left have changed.
                if (!done) view = runCatching { core.openWallet().activation() }.getOrElse { view }
            }
        }
    }

    private var done = false

    override fun arrived(view: ActivationView) {
        this.view = view
        redraw()
    }

    override fun close() {
        done = true
        code.wipe()
        super.close()
    }

    private companion object {
        const val REQUEST = "request-code"
    }
}

/** The documents are fetched, and what came of each is told. */
class ObtainScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private var report: IssuanceReport? = null

    override fun title(words: Words) = words("app.obtain.title")

    override fun shown() {
        if (report == null && !working && trouble == null) work { report = core.openWallet().obtainDocuments() }
    }

    override fun content(ui: Ui): List<View> {
        val came = report ?: return loading(ui, "app.obtain.what")
        val news = groups(ui, came.display).ifEmpty { listOf(ui.body(ui.words(came.display.title))) }
        return news + ui.primary(ui.words("app.obtain.documents")) { nav.begin(Place(Names.DOCUMENTS)) }
    }

    override fun closeProblem() = nav.backTo(Names.DOCUMENTS)
}
