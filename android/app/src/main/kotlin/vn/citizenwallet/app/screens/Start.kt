package vn.citizenwallet.app.screens

import android.view.View
import vn.citizenwallet.app.R
import vn.citizenwallet.app.Settings
import vn.citizenwallet.app.nav.Navigator
import vn.citizenwallet.app.nav.Place
import vn.citizenwallet.app.ui.Typed
import vn.citizenwallet.app.ui.Ui
import vn.citizenwallet.app.ui.Words
import vn.citizenwallet.core.ProblemAction
import vn.citizenwallet.core.ProblemView

/** Opens the wallet or the staff device, when the process is new. */
class StartScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    override val needs = Needs.NOTHING
    override val secure = false
    override val backShown = false

    override fun title(words: Words) = words("app.name")

    override fun shown() {
        if (trouble == null) work { open() }
    }

    private suspend fun open() {
        if (core.settings.use == Settings.Use.STAFF) core.openVerifier() else core.openWallet()
        nav.present()
    }

    override fun content(ui: Ui): List<View> = if (trouble == null) listOf(ui.body(ui.words("app.start.opening"))) else emptyList()

    /** Without its data the app can show nothing. */
    override fun closeProblem() {
        nav.host?.leave()
    }
}

/** The first thing anybody sees: what the app is, and what this phone is to be. */
class FirstScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    override val needs = Needs.NOTHING
    override val secure = false
    override val backShown = false

    override fun title(words: Words) = words("app.name")

    override fun content(ui: Ui): List<View> {
        val words = ui.words
        val use = { chosen: Settings.Use ->
            core.settings.use = chosen
            nav.home()
        }
        return listOf(
            ui.great(words("app.first.great")),
            ui.body(words("app.first.what")),
            point(ui, R.drawable.icon_shield, "app.first.offline"),
            point(ui, R.drawable.icon_eye, "app.first.asked"),
            point(ui, R.drawable.icon_lock, "app.first.kept"),
            ui.heading(words("app.first.choose")),
            ui.link(R.drawable.icon_person, words("app.first.citizen"), words("app.first.citizen-remark")) { use(Settings.Use.CITIZEN) },
            ui.link(R.drawable.icon_scan, words("app.first.staff"), words("app.first.staff-remark")) { use(Settings.Use.STAFF) },
            languages(ui),
        )
    }

    private fun point(ui: Ui, icon: Int, key: String) = ui.beside(ui.icon(icon, ui.color(R.color.accent)), ui.body(ui.words(key)), gap = Ui.Space.LARGE)

    private fun languages(ui: Ui) = ui.column(
        Settings.LANGUAGES.map { language ->
            ui.choice(ui.words("app.language.$language"), language == ui.words.language) {
                core.setLanguage(language)
                redraw()
            }
        },
        gap = 0,
    )
}

/** The passcode is made: typed twice. */
class CreateScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    override val needs = Needs.NOTHING
    private val first = Typed()
    private val second = Typed()
    private var remark: String? = null

    override val backShown = false

    override fun title(words: Words) = words("app.create.title")

    override fun content(ui: Ui): List<View> = listOfNotNull(
        ui.body(ui.words("app.create.why")),
        remark?.let { remarkBlock(ui, it) },
        ui.field(ui.words("app.create.first"), first, Ui.Field.PASSCODE, ui.words("app.create.rule")),
        ui.field(ui.words("app.create.second"), second, Ui.Field.PASSCODE) { create() },
        ui.primary(ui.words("app.create.do")) { create() },
        ui.secondary(ui.words("app.create.back")) {
            core.settings.use = null
            nav.home()
        },
    )

    private fun create() {
        remark = newPasscodeRemark(first, second)
        if (remark != null) return redraw()
        val passcode = first.bytes()
        work(repeat = false) {
            try {
                core.opening { it.create(passcode) }
            } finally {
                passcode.fill(0)
            }
            first.wipe()
            second.wipe()
            nav.present()
        }
    }

    override fun act(problem: ProblemView) {
        super.act(problem)
        // What was typed is still there.
        if (problem.action == ProblemAction.RETRY) create()
    }

    override fun close() {
        first.wipe()
        second.wipe()
        super.close()
    }
}

/** Why two lines make no new passcode, as a key; null when they do. What a passcode must be, the core says. */
internal fun newPasscodeRemark(first: Typed, second: Typed): String? = if (first.same(second)) null else "app.create.differ"

/** A remark about what was typed, told at once. */
internal fun remarkBlock(ui: Ui, key: String): View = ui.card(
    ui.beside(ui.icon(R.drawable.icon_warning, ui.color(Ui.Tone.AMBER.text)), ui.body(ui.words(key), ui.color(Ui.Tone.AMBER.text))),
    tone = Ui.Tone.AMBER,
).apply { accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE }

/** The passcode, before anything personal is seen. */
class UnlockScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    override val needs = Needs.NOTHING
    override val backShown = false
    private val passcode = Typed()

    override fun title(words: Words) = words("app.unlock.title")

    override fun content(ui: Ui): List<View> = listOf(
        ui.beside(ui.icon(R.drawable.icon_lock, ui.color(R.color.accent), size = 32), ui.body(ui.words("app.unlock.why"))),
        ui.field(ui.words("app.unlock.passcode"), passcode, Ui.Field.PASSCODE) { unlock() },
        ui.primary(ui.words("app.unlock.do")) { unlock() },
    )

    private fun unlock() {
        val typed = passcode.bytes()
        passcode.wipe()
        work(repeat = false) {
            try {
                core.opening { it.unlock(typed) }
            } finally {
                typed.fill(0)
            }
            nav.present()
        }
    }

    override fun close() {
        passcode.wipe()
        super.close()
    }
}
