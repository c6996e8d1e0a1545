package vn.citizenwallet.app.screens

import android.net.Uri
import android.view.View
import vn.citizenwallet.app.nav.Navigator
import vn.citizenwallet.app.nav.Place
import vn.citizenwallet.app.phone.ChosenFile
import vn.citizenwallet.app.ui.Ui
import vn.citizenwallet.app.ui.Words
import vn.citizenwallet.core.DisplayView

/** The signed lists of this device, into a file that is carried to one without a network. Nothing in it is secret or about anybody. */
class CarryScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private var saved = false
    override val needs = Needs.OPEN
    override val secure = false

    override fun title(words: Words) = words("app.carry.title")

    override fun shown() {
        takeFile()?.let { save(it) }
    }

    private fun save(file: Uri) = work(repeat = false) {
        saved = false
        ChosenFile(core.resolver, file).write(core.openVerifier().carry())
        saved = true
    }

    override fun content(ui: Ui): List<View> = listOfNotNull(
        ui.body(ui.words("app.carry.what")),
        if (saved) doneBlock(ui, "app.carry.done") else null,
        ui.primary(ui.words("app.carry.do")) { if (nav.host?.choose(TYPE, NAME) == false) tell("unsupported") },
    )

    companion object {
        /** The file has a format of its own. */
        const val TYPE = "application/octet-stream"

        /** What the system's screen proposes. */
        const val NAME = "citizen-wallet-lists.bin"
    }
}

/** A file of another device's lists, judged as if it came from the service. */
class TakeScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private var report: DisplayView? = null
    override val needs = Needs.OPEN
    override val secure = false

    override fun title(words: Words) = words("app.take.title")

    override fun shown() {
        takeFile()?.let { take(it) }
    }

    private fun take(file: Uri) = work(repeat = false) {
        report = null
        report = core.openVerifier().take(ChosenFile(core.resolver, file).read(MOST_BYTES)).display
    }

    override fun content(ui: Ui): List<View> = listOf(ui.body(ui.words("app.take.what"))) + report?.let { groups(ui, it) }.orEmpty() +
        // Files that came by a cable or a card have no type that could be asked for.
        ui.primary(ui.words("app.take.do")) { if (nav.host?.choose("*/*") == false) tell("unsupported") }

    private companion object {
        /** One byte more than the core takes: it says itself that a file is too large. */
        const val MOST_BYTES = (64 shl 20) + 1
    }
}

/** Something is done, told at once. */
internal fun doneBlock(ui: Ui, key: String): View =
    ui.card(ui.body(ui.words(key), ui.color(Ui.Tone.GREEN.text)), tone = Ui.Tone.GREEN).apply { accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE }
