package vn.citizenwallet.app.screens

import android.Manifest
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Handler
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.FrameLayout
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import vn.citizenwallet.app.R
import vn.citizenwallet.app.nav.Names
import vn.citizenwallet.app.nav.Navigator
import vn.citizenwallet.app.nav.Place
import vn.citizenwallet.app.phone.Camera
import vn.citizenwallet.app.phone.CameraSession
import vn.citizenwallet.app.phone.ChosenFile
import vn.citizenwallet.app.phone.Frame
import vn.citizenwallet.app.ui.Ui
import vn.citizenwallet.app.ui.Words
import vn.citizenwallet.core.ActivationView
import vn.citizenwallet.core.ProblemAction
import vn.citizenwallet.core.ProblemView
import vn.citizenwallet.core.WalletException
import vn.citizenwallet.core.qrDecodeLuma
import java.util.concurrent.atomic.AtomicBoolean

/** The camera of one screen: asked for when the screen is seen, given back when it is not. What is in the way is told by the id of a problem. */
internal class CameraUse(
    private val nav: Navigator,
    private val facing: Camera.Facing,
    private val frames: (Frame) -> Unit,
    private val problem: (String) -> Unit,
    private val changed: () -> Unit,
) {
    private var asked = false

    /** The open camera. */
    var session: CameraSession? = null
        private set

    /** Opens the camera; asks for the permission the first time. */
    fun start() {
        val activity = nav.host?.activity ?: return
        val camera = nav.core.phone.camera
        when {
            session != null -> Unit
            !camera.available(activity, facing) -> problem(NO_CAMERA)
            activity.checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED -> {
                session = camera.open(activity, facing, frames) {
                    stop()
                    problem(NO_CAMERA)
                }
                changed()
            }
            asked -> problem("camera-refused")
            else -> {
                asked = true
                nav.host?.ask(Manifest.permission.CAMERA)
            }
        }
    }

    /** The answer to the question for the permission. */
    fun permission(granted: Boolean) = if (granted) start() else problem("camera-refused")

    /** Lets the person be asked once more. */
    fun askAgain() {
        asked = false
    }

    /** Gives the camera back. */
    fun stop() {
        session?.close()
        session = null
    }

    /** The picture, in a frame that keeps its shape; a dark ground while there is none. */
    fun view(ui: Ui, label: String): View = FrameLayout(ui.context).apply {
        setBackgroundColor(android.graphics.Color.BLACK)
        minimumHeight = ui.dp(PICTURE_HEIGHT)
        contentDescription = label
        session?.let { open ->
            (open.view.parent as? ViewGroup)?.removeView(open.view)
            open.view.importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO
            addView(open.view, FrameLayout.LayoutParams(ViewGroup.LayoutParams.MATCH_PARENT, ui.dp(PICTURE_HEIGHT)))
        }
    }

    private companion object {
        const val PICTURE_HEIGHT = 340
    }
}

/** Looks for a QR code until [found] is content with what it says. */
abstract class ScanningScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private val main = Handler(Looper.getMainLooper())
    private val busy = AtomicBoolean(false)
    private val camera = CameraUse(nav, Camera.Facing.BACK, ::look, { tell(it, ::again) }, ::redraw)
    override val awake = true

    /** The catalogue key of what is to be scanned. */
    protected abstract val what: String

    /** A code was seen; throws what the core says of it. */
    protected abstract suspend fun found(text: String)

    override fun shown() {
        val file = takeFile()
        if (file != null) read(file) else if (trouble == null && !working) camera.start()
    }

    override fun hidden() = camera.stop()

    override fun permission(granted: Boolean) = camera.permission(granted)

    override fun content(ui: Ui): List<View> = when (trouble?.id) {
        NO_CAMERA -> listOf(
            ui.body(ui.words("app.scan.no-camera")),
            ui.secondary(ui.words("app.scan.camera-again")) { cameraAgain() },
            ui.secondary(ui.words("app.scan.from-picture")) { choosePicture() },
        )
        CAMERA_REFUSED -> listOf(ui.body(ui.words("app.scan.refused")), ui.secondary(ui.words("app.scan.from-picture")) { choosePicture() })
        else -> listOf(ui.body(ui.words(what)), camera.view(ui, ui.words("app.scan.picture")), ui.small(ui.words("app.scan.how")))
    }

    private fun cameraAgain() {
        settled()
        redraw()
        again()
    }

    /**
     * A picture that the person has takes the camera's place only where there is no camera: whoever stands in front of a code should scan it, and a
     * code that somebody sent from far away should not be as easy to answer.
     */
    private fun choosePicture() {
        if (nav.host?.choose("image/*") == false) tell("unsupported")
    }

    private fun read(file: Uri) {
        settled()
        work(repeat = false) {
            val picture = ChosenFile(core.resolver, file).picture() ?: throw WalletException.Invalid(NOTHING)
            val texts = withContext(Dispatchers.Default) { qrDecodeLuma(picture.width.toUInt(), picture.height.toUInt(), picture.luma) }
            found(texts.firstOrNull() ?: throw WalletException.Invalid(NOTHING))
        }
    }

    /** A frame of the camera, on the camera's thread. The library decodes; frames that come meanwhile are passed over. */
    private fun look(frame: Frame) {
        if (!busy.compareAndSet(false, true)) return
        val texts = try {
            qrDecodeLuma(frame.width.toUInt(), frame.height.toUInt(), frame.luma)
        } catch (_: WalletException) {
            // No code in this frame, or none that can be read: the next frame comes soon.
            emptyList()
        }
        val text = texts.firstOrNull()
        if (text == null) busy.set(false) else main.post { take(text) }
    }

    private fun take(text: String) {
        if (working) return busy.set(false)
        camera.stop()
        work(repeat = false) {
            try {
                found(text)
            } finally {
                busy.set(false)
            }
        }
    }

    private fun again() {
        camera.askAgain()
        camera.start()
    }

    /** The camera waits again: what was seen was of no use, or the person stopped it. */
    override fun stopped() = again()

    override fun act(problem: ProblemView) {
        super.act(problem)
        when {
            problem.id == NO_CAMERA -> nav.back()
            problem.action == ProblemAction.OPEN_APP_SETTINGS -> camera.askAgain()
            trouble == null && !working && nav.top === this -> camera.start()
        }
    }

    override fun scanAgain() = again()

    override fun askAnew() = again()

    private companion object {
        const val CAMERA_REFUSED = "camera-refused"

        /** No code in a picture. */
        const val NOTHING = "scan.nothing"
    }
}

