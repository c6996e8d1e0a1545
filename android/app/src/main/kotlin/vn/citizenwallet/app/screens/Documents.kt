package vn.citizenwallet.app.screens

import android.view.View
import vn.citizenwallet.app.R
import vn.citizenwallet.app.nav.Names
import vn.citizenwallet.app.nav.Navigator
import vn.citizenwallet.app.nav.Place
import vn.citizenwallet.app.ui.DisplayRenderer
import vn.citizenwallet.app.ui.Ui
import vn.citizenwallet.app.ui.Words
import vn.citizenwallet.core.ChangeView
import vn.citizenwallet.core.ConsentEntryView
import vn.citizenwallet.core.DocumentSummaryView
import vn.citizenwallet.core.DocumentView

/** The citizen's documents: where the app is at home. */
class DocumentsScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private var documents: List<DocumentSummaryView>? = null
    override val backShown = false

    override fun title(words: Words) = words("app.documents.title")

    override fun shown() {
        if (working) return
        work {
            val wallet = core.openWallet()
            if (wallet.activation().next != DONE) {
                nav.begin(Place(Names.ACTIVATION))
            } else {
                documents = wallet.documents()
            }
        }
    }

    override fun content(ui: Ui): List<View> {
        val held = documents ?: return loading(ui)
        val words = ui.words
        val cards = held.map { document ->
            val renderer = DisplayRenderer(ui)
            val block = ui.column(listOf(ui.title(words(document.title))) + renderer.compact(document.display), Ui.Space.SMALL)
            val row = ui.beside(ui.icon(R.drawable.icon_card, ui.color(R.color.accent), size = 28), block, ui.icon(R.drawable.icon_next, ui.color(R.color.text_quiet)), gap = Ui.Space.LARGE)
            ui.pressableCard(row, "${words(document.title)}. ${renderer.spoken(document.display)}") { nav.go(Place(Names.DOCUMENT, document.id)) }
        }
        val empty = if (held.isEmpty()) {
            ui.card(ui.body(words("app.documents.none")), ui.primary(words("app.documents.obtain")) { nav.go(Place(Names.OBTAIN)) })
        } else {
            null
        }
        // What the authorities issue later is asked for here.
        val more = if (held.isEmpty()) null else ui.link(R.drawable.icon_card, words("app.documents.obtain")) { nav.go(Place(Names.OBTAIN)) }
        return listOf(ui.primary(words("app.documents.scan")) { nav.go(Place(Names.SCAN)) }) + listOfNotNull(empty) + cards + listOfNotNull(
            ui.heading(words("app.documents.more")),
            more,
            ui.link(R.drawable.icon_list, words("app.log.title")) { nav.go(Place(Names.LOG)) },
            ui.link(R.drawable.icon_bell, words("app.notices.title")) { nav.go(Place(Names.NOTICES)) },
            ui.link(R.drawable.icon_settings, words("app.settings.title")) { nav.go(Place(Names.SETTINGS)) },
        )
    }

    override fun forget() {
        documents = null
    }

    private companion object {
        const val DONE = "done"
    }
}

/** One document, whatever its type. */
class DocumentScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private var document: DocumentView? = null

    override fun title(words: Words) = words(document?.summary?.title ?: "app.documents.title")

    override fun shown() {
        if (document == null && !working && trouble == null) work { document = core.openWallet().document(place.about) }
    }

    override fun content(ui: Ui): List<View> {
        val held = document ?: return loading(ui)
        val display = held.display ?: held.summary.display
        return groups(ui, display) + ui.primary(ui.words("app.document.show")) { nav.go(Place(Names.SCAN)) } + ui.small(ui.words("app.document.screen"))
    }

    override fun hidden() {
        // What was uncovered is covered again when the screen is left.
        uncovered.clear()
    }

    override fun forget() {
        document = null
    }
}

/** Who was shown what. */
class LogScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private var entries: List<ConsentEntryView>? = null

    override fun title(words: Words) = words("app.log.title")

    override fun shown() {
        if (!working) work { entries = core.openWallet().consentLog() }
    }

    override fun content(ui: Ui): List<View> {
        val known = entries ?: return loading(ui)
        if (known.isEmpty()) return listOf(ui.body(ui.words("app.log.none")))
        return listOf(ui.body(ui.words("app.log.what"))) + known.map { ui.card(DisplayRenderer(ui).titled(it.display)) }
    }

    override fun forget() {
        entries = null
    }
}

/** What changed without the citizen's doing. */
class NoticesScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private var changes: List<ChangeView>? = null

    override fun title(words: Words) = words("app.notices.title")

    override fun shown() {
        if (!working) work { changes = core.openWallet().notices() }
    }

    override fun content(ui: Ui): List<View> {
        val known = changes ?: return loading(ui)
        if (known.isEmpty()) return listOf(ui.body(ui.words("app.notices.none")))
        return known.map { ui.card(DisplayRenderer(ui).titled(it.display)) }
    }

    override fun forget() {
        changes = null
    }
}
