package vn.citizenwallet.android

import android.annotation.TargetApi
import android.app.Activity
import android.app.Application
import android.app.KeyguardManager
import android.content.Context
import android.hardware.biometrics.BiometricManager.Authenticators
import android.hardware.biometrics.BiometricPrompt
import android.os.Build
import android.os.CancellationSignal
import android.os.Handler
import android.os.Looper
import android.os.SystemClock
import vn.citizenwallet.core.PortFault
import java.security.Signature
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executor
import java.util.concurrent.Semaphore
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference

/**
 * One act of the user: finger, face or the screen lock's code, asked by the system over the resumed activity.
 *
 * Android 11 and newer ask for a strong biometric or the code; Android 10 the same by its older call; Android 8 to 9 show the system's own screen
 * for the screen lock (which takes a finger, too). [title] says to the user what is asked for, given the reason: a key of the catalogue.
 */
class Prompt(application: Application, private val windows: Windows, private val title: (reason: String) -> CharSequence) : Windows.Watcher {
    private val keyguard = application.getSystemService(Context.KEYGUARD_SERVICE) as KeyguardManager
    private val main = Handler(Looper.getMainLooper())

    /** One prompt at a time, whoever asks. */
    private val turn = Semaphore(1, true)
    private val shown = AtomicReference<Asked?>()

    /** How often questions were taken back: whoever began to ask before may ask no more, though its turn comes later. */
    private val takenBack = AtomicInteger()

    init {
        windows.watch(this)
    }

    /** Whether the phone has a secure screen lock, without which nobody can be asked. */
    val isDeviceSecure: Boolean get() = keyguard.isDeviceSecure

    /**
     * Asks and waits for the answer, at most two minutes; to be called on a worker thread. Returns when the user agreed, throws a [PortFault] for
     * everything else. With a [signature] (Android 11 and newer) the act is for that one signature.
     */
    fun ask(reason: String, signature: Signature? = null) {
        check(Looper.myLooper() != Looper.getMainLooper()) { "a prompt is waited for on a worker thread" }
        val begun = takenBack.get()
        if (!isDeviceSecure) throw PortFault.NoSecureLock()
        val end = SystemClock.elapsedRealtime() + LONGEST_MILLIS
        if (!turn.tryAcquire(LONGEST_MILLIS, TimeUnit.MILLISECONDS)) throw PortFault.TimedOut()
        try {
            val activity = windows.resumed(WINDOW_MILLIS) ?: throw PortFault.Unavailable()
            val asked = Asked(activity)
            shown.set(asked)
            // Taken back while it waited for its turn or for a window: after this line `dismiss` finds it.
            if (takenBack.get() != begun) asked.end(PortFault.Cancelled())
            main.post { show(asked, reason, signature) }
            asked.await(end - SystemClock.elapsedRealtime())
        } finally {
            shown.set(null)
            turn.release()
        }
    }

    /**
     * Takes back what is being asked, as when the app cancels what it asked for: the prompt goes from the screen, and whoever waits for it or for its
     * turn gets [PortFault.Cancelled]. What is asked later is not touched.
     */
    fun dismiss() {
        takenBack.incrementAndGet()
        shown.get()?.end(PortFault.Cancelled())
    }

    override fun onGone(activity: Activity) {
        shown.get()?.let { if (it.activity === activity) it.end(PortFault.Cancelled()) }
    }

    private fun show(asked: Asked, reason: String, signature: Signature?) {
        if (asked.isOver) return
        try {
            val text = title(reason)
            when {
                Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q -> showSystemPrompt(asked, text, signature)
                else -> CredentialFragment.show(asked, keyguard.createConfirmDeviceCredentialIntent(text, null))
            }
        } catch (_: RuntimeException) {
            // No such hardware, or an activity that ends at this moment.
            asked.end(PortFault.Unavailable())
        }
    }

    @TargetApi(Build.VERSION_CODES.Q)
    private fun showSystemPrompt(asked: Asked, text: CharSequence, signature: Signature?) {
        val builder = BiometricPrompt.Builder(asked.activity).setTitle(text)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            builder.setAllowedAuthenticators(Authenticators.BIOMETRIC_STRONG or Authenticators.DEVICE_CREDENTIAL)
        } else {
            @Suppress("DEPRECATION")
            builder.setDeviceCredentialAllowed(true)
        }
        val callback = object : BiometricPrompt.AuthenticationCallback() {
            override fun onAuthenticationSucceeded(result: BiometricPrompt.AuthenticationResult?) = asked.end(null)

            override fun onAuthenticationError(errorCode: Int, errString: CharSequence?) = asked.end(fault(errorCode))
        }
        val direct = Executor { it.run() }
        val prompt = builder.build()
        if (signature == null) {
            prompt.authenticate(asked.cancellation, direct, callback)
        } else {
            prompt.authenticate(BiometricPrompt.CryptoObject(signature), asked.cancellation, direct, callback)
        }
    }

    @TargetApi(Build.VERSION_CODES.P)
    private fun fault(error: Int): PortFault = when (error) {
        BiometricPrompt.BIOMETRIC_ERROR_USER_CANCELED, BiometricPrompt.BIOMETRIC_ERROR_CANCELED -> PortFault.Cancelled()
        BiometricPrompt.BIOMETRIC_ERROR_TIMEOUT -> PortFault.TimedOut()
        BiometricPrompt.BIOMETRIC_ERROR_NO_DEVICE_CREDENTIAL -> PortFault.NoSecureLock()
        else -> PortFault.Unavailable()
    }

    /** A prompt that is shown, and who waits for it. Only its first end counts. */
    internal class Asked(val activity: Activity) {
        val cancellation = CancellationSignal()
        private val over = CountDownLatch(1)
        private val outcome = AtomicReference<PortFault?>(NOT_YET)

        val isOver: Boolean get() = outcome.get() !== NOT_YET

        /** null: the user agreed. */
        fun end(fault: PortFault?) {
            if (!outcome.compareAndSet(NOT_YET, fault)) return
            over.countDown()
            // Takes away what may still be shown; after its own answer this does nothing.
            if (fault != null) Handler(Looper.getMainLooper()).post { cancellation.cancel() }
        }

        fun await(millis: Long) {
            try {
                if (!over.await(millis, TimeUnit.MILLISECONDS)) end(PortFault.TimedOut())
            } catch (_: InterruptedException) {
                end(PortFault.Cancelled())
            }
            outcome.get()?.let { throw it }
        }

        private companion object {
            val NOT_YET = PortFault.Unavailable()
        }
    }

    companion object {
        /** The reason when nothing but the user's presence is asked for. */
        const val PRESENCE = "app.prompt.other"

        /** As long as the core waits for a prompt. */
        private const val LONGEST_MILLIS = 120_000L

        /** An activity that is being turned is back by then. */
        private const val WINDOW_MILLIS = 3_000L
    }
}
