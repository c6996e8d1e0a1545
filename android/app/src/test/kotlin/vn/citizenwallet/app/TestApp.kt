package vn.citizenwallet.app

import android.app.Activity
import android.view.View
import vn.citizenwallet.android.Hardware
import vn.citizenwallet.android.Service
import vn.citizenwallet.app.phone.Camera
import vn.citizenwallet.app.phone.CameraSession
import vn.citizenwallet.app.phone.CardReader
import vn.citizenwallet.app.phone.Frame
import vn.citizenwallet.app.phone.Phone
import vn.citizenwallet.core.CardChannelPort
import vn.citizenwallet.testing.Central
import vn.citizenwallet.testing.SocketCard
import vn.citizenwallet.testing.SoftwareHardware
import kotlinx.coroutines.CompletableDeferred
import org.robolectric.Shadows.shadowOf
import java.io.File
import java.nio.file.Files
import java.security.Security
import kotlin.concurrent.thread

/** The app as it is built for tests: ports in software, a service on the loopback interface, a card behind a socket, a camera that is fed. */
class TestApp : WalletApp() {
    override fun onCreate() {
        // What a phone gives at installation without asking.
        shadowOf(this).grantPermissions("android.permission.HIDE_OVERLAY_WINDOWS")
        // Robolectric puts providers in front with which the JDK's own elliptic curves do not work.
        Security.getProvider("SunEC")?.let {
            Security.removeProvider("SunEC")
            Security.insertProviderAt(it, 1)
        }
        super.onCreate()
    }

    override fun service(): Service? = World.service
    override fun hardware(): Hardware = World.hardware
    override fun phone(): Phone = World.phone

    /** As after the end of the process: nothing in memory, everything on the disk. [name] keeps the settings of a second phone apart. */
    fun newProcess(name: String = ""): AppCore {
        window = null
        left = null
        return makeCore(name).also { core = it }
    }

    /** The next window is one of that phone's. */
    fun take(phone: AppCore) {
        window = null
        core = phone
    }
}

/** What the app under test stands on; one for each test class. */
object World {
    /** The phone's keys and seals: kept over processes. */
    var hardware: Hardware = SoftwareHardware()

    /** The phone's reader and cameras. */
    var phone: TestPhone = TestPhone()

    /** The service; null for a build without one. */
    var service: Service? = null

    private var directory: File? = null
    private var running: Central? = null

    /** The central service, started when it is first wanted. */
    val central: Central
        get() = running ?: Central(File(folder, "central")).also {
            it.start()
            running = it
            service = Service(it.url, it.tlsRoot, it.trustRoot, 1uL)
        }

    /** A folder for what a test needs. */
    val folder: File get() = directory ?: Files.createTempDirectory("citizen-wallet-app-").toFile().also { directory = it }

    /** Ends everything and removes it. */
    fun end() {
        running?.close()
        running = null
        service = null
        directory?.deleteRecursively()
        directory = null
        hardware = SoftwareHardware()
        phone = TestPhone()
    }
}

/** A phone whose card and camera a test holds in its hands. */
class TestPhone : Phone {
    override val camera = TestCamera()

    /** What the antenna says of itself. */
    var nfc = CardReader.State.READY

    /** Whether some screen listens for cards. */
    var listening = false

    private var held = CompletableDeferred<CardChannelPort>()

    /** Holds a card to the phone. */
    fun hold(card: CardChannelPort) {
        held.complete(card)
    }

    override fun cardReader(): CardReader = object : CardReader {
        override fun state(activity: Activity) = nfc
        override fun start(activity: Activity) {
            listening = true
        }
        override fun stop(activity: Activity) {
            listening = false
        }
        override suspend fun card(): CardChannelPort = held.await().also { held = CompletableDeferred() }
    }
}

/** A camera that sees what a test shows it. */
class TestCamera : Camera {
    /** Whether the phone has one. */
    var present = true

    /** What it sees; fed to whoever opened it. */
    @Volatile
    var frame: Frame? = null

    /** The picture it takes. */
    var picture: ByteArray? = null

    /** Whether it is open. */
    @Volatile
    var open = false

    private var failed: (() -> Unit)? = null

    /** Another app takes the camera. */
    fun fail() = failed?.invoke()

    override fun available(activity: Activity, facing: Camera.Facing) = present

    override fun open(activity: Activity, facing: Camera.Facing, frames: (Frame) -> Unit, failed: () -> Unit): CameraSession {
        this.failed = failed
        open = true
        var closed = false
        val feeding = thread(isDaemon = true, name = "test camera") {
            while (!closed) {
                frame?.let(frames)
                Thread.sleep(30)
            }
        }
        return object : CameraSession {
            override val view = View(activity)
            override fun takePicture(taken: (ByteArray?) -> Unit) = taken(picture?.copyOf())
            override fun close() {
                closed = true
                open = false
                feeding.join(2_000)
            }
        }
    }
}

/** The same card, put on the antenna again and again. */
fun socketCard(address: String, loseAfter: Int? = null): CardChannelPort = SocketCard(address, loseAfter)
