package vn.citizenwallet.app.screens

import android.app.Activity
import android.net.Uri
import android.os.Build
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.CompoundButton
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.ProgressBar
import android.widget.ScrollView
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import vn.citizenwallet.app.AppCore
import vn.citizenwallet.app.R
import vn.citizenwallet.app.nav.Names
import vn.citizenwallet.app.nav.Navigator
import vn.citizenwallet.app.nav.Place
import vn.citizenwallet.app.ui.DisplayRenderer
import vn.citizenwallet.app.ui.Ui
import vn.citizenwallet.app.ui.Words
import vn.citizenwallet.core.DisplayView
import vn.citizenwallet.core.ProblemAction
import vn.citizenwallet.core.ProblemView
import vn.citizenwallet.core.WalletException
import vn.citizenwallet.core.explain
import vn.citizenwallet.core.problem

/**
 * One screen: what it knows, and how that is drawn. It outlives a turned activity: [build] is called again and again, the rest stays.
 *
 * Work runs in [scope], which ends with the screen. What goes wrong becomes one problem panel at the top of the screen, with its one way on.
 */
abstract class Screen(protected val nav: Navigator, val place: Place) {
    /** What must be true before a screen makes sense; else the gate stands before it. */
    enum class Needs { NOTHING, OPEN, UNLOCKED }

    /** What this screen needs. */
    open val needs: Needs = Needs.UNLOCKED

    /** Neither pictures of the screen nor the list of recent apps may show it. */
    open val secure: Boolean = true

    /** The display at its brightest, for codes that another phone reads. */
    open val bright: Boolean = false

    /** The display stays on. */
    open val awake: Boolean = false

    /** Whether there is a way back to show. */
    open val backShown: Boolean = true

