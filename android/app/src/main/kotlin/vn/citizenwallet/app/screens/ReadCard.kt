package vn.citizenwallet.app.screens

import android.view.View
import android.widget.LinearLayout
import android.widget.TextView
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import vn.citizenwallet.app.R
import vn.citizenwallet.app.nav.Names
import vn.citizenwallet.app.nav.Navigator
import vn.citizenwallet.app.nav.Place
import vn.citizenwallet.app.phone.CardReader
import vn.citizenwallet.app.ui.DisplayRenderer
import vn.citizenwallet.app.ui.HoldPicture
import vn.citizenwallet.app.ui.Ui
import vn.citizenwallet.app.ui.Words
import vn.citizenwallet.core.CardPassword
import vn.citizenwallet.core.DisplayView
import vn.citizenwallet.core.ProblemAction
import vn.citizenwallet.core.ProblemView
import vn.citizenwallet.core.ProgressView
import vn.citizenwallet.core.cardProgress
import vn.citizenwallet.core.cardProgressPercent

/**
 * The card is held to the phone and read. The antenna listens only while this screen is in front; a reading goes on through a rotation, and a card
 * that was pulled away is taken up again where it was left.
 */
class ReadCardScreen(nav: Navigator, place: Place) : ActivationStep(nav, place) {
    private var reader: CardReader? = null
    private var reading: Job? = null
    private var listening: Job? = null
    private var progress: ProgressView? = null
    private var steps: LinearLayout? = null
    private var percent: TextView? = null
    private var drawnIn: Ui? = null

    /** Why the card was not taken, when it was read and is not genuine. */
    private var rejected: DisplayView? = null
    override val awake = true

    override fun title(words: Words) = words("app.read-card.title")

    override fun shown() {
        val activity = activity ?: return
        val number = core.session.cardNumber
        if (number == null) {
            // The process ended meanwhile, or the wallet was locked: the number is asked for again.
            nav.replace(Place(Names.CARD_NUMBER))
            return
        }
        if (trouble != null || rejected != null) return
        val used = reader ?: core.phone.cardReader().also { reader = it }
        when (used.state(activity)) {
            CardReader.State.NONE -> tell("no-nfc")
            CardReader.State.OFF -> tell("nfc-off")
            CardReader.State.READY -> {
                used.start(activity)
                if (reading?.isActive != true) reading = scope.launch { read(used, number) }
            }
        }
    }

    override fun hidden() {
        activity?.let { reader?.stop(it) }
    }

    private suspend fun read(used: CardReader, number: String) {
        val channel = used.card()
        progress = null
        drawnIn = null
        listening?.cancel()
        listening = core.progress?.let { told -> scope.launch { told.steps.collect { if (it != null) update(it) } } }
        work(repeat = false) {
            try {
                val verdict = core.openWallet().readCard(channel, CardPassword.Can(number)).verdict
                if (verdict.display.id == REJECTED) rejected = verdict.display else follow(core.openWallet().activation())
            } finally {
                listening?.cancel()
                // One reader serves one reading.
                activity?.let { used.stop(it) }
                reader = null
            }
        }
    }

    /** Progress is written into the views that are there, so that a screen reader hears what changed and nothing jumps. */
    private fun update(now: ProgressView) {
        progress = now
        val ui = drawnIn ?: return redraw()
        percent?.text = ui.words("app.read-card.percent", "percent" to cardProgressPercent(now))
        steps?.let { list ->
            list.removeAllViews()
            fill(list, ui, now)
        }
    }

    private fun fill(list: LinearLayout, ui: Ui, now: ProgressView) {
        val lines = DisplayRenderer(ui).lines(cardProgress(now), Ui.Tone.PLAIN)
        lines.forEach { list.addView(it, LinearLayout.LayoutParams(LinearLayout.LayoutParams.MATCH_PARENT, LinearLayout.LayoutParams.WRAP_CONTENT).apply { topMargin = ui.dp(Ui.Space.SMALL) }) }
    }

    override fun content(ui: Ui): List<View> {
        val picture = HoldPicture(ui.context, ui.color(R.color.text), ui.color(R.color.surface), ui.color(R.color.accent), ui.words("app.read-card.picture"))
        val how = ui.card(ui.heading(ui.words("app.read-card.hold")), picture, ui.body(ui.words("app.read-card.where")), ui.small(ui.words("app.read-card.still")))
        rejected?.let { why ->
            val word = ui.card(ui.title(ui.words(why.title), ui.color(Ui.Tone.RED.text)), ui.body(ui.words("app.read-card.rejected"), ui.color(Ui.Tone.RED.text)), tone = Ui.Tone.RED)
            word.accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_ASSERTIVE
            return listOf(word, ui.primary(ui.words("app.read-card.again")) { again() }) + groups(ui, why, red = true)
        }
        val now = progress ?: return listOf(how)
        val list = ui.column()
        fill(list, ui, now)
        val share = ui.title(ui.words("app.read-card.percent", "percent" to cardProgressPercent(now))).apply {
            accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
        }
        if (ui.words.language == words.language) {
            drawnIn = ui
            steps = list
            percent = share
        }
        return listOf(ui.card(share, list), how)
    }

    override fun act(problem: ProblemView) {
        progress = null
        when (problem.action) {
            ProblemAction.ENTER_AGAIN -> {
                settled()
                nav.replace(Place(Names.CARD_NUMBER))
            }
            ProblemAction.OPEN_NFC_SETTINGS -> super.act(problem)
            ProblemAction.RETRY, ProblemAction.HOLD_CARD -> {
                settled()
                redraw()
                shown()
            }
            else -> super.act(problem)
        }
    }

    /** What was read is kept, and the screen waits for the card anew. */
    override fun stopped() = again()

    private fun again() {
        rejected = null
        progress = null
        redraw()
        shown()
    }

    private companion object {
        const val REJECTED = "red"
    }

    override fun close() {
        activity?.let { reader?.stop(it) }
        super.close()
    }
}
