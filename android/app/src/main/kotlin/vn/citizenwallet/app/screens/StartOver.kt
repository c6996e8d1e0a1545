package vn.citizenwallet.app.screens

import android.view.View
import vn.citizenwallet.app.Settings
import vn.citizenwallet.app.nav.Navigator
import vn.citizenwallet.app.nav.Place
import vn.citizenwallet.app.ui.Ui
import vn.citizenwallet.app.ui.Words

/**
 * Removes the wallet, or the staff device, from this phone: says what is lost and what is not, and wants a deliberate yes. From the settings, or when
 * the data on this phone cannot be used any more; then [Place.about] is the problem's id.
 */
class RemoveScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    // A wallet that cannot be opened has to be removable, too. Whoever holds the phone can do the same in the phone's own settings.
    override val needs = Needs.NOTHING
    override val secure = false
    private val staff get() = core.settings.use == Settings.Use.STAFF
    private var understood = false
    private var remark: String? = null

    override fun title(words: Words) = words(if (staff) "app.remove.staff-title" else "app.remove.title")

    override fun content(ui: Ui): List<View> {
        val words = ui.words
        val (lost, kept) = if (staff) "app.remove.staff-lost" to "app.remove.staff-kept" else "app.remove.lost" to "app.remove.kept"
        return listOfNotNull(
            place.about.takeIf { it.isNotEmpty() }?.let { ui.body(words("app.remove.damaged")) },
            ui.card(ui.heading(words("app.remove.lost-title"), ui.color(Ui.Tone.RED.text)), ui.body(words(lost), ui.color(Ui.Tone.RED.text)), tone = Ui.Tone.RED),
            ui.card(ui.heading(words("app.remove.kept-title")), ui.body(words(kept))),
            ui.card(ui.switch(words("app.remove.understood"), null, understood) { understood = it }),
            remark?.let { remarkBlock(ui, it) },
            ui.refusing(words("app.remove.do")) { remove() },
            ui.secondary(words("app.remove.cancel")) { nav.back() },
        )
    }

    private fun remove() {
        remark = "app.remove.first".takeIf { !understood }
        if (remark != null) return redraw()
        work {
            core.startOver()
            nav.home()
        }
    }
}
