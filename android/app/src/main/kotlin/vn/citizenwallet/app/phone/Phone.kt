package vn.citizenwallet.app.phone

import android.app.Activity
import android.view.View
import vn.citizenwallet.core.CardChannelPort

/**
 * The parts of the phone that only screens use; keys, sealing and clocks are the library's. [AndroidPhone] is the only one of the app; the tests'
 * own Application class gives another, and nothing in the app can reach that one.
 */
interface Phone {
    /** A reader for one reading of a card. */
    fun cardReader(): CardReader

    /** The cameras. */
    val camera: Camera
}

/** The antenna, for one reading of a card. */
interface CardReader {
    /** What can be said before any card is held. */
    enum class State { READY, OFF, NONE }

    /** Whether cards can be read now. */
    fun state(activity: Activity): State

    /** Listens for cards while [activity] is resumed. */
    fun start(activity: Activity)

    /** Listens no more. */
    fun stop(activity: Activity)

    /** Waits until a card is held, and gives the channel to it; the channel finds a card that is held again by itself. */
    suspend fun card(): CardChannelPort
}

/** A picture of the camera: luminance, one byte a pixel, row by row. */
class Frame(val width: Int, val height: Int, val luma: ByteArray)

/** The cameras of the phone. */
interface Camera {
    /** Which way a camera looks. */
    enum class Facing { BACK, FRONT }

    /** Whether there is such a camera. */
    fun available(activity: Activity, facing: Facing): Boolean

    /**
     * Opens a camera and shows its picture in [CameraSession.view]. The permission must have been given. [frames] gets pictures on a thread of the
     * camera, one at a time; [failed] is told on the main thread when the camera is taken away or broken.
     */
    fun open(activity: Activity, facing: Facing, frames: (Frame) -> Unit, failed: () -> Unit): CameraSession
}

/** An open camera. */
interface CameraSession {
    /** Where its picture is seen. */
    val view: View

    /** Takes one picture and gives its file (JPEG or PNG) on the main thread; null when it could not be taken. */
    fun takePicture(taken: (ByteArray?) -> Unit)

    /** Gives the camera back. Can be called twice. */
    fun close()
}