    protected val core: AppCore get() = nav.core
    protected val words: Words get() = core.words
    protected val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)
    protected val activity: Activity? get() = nav.host?.activity

    /** Secret rows that the person uncovered on this screen. */
    protected val uncovered = HashSet<String>()

    private var running: Job? = null
    private var again: (() -> Unit)? = null

    /** The person wants the work to stop. */
    private var stopping = false

    /** Work was stopped, or its problem put aside, and can be done again; nothing else on the screen may lead to it. */
    private var offered = false

    /** The file that the person chose, until the screen takes it up. */
    private var file: Uri? = null

    /** What went wrong; null when nothing did. */
    var trouble: ProblemView? = null
        private set

    /** Whether work is going on. */
    var working = false
        private set

    /** Whether the work takes so long that the screen says so. */
    private var slow = false

    /** How far down the person has read; kept when the screen is drawn anew. */
    var scrolled = 0

    // --- what a screen says of itself

    /** The title in the language of [words]. */
    abstract fun title(words: Words): String

    /** What is below the title, one block below the other. */
    protected abstract fun content(ui: Ui): List<View>

    /** The screen is seen: load, listen. */
    open fun shown() = Unit

    /** The screen is no longer seen: stop what needs eyes. */
    open fun hidden() = Unit

    /** A permission was given or refused. */
    open fun permission(granted: Boolean) = Unit

    /** The person goes back; true when the screen took the step itself. */
    open fun back(): Boolean = false

    /** The screen is left for good. */
    open fun close() {
        scope.cancel()
    }

    /** The wallet was locked: what is personal is let go; [shown] loads it anew after the passcode. */
    open fun forget() = Unit

    /** The person chose a file. It is taken up when the screen is seen: the passcode may stand before it. */
    fun chosen(uri: Uri) {
        file = uri
    }

    /** The file that was chosen, once. */
    protected fun takeFile(): Uri? = file.also { file = null }

    // --- work

    /**
     * Does [block]; while it runs the screen says so and can stop it. One piece of work at a time: pressing twice does nothing twice. What goes
     * wrong is shown, and can be tried again when [repeat] says so. What the system asks the person for it goes from the screen when it is stopped.
     */
    protected fun work(repeat: Boolean = true, block: suspend () -> Unit) {
        if (working) return
        trouble = null
        offered = false
        again = if (repeat) ({ work(true, block) }) else null
        working = true
        stopping = false
        slow = false
        running = scope.launch {
            var cut = false
            try {
                core.asking(block)
            } catch (_: WalletException.Cancelled) {
                cut = true
            } catch (ended: CancellationException) {
                cut = stopping
                throw ended
            } catch (error: WalletException) {
                trouble = explain(error)
            } catch (_: Exception) {
                // A fault of the app itself; its words may hold anything, so they go nowhere.
                trouble = problem(INTERNAL)
            } finally {
                working = false
                if (cut) stopped()
                redraw()
                nav.ended(this@Screen)
            }
        }
        val job = running
        if (working) scope.launch {
            // What is done at once needs no words, and nothing flickers.
            delay(PATIENCE_MILLIS)
            if (working && running === job) {
                slow = true
                redraw()
            }
        }
    }

    /** Stops the work that is going on; what was done durably is kept. */
    fun stop() {
        stopping = true
        running?.cancel()
    }

    /** The person stopped the work, and it has ended. The screen is as it was before; where nothing on it leads to the work, it is offered again. */
    protected open fun stopped() {
        offered = again != null
    }

    /** Shows a problem that the phone itself found. */
    protected fun tell(id: String, retry: (() -> Unit)? = null) {
        again = retry
        trouble = problem(id)
        redraw()
    }

    /** Takes the problem away. */
    protected fun settled() {
        trouble = null
        again = null
        offered = false
    }

    /** What a screen says while it has nothing to show yet; nothing, when it is not loading but waiting for the person. */
    protected fun loading(ui: Ui, key: String = "app.loading"): List<View> = if (offered || trouble != null) emptyList() else listOf(ui.body(ui.words(key)))

    /** Draws the screen anew, when it is seen. */
    protected fun redraw() = nav.redraw(this)

    // --- drawing

    /** The whole screen as views, in the language of [ui]. Changes nothing. */
    fun build(ui: Ui): View {
        val problem = trouble
        val blocks = listOfNotNull(problem?.let { problemPanel(ui, it) }, if (working && slow) workingPanel(ui) else null, if (offered && !working) offerPanel(ui) else null) + content(ui)
        val body = ui.column(blocks, Ui.Space.LARGE).apply {
            setPadding(ui.dp(Ui.Space.LARGE), ui.dp(Ui.Space.SMALL), ui.dp(Ui.Space.LARGE), ui.dp(Ui.Space.HUGE))
        }
        if (working) disable(ui, body, exceptBelow = WORKING)
        val scroll = ScrollView(ui.context).apply {
            isFillViewport = true
            isSaveEnabled = false
            addView(body)
            setOnScrollChangeListener { _, _, y, _, _ -> scrolled = y }
        }
        return LinearLayout(ui.context).apply {
            orientation = LinearLayout.VERTICAL
            setBackgroundColor(ui.color(R.color.ground))
            addView(header(ui), LinearLayout.LayoutParams(ViewGroup.LayoutParams.MATCH_PARENT, ViewGroup.LayoutParams.WRAP_CONTENT))
            addView(scroll, LinearLayout.LayoutParams(ViewGroup.LayoutParams.MATCH_PARENT, 0, 1f))
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) accessibilityPaneTitle = title(ui.words)
            filterTouchesWhenObscured = true
        }
    }

    private fun header(ui: Ui): View {
        val title = ui.title(title(ui.words)).also(ui::markHeading)
        val row = if (backShown) {
            ui.beside(ui.iconButton(R.drawable.icon_back, ui.words("app.back")) { nav.back() }, title, gap = Ui.Space.HAIR)
        } else {
            ui.column(title)
        }
        return row.apply {
            minimumHeight = ui.dp(64)
            gravity = android.view.Gravity.CENTER_VERTICAL
            setPadding(ui.dp(if (backShown) Ui.Space.HAIR else Ui.Space.LARGE), ui.dp(Ui.Space.SMALL), ui.dp(Ui.Space.LARGE), ui.dp(Ui.Space.SMALL))
        }
    }

    private fun problemPanel(ui: Ui, problem: ProblemView): View {
        val display = problem.display
        val tone = Ui.Tone.RED
        val icon = ui.icon(R.drawable.icon_warning, ui.color(tone.text), size = 28)
        val title = ui.heading(ui.words(display.title), ui.color(tone.text))
        val lines = DisplayRenderer(ui, uncovered).lines(display, tone)
        val button = ui.primary(ui.words(problem.actionLabel)) { act(problem) }
        return ui.card(listOf(ui.beside(icon, title)) + lines + button, tone).apply {
            accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_ASSERTIVE
            tag = PROBLEM
        }
    }

    private fun workingPanel(ui: Ui): View {
        val wheel = ProgressBar(ui.context).apply {
            layoutParams = ViewGroup.LayoutParams(ui.dp(28), ui.dp(28))
            importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO
            indeterminateTintList = android.content.res.ColorStateList.valueOf(ui.color(R.color.accent))
        }
        val line = ui.beside(wheel, ui.body(ui.words("app.working"), ui.color(Ui.Tone.ACCENT.text)))
        return ui.card(line, ui.secondary(ui.words("app.stop")) { stop() }, tone = Ui.Tone.ACCENT).apply {
            accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
            tag = WORKING
        }
    }

    private fun offerPanel(ui: Ui): View {
        val words = ui.words
        return ui.card(
            ui.heading(words("problem.cancelled"), ui.color(Ui.Tone.ACCENT.text)),
            ui.body(words("app.stopped"), ui.color(Ui.Tone.ACCENT.text)),
            ui.primary(words("action.retry")) { again?.invoke() },
            tone = Ui.Tone.ACCENT,
        ).apply { accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE }
    }

    private fun disable(ui: Ui, view: View, exceptBelow: String) {
        if (view.tag == exceptBelow) return
        if (view is Button || view is EditText || view.isClickable) view.isEnabled = false
        // Once it is said that work goes on, a button that does nothing does not look like one that does.
        if (slow && view is Button && view !is CompoundButton) ui.rest(view)
        if (view is ViewGroup) for (at in 0 until view.childCount) disable(ui, view.getChildAt(at), exceptBelow)
    }

    /** The renderer of this screen's displays. */
    protected fun renderer(ui: Ui) = DisplayRenderer(ui, uncovered)

    /** A display's groups as cards; [red]: what warns is no remark but an alarm. */
    protected fun groups(ui: Ui, display: DisplayView, red: Boolean = false): List<View> =
        renderer(ui).groups(display, if (red) Ui.Tone.RED else Ui.Tone.AMBER)

    // --- the way on

    /** Does what a problem's button says. */
    protected open fun act(problem: ProblemView) {
        val repeat = again
        settled()
        when (problem.action) {
            ProblemAction.RETRY, ProblemAction.HOLD_CARD -> if (repeat != null) repeat() else shown()
            ProblemAction.OPEN_NFC_SETTINGS -> nav.host?.open(android.provider.Settings.ACTION_NFC_SETTINGS)
            ProblemAction.OPEN_SECURITY_SETTINGS -> nav.host?.open(android.provider.Settings.ACTION_SECURITY_SETTINGS)
            ProblemAction.OPEN_APP_SETTINGS, ProblemAction.UPDATE_APP -> nav.host?.open(android.provider.Settings.ACTION_APPLICATION_DETAILS_SETTINGS)
            ProblemAction.OPEN_DATE_SETTINGS -> nav.host?.open(android.provider.Settings.ACTION_DATE_SETTINGS)
            ProblemAction.FREE_SPACE -> nav.host?.open(android.provider.Settings.ACTION_INTERNAL_STORAGE_SETTINGS)
            ProblemAction.SCAN_AGAIN -> scanAgain()
            ProblemAction.ASK_ANEW -> askAnew()
            ProblemAction.START_OVER -> startOver()
            ProblemAction.REMOVE_STORE -> nav.go(Place(Names.REMOVE, problem.id))
            ProblemAction.ENTER_AGAIN -> {
                enterAgain()
                offer(repeat)
            }
            ProblemAction.WAIT -> offer(repeat)
            ProblemAction.CLOSE -> {
                closeProblem()
                offer(repeat)
            }
        }
        redraw()
    }

    /** The problem is put aside; what led to it can be done again, so that no screen is left with nothing to press. */
    private fun offer(repeat: (() -> Unit)?) {
        if (trouble != null || working) return
        again = repeat
        offered = repeat != null
    }

    /** The code in view was of no use: another is looked for. */
    protected open fun scanAgain() = nav.backTo(if (core.settings.use == vn.citizenwallet.app.Settings.Use.STAFF) Names.STAFF else Names.DOCUMENTS)

    /** The request is over: a new one is made or scanned. */
    protected open fun askAnew() = scanAgain()

    /** The whole matter begins again. */
    protected open fun startOver() = nav.home()

    /** What was typed is typed again. */
    protected open fun enterAgain() = Unit

    /** The problem was read; the screen goes on without it. */
    protected open fun closeProblem() = Unit

    companion object {
        /** Tags of the two panels. */
        const val PROBLEM = "problem"
        const val WORKING = "working"
        private const val INTERNAL = "internal"
        private const val PATIENCE_MILLIS = 300L
    }
}
