package vn.citizenwallet.app.screens

import android.view.View
import vn.citizenwallet.app.R
import vn.citizenwallet.app.nav.Names
import vn.citizenwallet.app.nav.Navigator
import vn.citizenwallet.app.nav.Place
import vn.citizenwallet.app.ui.DisplayRenderer
import vn.citizenwallet.app.ui.QrView
import vn.citizenwallet.app.ui.Ui
import vn.citizenwallet.app.ui.Words
import vn.citizenwallet.app.KeptAnswer
import vn.citizenwallet.core.PendingRequest
import vn.citizenwallet.core.RequestItem
import vn.citizenwallet.core.qrDraw

/** Who asks for what, and the citizen's yes or no. */
class ConsentScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private val request: PendingRequest? get() = core.session.request(place.about)

    /** The document that is chosen, and its fields; null until the request was looked at. */
    private var document: String? = null
    private val chosen = LinkedHashSet<String>()
    private var looked = false

    override fun title(words: Words) = words("app.consent.title")

    override fun shown() {
        if (trouble != null) return
        val pending = request ?: return tell("scan.stale")
        if (!looked) {
            looked = true
            pending.defaultSelection()?.let {
                document = it.document
                chosen += it.fields
            }
            redraw()
        }
    }

    override fun content(ui: Ui): List<View> {
        val words = ui.words
        val pending = request ?: return emptyList()
        val display = pending.display()
        val verifier = pending.view()
        val place = verifier?.place?.takeIf { it.isNotEmpty() }?.let { ui.card(ui.small(words("app.consent.place"), ui.color(Ui.Tone.ACCENT.text)), ui.great(it, ui.color(Ui.Tone.ACCENT.text)), tone = Ui.Tone.ACCENT, gap = 2) }
        val items = pending.items()
        val blocks = listOfNotNull(place) + groups(ui, display, red = pending.verdict().display.id == RED)
        val documents = items.groupBy { it.document }
        val asked = documents.map { (document, fields) -> askedBlock(ui, document, fields, documents.size > 1) }
        val buttons = if (pending.answeredBefore()) {
            listOf(ui.primary(words("app.consent.leave")) { nav.backTo(Names.DOCUMENTS) })
        } else {
            listOf(
                ui.primary(words("app.consent.yes")) { answer() }.also { button -> button.isEnabled = items.any { it.available && !it.overAsk } },
                ui.refusing(words("app.consent.no")) { decline() },
            )
        }
        return blocks + asked + ui.small(words("app.consent.once")) + buttons
    }

    private fun askedBlock(ui: Ui, id: String, fields: List<RequestItem>, several: Boolean): View {
        val words = ui.words
        val title = ui.heading(words("document.$id"))
        val pick = if (several) {
            ui.choice(words("app.consent.this-document"), document == id) {
                document = id
                chosen.clear()
                chosen += fields.filter { it.selected && !it.overAsk && it.available }.map { it.field }
                redraw()
            }
        } else {
            null
        }
        val rows = fields.map { item ->
            val label = words(item.label)
            when {
                // It can never be chosen; the alarm above says so too.
                item.overAsk -> refused(ui, label, words("app.consent.over-asked"), Ui.Tone.RED)
                !item.available -> refused(ui, label, words("app.consent.not-held"), Ui.Tone.PLAIN)
                else -> {
                    val remark = if (item.sensitive) words("app.consent.sensitive") else null
                    ui.switch(label, remark, document == id && item.field in chosen) { on -> choose(id, item.field, on) }
                }
            }
        }
        return ui.card(listOfNotNull(title, pick) + rows, gap = Ui.Space.HAIR)
    }

    private fun refused(ui: Ui, label: String, why: String, tone: Ui.Tone): View {
        val colour = ui.color(tone.text)
        val icon = ui.icon(if (tone == Ui.Tone.RED) R.drawable.icon_warning else R.drawable.icon_lock, if (tone == Ui.Tone.RED) colour else ui.color(R.color.text_quiet))
        val row = ui.beside(icon, ui.column(ui.body(label, colour), ui.small(why, if (tone == Ui.Tone.RED) colour else ui.color(R.color.text_quiet)), gap = 2))
        return if (tone == Ui.Tone.RED) ui.card(row, tone = tone) else row.apply { minimumHeight = ui.dp(Ui.TARGET) }
    }

    private fun choose(id: String, field: String, on: Boolean) {
        if (document != id) {
            // One answer shows one document.
            document = id
            chosen.clear()
            if (on) chosen += field
            redraw()
        } else if (on) {
            chosen += field
        } else {
            chosen -= field
        }
    }

    private fun answer() {
        val pending = request ?: return tell("scan.stale")
        work(repeat = false) {
            val answer = pending.answer(document.orEmpty(), chosen.toList())
            nav.begin(Place(Names.DOCUMENTS), Place(Names.SHOW, core.session.keep(KeptAnswer(answer))))
        }
    }

    private fun decline() {
        val pending = request ?: return nav.backTo(Names.DOCUMENTS)
        work(repeat = false) {
            pending.decline()
            nav.backTo(Names.DOCUMENTS)
        }
    }

    override fun scanAgain() = nav.begin(Place(Names.DOCUMENTS), Place(Names.SCAN))

    override fun askAnew() = scanAgain()

    override fun close() {
        super.close()
        core.session.drop(place.about)
    }

    private companion object {
        /** The asking party is not to be answered. */
        const val RED = "red"
    }
}

