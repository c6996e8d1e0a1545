package vn.citizenwallet.app.screens

import android.view.View
import vn.citizenwallet.app.KeptQuestion
import vn.citizenwallet.app.R
import vn.citizenwallet.app.nav.Names
import vn.citizenwallet.app.nav.Navigator
import vn.citizenwallet.app.nav.Place
import vn.citizenwallet.app.ui.Typed
import vn.citizenwallet.app.ui.Ui
import vn.citizenwallet.app.ui.VerdictMark
import vn.citizenwallet.app.ui.Words
import vn.citizenwallet.core.CacheView
import vn.citizenwallet.core.DisplayView
import vn.citizenwallet.core.PolicyView
import vn.citizenwallet.core.StaffView
import vn.citizenwallet.core.VerdictView

/** A staff device is enrolled with the code that its organisation gave out. */
class EnrolScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private val code = Typed()
    override val needs = Needs.OPEN
    override val backShown = false

    override fun title(words: Words) = words("app.enrol.title")

    override fun content(ui: Ui): List<View> = listOf(
        ui.body(ui.words("app.enrol.why")),
        ui.field(ui.words("app.enrol.code"), code, Ui.Field.CODE) { enrol() },
        ui.primary(ui.words("app.enrol.do")) { enrol() },
        ui.secondary(ui.words("app.create.back")) {
            core.settings.use = null
            nav.home()
        },
    )

    private fun enrol() = work {
        core.openVerifier().enrol(code.text())
        nav.begin(Place(Names.STAFF))
    }

    override fun close() {
        code.wipe()
        super.close()
    }
}

/** The staff device: who it is to citizens, how old its lists are, and the way to ask. */
class StaffScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private var staff: StaffView? = null
    private var cache: CacheView? = null
    private var report: DisplayView? = null
    override val needs = Needs.OPEN
    override val secure = false
    override val backShown = false

    override fun title(words: Words) = words("app.staff.title")

    override fun shown() {
        if (!working) work { load() }
    }

    private suspend fun load() {
        val verifier = core.openVerifier()
        val enrolled = verifier.staff()
        if (enrolled == null) {
            nav.begin(Place(Names.ENROL))
        } else {
            staff = enrolled
            cache = verifier.cache()
        }
    }

    override fun content(ui: Ui): List<View> {
        val enrolled = staff ?: return loading(ui)
        val words = ui.words
        return listOf(ui.primary(words("app.staff.ask")) { nav.go(Place(Names.ASK)) }) +
            groups(ui, enrolled.display) +
            report?.let { groups(ui, it) }.orEmpty() +
            cache?.let { groups(ui, named(it.display)) }.orEmpty() +
            listOf(
                ui.link(R.drawable.icon_sync, words("app.settings.sync"), words("app.staff.sync-remark")) { sync() },
                ui.link(R.drawable.icon_list, words("app.take.title"), words("app.take.remark")) { nav.go(Place(Names.TAKE)) },
                ui.link(R.drawable.icon_list, words("app.carry.title"), words("app.carry.remark")) { nav.go(Place(Names.CARRY)) },
                ui.link(R.drawable.icon_settings, words("app.settings.title")) { nav.go(Place(Names.SETTINGS)) },
            )
    }

    /** What is held stands beside what came just now: each says in its title which it is. */
    private fun named(display: DisplayView) =
        display.copy(groups = display.groups.map { if (it.title.isEmpty()) it.copy(title = display.title) else it })

    private fun sync() = work {
        report = core.openVerifier().sync().display
        load()
    }
}

/** Which document is asked for. */
class AskScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private var policy: PolicyView? = null
    override val needs = Needs.OPEN
    override val secure = false

    override fun title(words: Words) = words("app.ask.title")

    override fun shown() {
        if (policy == null && !working && trouble == null) work { policy = core.openVerifier().policies().firstOrNull { it.own } }
    }

    override fun content(ui: Ui): List<View> {
        val own = policy ?: return loading(ui)
        return listOf(ui.body(ui.words("app.ask.which"))) + own.documents.map { row ->
            ui.link(R.drawable.icon_card, ui.words("document.${row.document}")) { nav.go(Place(Names.ASK_FIELDS, row.document)) }
        }
    }
}

