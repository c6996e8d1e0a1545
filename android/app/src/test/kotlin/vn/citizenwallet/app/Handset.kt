package vn.citizenwallet.app

import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.CompoundButton
import android.widget.EditText
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import vn.citizenwallet.android.CitizenWallet
import vn.citizenwallet.app.phone.Frame
import vn.citizenwallet.app.screens.Screen
import java.time.Duration

/** A phone in somebody's hand: what is on its screen is read and pressed, as a person would. */
class Handset(val name: String = "", private val saved: android.os.Bundle? = null, val core: AppCore = application.newProcess(name)) {
    val words get() = core.words

    /** What the process of this phone opened; null in a build without a service. */
    private val owner = if (World.service == null) null else CitizenWallet.get()
    var controller: ActivityController<MainActivity> = launch(saved)
        private set
    val activity: MainActivity get() = controller.get()
    val screen: Screen get() = activity.navigator!!.top!!
    val root: View get() = activity.findViewById<ViewGroup>(android.R.id.content).getChildAt(0)

    private fun launch(saved: android.os.Bundle?): ActivityController<MainActivity> {
        application.take(core)
        return Robolectric.buildActivity(MainActivity::class.java).apply {
            create(saved)
            start()
            saved?.let { restoreInstanceState(it) }
            resume()
            visible()
        }
    }

    // --- time

    /** Lets the app go on until [done], at most [seconds]; says what was on the screen when that never came. */
    fun until(what: String, seconds: Int = 60, done: () -> Boolean) {
        val end = System.nanoTime() + seconds * 1_000_000_000L
        var last = System.nanoTime()
        while (true) {
            val now = System.nanoTime()
            shadowOf(Looper.getMainLooper()).idleFor(Duration.ofNanos(now - last))
            last = now
            if (done()) return
            if (now > end) throw AssertionError("$what did not come; on the screen: ${where()}: ${seen()}")
            Thread.sleep(5)
        }
    }

    /** Lets the app go on until the screen of that name is there and does nothing. */
    fun arrive(screen: String, seconds: Int = 60) = until(screen, seconds) { where() == screen && !this.screen.working }

    /** Lets the app go on until nothing works. */
    fun rest() = until("rest") { !screen.working }

    /** The name of the screen that is seen. */
    fun where(): String = activity.navigator?.top?.place?.screen ?: "none"

    // --- looking

    /** All views that are drawn. */
    fun views(): List<View> = all(activity.findViewById(android.R.id.content))

    /** All texts on the screen. */
    fun seen(): List<String> = views().filterIsInstance<TextView>().map { it.text.toString() }.filter { it.isNotBlank() }

    /** Whether that text is on the screen, whole or as a part. */
    fun sees(text: String): Boolean = seen().any { text in it }

    /** The problem that is shown; fails when there is none. */
    fun problem(seconds: Int = 60): String {
        until("a problem", seconds) { screen.trouble != null && !screen.working }
        val panel = views().single { it.tag == Screen.PROBLEM }
        val button = all(panel).filterIsInstance<Button>().single()
        assertTrue("a way on", button.isShown && button.isEnabled && button.text.isNotBlank())
        assertTrue("told at once", panel.accessibilityLiveRegion == View.ACCESSIBILITY_LIVE_REGION_ASSERTIVE)
        return screen.trouble!!.id
    }

