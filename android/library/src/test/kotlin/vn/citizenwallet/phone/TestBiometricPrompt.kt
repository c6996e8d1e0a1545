package vn.citizenwallet.phone

import android.hardware.biometrics.BiometricPrompt
import android.os.CancellationSignal
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import java.util.concurrent.Executor
import java.util.concurrent.LinkedBlockingQueue

/** The system's prompt, which Robolectric has no shadow for: it answers as a test says, or waits until it is cancelled. */
@Implements(value = BiometricPrompt::class, minSdk = 28)
class TestBiometricPrompt {
    /** A prompt that is on the screen. */
    class Shown(val crypto: BiometricPrompt.CryptoObject?, val callback: BiometricPrompt.AuthenticationCallback) {
        /** Whether the app took it from the screen. */
        @Volatile var taken = false

        /** The user agrees. */
        fun agree() {
            TestKeystore.proven(forOperation = crypto != null)
            callback.onAuthenticationSucceeded(null)
        }

        /** The prompt ends with an error of the framework. */
        fun fail(code: Int) = callback.onAuthenticationError(code, "")
    }

    @Implementation
    fun authenticate(crypto: BiometricPrompt.CryptoObject, cancel: CancellationSignal, executor: Executor, callback: BiometricPrompt.AuthenticationCallback) =
        show(crypto, cancel, executor, callback)

    @Implementation
    fun authenticate(cancel: CancellationSignal, executor: Executor, callback: BiometricPrompt.AuthenticationCallback) = show(null, cancel, executor, callback)

    private fun show(crypto: BiometricPrompt.CryptoObject?, cancel: CancellationSignal, executor: Executor, callback: BiometricPrompt.AuthenticationCallback) {
        val one = Shown(crypto, callback)
        cancel.setOnCancelListener {
            one.taken = true
            executor.execute { callback.onAuthenticationError(BiometricPrompt.BIOMETRIC_ERROR_CANCELED, "") }
        }
        count += 1
        val answer = onShow
        if (answer == null) shown.add(one) else executor.execute { answer(one) }
    }

    companion object {
        /** What happens at once when a prompt comes; without it prompts wait in [shown]. */
        @Volatile var onShow: ((Shown) -> Unit)? = null

        /** Prompts that nobody answered. */
        val shown = LinkedBlockingQueue<Shown>()

        /** How many prompts there were. */
        @Volatile var count = 0

        fun reset() {
            onShow = null
            shown.clear()
            count = 0
        }
    }
}