/** The citizen scans a checker's request. */
class ScanScreen(nav: Navigator, place: Place) : ScanningScreen(nav, place) {
    override val what = "app.scan.request"
    override val secure = false

    override fun title(words: Words) = words("app.scan.title")

    override suspend fun found(text: String) {
        val request = core.openWallet().openRequest(text)
        nav.replace(Place(Names.CONSENT, core.session.keep(request)))
    }
}

/** The checker scans the citizen's answer. */
class ScanAnswerScreen(nav: Navigator, place: Place) : ScanningScreen(nav, place) {
    override val needs = Needs.OPEN
    override val what = "app.scan.answer"

    override fun title(words: Words) = words("app.scan.answer-title")

    override suspend fun found(text: String) {
        val name = core.session.asked(place.about)?.boardingName.orEmpty()
        val verifier = core.openVerifier()
        val result = if (name.isEmpty()) verifier.check(text) else verifier.checkWithBoardingName(text, name)
        nav.begin(Place(Names.STAFF), Place(Names.VERDICT, core.session.keep(result)))
    }
}

/** The picture of the face. */
class FaceScreen(nav: Navigator, place: Place) : ActivationStep(nav, place) {
    private var answer: ActivationView? = null
    private val camera = CameraUse(nav, Camera.Facing.FRONT, {}, { tell(it, ::again) }, ::redraw)
    override val awake = true

    override fun title(words: Words) = words("app.face.title")

    override fun shown() {
        if (trouble == null) camera.start()
    }

    override fun hidden() = camera.stop()

    override fun permission(granted: Boolean) = camera.permission(granted)

    override fun content(ui: Ui): List<View> = if (trouble?.id == NO_CAMERA) {
        listOf(ui.body(ui.words("app.face.no-camera")), ui.secondary(ui.words("app.scan.camera-again")) { cameraAgain() })
    } else {
        refused(ui, answer) + listOf(
            ui.body(ui.words("app.face.why")),
            camera.view(ui, ui.words("app.face.picture")),
            ui.beside(ui.icon(R.drawable.icon_person, ui.color(R.color.accent)), ui.small(ui.words("app.face.how"))),
            ui.primary(ui.words("app.face.do")) { take() },
        )
    }

    private fun cameraAgain() {
        settled()
        redraw()
        again()
    }

    private fun take() {
        val session = camera.session ?: return again()
        session.takePicture { picture ->
            if (picture == null) tell(NO_CAMERA, ::again) else work(repeat = false) {
                try {
                    follow(core.openWallet().submitFace(picture))
                } finally {
                    picture.fill(0)
                }
            }
        }
    }

    override fun arrived(view: ActivationView) {
        answer = view
        redraw()
    }

    private fun again() {
        camera.askAgain()
        camera.start()
    }

    override fun act(problem: ProblemView) {
        super.act(problem)
        when {
            // What was done is kept; the overview says which step is next.
            problem.id == NO_CAMERA -> nav.begin(Place(Names.ACTIVATION))
            problem.action == ProblemAction.OPEN_APP_SETTINGS -> camera.askAgain()
            trouble == null && !working && nav.top === this -> camera.start()
        }
    }

    override fun enterAgain() = again()
}

/** The id of the problem, as the core knows it. */
private const val NO_CAMERA = "no-camera"