    /** The pixels of the whole window. */
    fun pixels(): Bitmap {
        val view = activity.window.decorView
        val (width, height) = activity.resources.displayMetrics.let { it.widthPixels to it.heightPixels }
        view.measure(View.MeasureSpec.makeMeasureSpec(width, View.MeasureSpec.EXACTLY), View.MeasureSpec.makeMeasureSpec(height, View.MeasureSpec.EXACTLY))
        view.layout(0, 0, width, height)
        return Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888).also { view.draw(Canvas(it)) }
    }

    /** What another phone's camera sees of the screen. */
    fun filmed(): Frame = luma(pixels())

    // --- doing

    /** Presses what carries that text or label, given by the catalogue's key. */
    fun press(key: String) = pressText(words(key))

    /** Presses what carries that text or label. */
    fun pressText(text: String) {
        val found = views().filter { it.isClickable && (label(it) == text || label(it).startsWith("$text.") || label(it).startsWith("$text\n")) }
        if (found.isEmpty()) throw AssertionError("nothing to press says \"$text\" on ${where()}: ${seen()}")
        val view = found.first()
        assertTrue("$text can be pressed", view.isEnabled && view.isShown)
        view.performClick()
        shadowOf(Looper.getMainLooper()).idle()
    }

    /** Whether the button with that key can be pressed. */
    fun pressable(key: String): Boolean = views().filterIsInstance<Button>().any { it.text.toString() == words(key) && it.isEnabled }

    /** Presses the button of the problem panel. */
    fun pressProblem() {
        val panel = views().single { it.tag == Screen.PROBLEM }
        all(panel).filterIsInstance<Button>().single().performClick()
        shadowOf(Looper.getMainLooper()).idle()
    }

    /** Types into the line under that label. */
    fun type(key: String, text: String) {
        val label = views().filterIsInstance<TextView>().first { it.text.toString() == words(key) && it.labelFor != View.NO_ID }
        val line = activity.findViewById<EditText>(label.labelFor)
        line.setText(text)
        shadowOf(Looper.getMainLooper()).idle()
    }

    /** What stands in the line under that label. */
    fun typed(key: String): String {
        val label = views().filterIsInstance<TextView>().first { it.text.toString() == words(key) && it.labelFor != View.NO_ID }
        return activity.findViewById<EditText>(label.labelFor).text.toString()
    }

    /** The system's screen for files is open for [action]: the person takes [uri], and the app comes back. */
    fun choose(action: String, uri: android.net.Uri) {
        val asked = shadowOf(activity).nextStartedActivityForResult.intent
        assertEquals(action, asked.action)
        background()
        shadowOf(activity).receiveResult(asked, android.app.Activity.RESULT_OK, android.content.Intent().setData(uri))
        foreground()
    }

    /** The same, with a file that holds [bytes]. */
    fun chooseFile(bytes: ByteArray) {
        val uri = android.net.Uri.parse("content://files/${java.util.UUID.randomUUID()}")
        shadowOf(application.contentResolver).registerInputStreamSupplier(uri) { bytes.inputStream() }
        choose(android.content.Intent.ACTION_OPEN_DOCUMENT, uri)
    }

    /** The switch with that label. */
    fun switch(label: String): CompoundButton = views().filterIsInstance<CompoundButton>().first { it.text.startsWith(label) }

    /** The phone's own way back. */
    @Suppress("DEPRECATION")
    fun back() {
        activity.onBackPressed()
        shadowOf(Looper.getMainLooper()).idle()
    }

    /** The phone is turned. */
    fun turn() {
        val now = RuntimeEnvironment.getQualifiers()
        RuntimeEnvironment.setQualifiers(if ("-land" in now) "+w360dp-h800dp-port" else "+w800dp-h360dp-land")
        controller.recreate()
        shadowOf(Looper.getMainLooper()).idle()
    }

    /** Another app comes to the front. */
    fun background() {
        controller.pause().stop()
        shadowOf(Looper.getMainLooper()).idle()
    }

    /** The app comes back. */
    fun foreground() {
        controller.restart().start().resume().visible()
        shadowOf(Looper.getMainLooper()).idle()
    }

    /** The system ends the process in the background and starts it again later: what it saved is all that is left. [meanwhile] happens between. */
    fun killed(meanwhile: () -> Unit = {}): Handset {
        val bundle = android.os.Bundle()
        controller.pause().stop().saveInstanceState(bundle)
        // As the system does it: through bytes.
        val parcel = android.os.Parcel.obtain()
        parcel.writeBundle(bundle)
        parcel.setDataPosition(0)
        val kept = parcel.readBundle(javaClass.classLoader)
        parcel.recycle()
        shadowOf(Looper.getMainLooper()).idle()
        core.close()
        // What the end of a process does to files and locks.
        val ending = kotlin.concurrent.thread { kotlinx.coroutines.runBlocking { owner?.shutDown() } }
        until("the end of the process") { !ending.isAlive }
        meanwhile()
        return Handset(name, kept)
    }

    companion object {
        /** The process. */
        val application: TestApp get() = RuntimeEnvironment.getApplication() as TestApp

        /** All views at and below one, those not shown left out. */
        fun all(view: View): List<View> = when {
            view.visibility != View.VISIBLE -> emptyList()
            view is ViewGroup -> listOf(view) + (0 until view.childCount).flatMap { all(view.getChildAt(it)) }
            else -> listOf(view)
        }

        /** A code as a camera sees it. */
        fun code(text: String): Frame {
            val symbol = vn.citizenwallet.core.qrDraw(text)
            val modules = symbol.width.toInt()
            val side = (modules + 8) * PIXELS
            return Frame(side, side, ByteArray(side * side) {
                val (x, y) = (it % side) / PIXELS - 4 to (it / side) / PIXELS - 4
                if (x in 0 until modules && y in 0 until modules && symbol.modules[y * modules + x]) 0 else -1
            })
        }

        private const val PIXELS = 4

        /** What a control says of itself. */
        fun label(view: View): String = view.contentDescription?.toString() ?: (view as? TextView)?.text?.toString().orEmpty()

        /** The luminance of a picture (ITU-R BT.601). */
        fun luma(bitmap: Bitmap): Frame {
            val pixels = IntArray(bitmap.width * bitmap.height)
            bitmap.getPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
            return Frame(bitmap.width, bitmap.height, ByteArray(pixels.size) {
                val p = pixels[it]
                ((299 * (p shr 16 and 0xff) + 587 * (p shr 8 and 0xff) + 114 * (p and 0xff)) / 1000).toByte()
            })
        }
    }
}