/** Which fields, for what purpose, at which place. */
class AskFieldsScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private var policy: PolicyView? = null
    private val chosen = LinkedHashSet<String>()
    private var purpose = ""
    private val where = Typed()
    private val boarding = Typed()
    private var standard = ""
    override val needs = Needs.OPEN

    override fun title(words: Words) = words("document.${place.about}")

    override fun shown() {
        if (policy == null && !working && trouble == null) work { load() }
    }

    private suspend fun load() {
        val verifier = core.openVerifier()
        val own = verifier.policies().firstOrNull { it.own } ?: return
        standard = verifier.staff()?.place.orEmpty()
        chosen += own.documents.firstOrNull { it.document == place.about }?.defaults.orEmpty()
        purpose = own.purposes.firstOrNull().orEmpty()
        policy = own
    }

    override fun content(ui: Ui): List<View> {
        val own = policy ?: return loading(ui)
        val words = ui.words
        val allowed = own.documents.firstOrNull { it.document == place.about }?.allowed.orEmpty()
        // A field without a name for people cannot be asked for by a person.
        val fields = allowed.filter { words("field.$it") != "field.$it" }.map { field ->
            ui.switch(words("field.$field"), null, field in chosen) { on -> choose(field, on) }
        }
        val purposes = own.purposes.map { id ->
            ui.choice(words("purpose.$id"), id == purpose) {
                purpose = id
                redraw()
            }
        }
        return listOfNotNull(
            ui.card(listOf(ui.heading(words("app.ask.purpose"))) + purposes, gap = 0),
            ui.card(listOf(ui.heading(words("app.ask.fields"))) + fields, gap = 0),
            ui.field(words("app.ask.place"), where, Ui.Field.LINE, if (standard.isEmpty()) null else words("app.ask.standard", "place" to standard)),
            if (own.boardingPass) ui.field(words("app.ask.boarding"), boarding, Ui.Field.LINE, words("app.ask.boarding-remark")) else null,
            ui.primary(words("app.ask.do")) { ask() }.apply { isEnabled = chosen.isNotEmpty() },
        )
    }

    private fun choose(field: String, on: Boolean) {
        val none = chosen.isEmpty()
        if (on) chosen += field else chosen -= field
        if (chosen.isEmpty() != none) redraw()
    }

    private fun ask() = work {
        val order = policy?.documents?.firstOrNull { it.document == place.about }?.allowed.orEmpty()
        val asked = core.openVerifier().ask(place.about, order.filter { it in chosen }, purpose, where.text())
        nav.go(Place(Names.REQUEST, core.session.keep(KeptQuestion(asked, boarding.text()))))
    }

    override fun close() {
        boarding.wipe()
        super.close()
    }
}

/** The request as a code, until the answer is scanned. */
class RequestScreen(nav: Navigator, place: Place) : CodeShowingScreen(nav, place) {
    private val asked get() = core.session.asked(place.about)?.request
    override val needs = Needs.OPEN
    override val secure = false

    override fun title(words: Words) = words("app.request.title")

    override fun until(): String? = asked?.expires()

    override fun shown() {
        if (asked == null) tell("scan.stale") else super.shown()
    }

    override fun content(ui: Ui): List<View> {
        val open = asked ?: return emptyList()
        val words = ui.words
        val code = code(ui, open.text(), words("app.request.code")) { listOf(ui.card(ui.body(words("app.request.over"), ui.color(Ui.Tone.AMBER.text)), tone = Ui.Tone.AMBER)) }
        return code + listOf(
            ui.body(words("app.request.what")),
            ui.primary(words("app.request.scan")) { nav.go(Place(Names.SCAN_ANSWER, place.about)) },
            ui.card(ui.heading(words("document.${open.document()}")), ui.body(open.fields().joinToString("\n") { words("field.$it") })),
            ui.refusing(words("app.request.cancel")) { nav.backTo(Names.STAFF) },
        )
    }