/** Seconds until a time, and what happens when they are over. */
internal class Countdown(private val until: String) {
    /** Whole seconds left, not below 0. */
    fun left(): Long = maxOf(0, java.time.Duration.between(java.time.Instant.now(), java.time.OffsetDateTime.parse(until).toInstant()).seconds)
}

/** A code that another phone reads from this one's display, with the seconds it is still good for. */
abstract class CodeShowingScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    override val bright = true
    override val awake = true
    private var ticking: kotlinx.coroutines.Job? = null
    private val clocks = java.util.WeakHashMap<android.widget.TextView, Ui>()

    /** Until when, RFC 3339; null when there is nothing to show. */
    protected abstract fun until(): String?

    override fun shown() {
        ticking?.cancel()
        val clock = Countdown(until() ?: return)
        ticking = scope.launchTicking {
            val left = clock.left()
            clocks.forEach { (view, ui) -> view.text = seconds(ui, left) }
            if (left == 0L) redraw()
            left > 0
        }
    }

    override fun hidden() {
        ticking?.cancel()
    }

    /** The code and its seconds; what takes their place when it is over. */
    protected fun code(ui: Ui, text: String, label: String, over: () -> List<View>): List<View> {
        val left = Countdown(until() ?: return over()).left()
        if (left == 0L) return over()
        val seconds = ui.heading(seconds(ui, left)).apply {
            gravity = android.view.Gravity.CENTER_HORIZONTAL
        }
        clocks[seconds] = ui
        return listOf(QrView(ui.context, qrDraw(text), label), seconds)
    }

    private fun seconds(ui: Ui, left: Long) = ui.words("app.show.seconds", "seconds" to left)
}

/** The citizen's answer as a code. */
class ShowScreen(nav: Navigator, place: Place) : CodeShowingScreen(nav, place) {
    private val answer get() = core.session.answer(place.about)

    override fun title(words: Words) = words("app.show.title")

    override fun until(): String? = answer?.expiresAt

    override fun shown() {
        if (answer == null) tell("scan.stale") else super.shown()
    }

    override fun content(ui: Ui): List<View> {
        val shown = answer ?: return emptyList()
        val words = ui.words
        val code = code(ui, shown.text, words("app.show.code")) { listOf(ui.card(ui.body(words("app.show.over"), ui.color(Ui.Tone.AMBER.text)), tone = Ui.Tone.AMBER)) }
        return code + listOf(
            ui.body(words("app.show.what")),
            ui.card(ui.heading(words("document.${shown.document}")), ui.body(shown.fields.joinToString("\n") { words("field.$it") })),
            ui.primary(words("app.show.done")) { nav.backTo(Names.DOCUMENTS) },
        )
    }

    override fun scanAgain() = nav.begin(Place(Names.DOCUMENTS), Place(Names.SCAN))

    override fun askAnew() = scanAgain()

    override fun close() {
        super.close()
        core.session.drop(place.about)
    }
}
