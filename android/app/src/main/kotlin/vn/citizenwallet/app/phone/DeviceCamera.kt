package vn.citizenwallet.app.phone

import android.annotation.SuppressLint
import android.app.Activity
import android.content.Context
import android.content.pm.PackageManager
import android.graphics.ImageFormat
import android.graphics.Matrix
import android.graphics.RectF
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.media.Image
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import android.util.Size
import android.view.Surface
import android.view.TextureView
import android.view.View

/** The phone's cameras by Camera2. */
class DeviceCamera(context: Context) : Camera {
    private val manager = context.getSystemService(Context.CAMERA_SERVICE) as CameraManager
    private val packages = context.packageManager

    override fun available(activity: Activity, facing: Camera.Facing): Boolean = packages.hasSystemFeature(PackageManager.FEATURE_CAMERA_ANY) && find(facing) != null

    override fun open(activity: Activity, facing: Camera.Facing, frames: (Frame) -> Unit, failed: () -> Unit): CameraSession =
        DeviceCameraSession(activity, manager, find(facing), facing, frames, failed)

    private fun find(facing: Camera.Facing): String? = try {
        val wanted = if (facing == Camera.Facing.FRONT) CameraCharacteristics.LENS_FACING_FRONT else CameraCharacteristics.LENS_FACING_BACK
        manager.cameraIdList.firstOrNull { manager.getCameraCharacteristics(it).get(CameraCharacteristics.LENS_FACING) == wanted }
            ?: manager.cameraIdList.firstOrNull()
    } catch (_: CameraAccessException) {
        null
    }
}

/**
 * One use of a camera: the picture in a [TextureView], its luminance to [frames], one JPEG on demand. All calls of the system come on a thread of
 * its own; [failed] is told on the main thread, at most once, and never after [close].
 */