    override fun askAnew() = nav.backTo(Names.STAFF)

    override fun scanAgain() = askAnew()

    override fun close() {
        super.close()
        core.session.drop(place.about)
    }
}

/** What the check came to: word, shape and colour; what was shown; every fact. */
class VerdictScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private val result get() = core.session.result(place.about)

    /** After the faces were compared. */
    private var compared: VerdictView? = null
    override val needs = Needs.OPEN

    override fun title(words: Words) = words("app.verdict.title")

    override fun shown() {
        if (result == null && trouble == null) tell("scan.stale")
    }

    override fun content(ui: Ui): List<View> {
        val check = result ?: return emptyList()
        val words = ui.words
        val verdict = compared ?: check.verdict()
        val shown = check.display()?.takeIf { verdict.display.id != RED }
        val withheld = check.withheld()
        val compare = if (check.hasPortrait() && compared == null && verdict.display.id != RED) {
            ui.card(
                ui.heading(words("app.verdict.compare")),
                ui.primary(words("app.verdict.same")) { confirm(true) },
                ui.refusing(words("app.verdict.different")) { confirm(false) },
            )
        } else {
            null
        }
        return listOf(banner(ui, verdict)) + shown?.let { groups(ui, it) }.orEmpty() + listOfNotNull(
            compare,
            if (withheld.isEmpty()) null else ui.card(ui.heading(words("app.verdict.withheld")), ui.body(withheld.joinToString("\n") { words("field.$it") })),
        ) + groups(ui, verdict.display, red = verdict.display.id == RED) + listOf(
            ui.primary(words("app.verdict.next")) { nav.begin(Place(Names.STAFF), Place(Names.ASK)) },
            ui.secondary(words("app.verdict.home")) { nav.backTo(Names.STAFF) },
        )
    }

    private fun banner(ui: Ui, verdict: VerdictView): View {
        val (shape, ground, sign) = when (verdict.display.id) {
            GREEN -> Triple(VerdictMark.Shape.DISC, R.color.green, R.color.on_green)
            RED -> Triple(VerdictMark.Shape.OCTAGON, R.color.red, R.color.on_red)
            else -> Triple(VerdictMark.Shape.TRIANGLE, R.color.amber, R.color.on_amber)
        }
        // The shape is in the colour of the words, its sign in the colour of the ground.
        val mark = VerdictMark(ui.context, shape, ui.color(sign), ui.color(ground), 56)
        val text = ui.words(verdict.display.title)
        // With very large text the word stands below its shape, so that it need not be broken.
        val large = ui.context.resources.configuration.fontScale > LARGE_TEXT
        val word = if (large) ui.title(text, ui.color(sign)) else ui.great(text, ui.color(sign))
        val banner = if (large) ui.column(ui.beside(mark, View(ui.context)), word) else ui.beside(mark, word, gap = Ui.Space.LARGE)
        return banner.apply {
            background = ui.rounded(ui.color(ground))
            setPadding(ui.dp(Ui.Space.LARGE), ui.dp(Ui.Space.HUGE), ui.dp(Ui.Space.LARGE), ui.dp(Ui.Space.HUGE))
            accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_ASSERTIVE
            contentDescription = ui.words(verdict.display.title)
            isFocusable = true
            ui.markHeading(this)
            word.importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO
        }
    }

    private fun confirm(same: Boolean) {
        val check = result ?: return
        work(repeat = false) { compared = check.confirmFace(same) }
    }

    override fun askAnew() = nav.begin(Place(Names.STAFF), Place(Names.ASK))

    override fun scanAgain() = askAnew()

    override fun close() {
        super.close()
        core.session.drop(place.about)
    }

    private companion object {
        const val LARGE_TEXT = 1.5f
        const val GREEN = "green"
        const val RED = "red"
    }
}