private class DeviceCameraSession(
    activity: Activity,
    private val manager: CameraManager,
    private val id: String?,
    private val facing: Camera.Facing,
    private val frames: (Frame) -> Unit,
    private val failed: () -> Unit,
) : CameraSession, TextureView.SurfaceTextureListener {
    private val texture = TextureView(activity)
    override val view: View get() = texture

    private val main = Handler(Looper.getMainLooper())
    private val thread = HandlerThread("camera").apply { start() }
    private val handler = Handler(thread.looper)
    @Volatile private var closed = false
    private var device: CameraDevice? = null
    private var session: CameraCaptureSession? = null
    private var luma: ImageReader? = null
    private var still: ImageReader? = null
    private var surface: Surface? = null

    @Suppress("DEPRECATION") // The display of the window; its successor needs Android 11.
    private val rotation = activity.windowManager.defaultDisplay.rotation
    private val characteristics = id?.let { runCatching { manager.getCameraCharacteristics(it) }.getOrNull() }

    init {
        texture.surfaceTextureListener = this
        if (texture.isAvailable) texture.surfaceTexture?.let { onSurfaceTextureAvailable(it, texture.width, texture.height) }
    }

    @SuppressLint("MissingPermission") // Whoever opens a camera has asked for it.
    override fun onSurfaceTextureAvailable(picture: SurfaceTexture, width: Int, height: Int) {
        if (closed) return
        val camera = id ?: return fail()
        try {
            manager.openCamera(camera, object : CameraDevice.StateCallback() {
                override fun onOpened(opened: CameraDevice) = start(opened, picture)
                override fun onDisconnected(lost: CameraDevice) = fail()
                override fun onError(broken: CameraDevice, error: Int) = fail()
            }, handler)
        } catch (_: CameraAccessException) {
            fail()
        } catch (_: SecurityException) {
            // The permission was taken away meanwhile.
            fail()
        } catch (_: IllegalArgumentException) {
            fail()
        }
        fit(width, height)
    }

    private fun start(opened: CameraDevice, picture: SurfaceTexture) {
        if (closed) return opened.close()
        device = opened
        try {
            val size = sizeNear(ImageFormat.YUV_420_888, LUMA_WIDTH)
            picture.setDefaultBufferSize(size.width, size.height)
            val shown = Surface(picture).also { surface = it }
            val luma = ImageReader.newInstance(size.width, size.height, ImageFormat.YUV_420_888, 2).also { luma = it }
            luma.setOnImageAvailableListener({ reader -> reader.acquireLatestImage()?.use { frames(luminance(it)) } }, handler)
            val large = sizeNear(ImageFormat.JPEG, STILL_WIDTH)
            val still = ImageReader.newInstance(large.width, large.height, ImageFormat.JPEG, 1).also { still = it }
            @Suppress("DEPRECATION") // Its successor needs Android 9.
            opened.createCaptureSession(listOf(shown, luma.surface, still.surface), object : CameraCaptureSession.StateCallback() {
                override fun onConfigured(ready: CameraCaptureSession) = watch(opened, ready, shown, luma.surface)
                override fun onConfigureFailed(refused: CameraCaptureSession) = fail()
            }, handler)
        } catch (_: CameraAccessException) {
            fail()
        } catch (_: IllegalStateException) {
            fail()
        }
    }

    private fun watch(opened: CameraDevice, ready: CameraCaptureSession, vararg targets: Surface) {
        session = ready
        try {
            val request = opened.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW).apply {
                targets.forEach(::addTarget)
                set(CaptureRequest.CONTROL_AF_MODE, CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
            }
            ready.setRepeatingRequest(request.build(), null, handler)
        } catch (_: CameraAccessException) {
            fail()
        } catch (_: IllegalStateException) {
            // Closed meanwhile.
            fail()
        }
    }

    override fun takePicture(taken: (ByteArray?) -> Unit) {
        val told = { picture: ByteArray? -> main.post { if (!closed) taken(picture) }; Unit }
        val (opened, ready, reader) = Triple(device ?: return told(null), session ?: return told(null), still ?: return told(null))
        reader.setOnImageAvailableListener({ from ->
            val bytes = from.acquireLatestImage()?.use { image -> image.planes[0].buffer.let { ByteArray(it.remaining()).also(it::get) } }
            told(bytes)
        }, handler)
        try {
            val request = opened.createCaptureRequest(CameraDevice.TEMPLATE_STILL_CAPTURE).apply {
                addTarget(reader.surface)
                set(CaptureRequest.JPEG_ORIENTATION, upright())
            }
            ready.capture(request.build(), null, handler)
        } catch (_: CameraAccessException) {
            told(null)
        } catch (_: IllegalStateException) {
            told(null)
        }
    }

    /** By how many degrees a picture is turned to stand upright (as Android's documentation of JPEG_ORIENTATION computes it). */
    private fun upright(): Int {
        val sensor = characteristics?.get(CameraCharacteristics.SENSOR_ORIENTATION) ?: 0
        val turned = rotation * QUARTER
        return if (facing == Camera.Facing.FRONT) (sensor + turned) % FULL else (sensor - turned + FULL) % FULL
    }

    /** Keeps the shape of the picture: it fills the view, what does not fit is cut at the sides. */
    private fun fit(width: Int, height: Int) {
        if (width == 0 || height == 0 || characteristics == null) return
        val size = sizeNear(ImageFormat.YUV_420_888, LUMA_WIDTH)
        val view = RectF(0f, 0f, width.toFloat(), height.toFloat())
        val matrix = Matrix()
        val sideways = rotation == Surface.ROTATION_90 || rotation == Surface.ROTATION_270
        val (wide, high) = if (sideways) size.width.toFloat() to size.height.toFloat() else size.height.toFloat() to size.width.toFloat()
        val scale = maxOf(width / wide, height / high)
        matrix.setScale(wide * scale / width, high * scale / height, view.centerX(), view.centerY())
        if (sideways) matrix.postRotate((if (rotation == Surface.ROTATION_90) -QUARTER else QUARTER).toFloat(), view.centerX(), view.centerY())
        texture.setTransform(matrix)
    }

    private fun sizeNear(format: Int, width: Int): Size {
        val sizes = characteristics?.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP)?.getOutputSizes(format).orEmpty()
        return sizes.minByOrNull { kotlin.math.abs(it.width - width) } ?: Size(width, width * 3 / 4)
    }

    override fun onSurfaceTextureSizeChanged(picture: SurfaceTexture, width: Int, height: Int) = fit(width, height)

    override fun onSurfaceTextureDestroyed(picture: SurfaceTexture): Boolean = true

    override fun onSurfaceTextureUpdated(picture: SurfaceTexture) = Unit

    private fun fail() {
        main.post {
            if (!closed) {
                close()
                failed()
            }
        }
    }

    override fun close() {
        if (closed) return
        closed = true
        handler.post {
            runCatching { session?.close() }
            device?.close()
            luma?.close()
            still?.close()
            surface?.release()
            thread.quitSafely()
        }
    }

    private companion object {
        const val LUMA_WIDTH = 1280
        const val STILL_WIDTH = 1600
        const val QUARTER = 90
        const val FULL = 360

        /** The luminance plane without the padding of its rows. */
        fun luminance(image: Image): Frame {
            val plane = image.planes[0]
            val (width, height, stride) = Triple(image.width, image.height, plane.rowStride)
            val out = ByteArray(width * height)
            for (row in 0 until height) {
                plane.buffer.position(row * stride)
                plane.buffer.get(out, row * width, width)
            }
            return Frame(width, height, out)
        }
    }
}
