package vn.citizenwallet.android

import android.os.Build
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.StrongBoxUnavailableException
import android.security.keystore.UserNotAuthenticatedException
import vn.citizenwallet.core.PortFault
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.ProviderException
import java.security.UnrecoverableKeyException

/** The phone's key store and what its exceptions mean. */
internal object Keystore {
    const val PROVIDER = "AndroidKeyStore"

    fun open(): KeyStore = KeyStore.getInstance(PROVIDER).apply { load(null) }

    /** Does [work]; what the framework throws becomes a fault. Nothing of an exception's text goes further. */
    inline fun <T> guarded(work: () -> T): T = try {
        work()
    } catch (fault: PortFault) {
        throw fault
    } catch (error: GeneralSecurityException) {
        throw fault(error)
    } catch (error: ProviderException) {
        throw fault(error)
    } catch (error: IllegalStateException) {
        // Keys that need a screen lock, on a phone without one.
        throw fault(error)
    }

    fun fault(error: Throwable): PortFault {
        val causes = generateSequence(error) { it.cause }.take(5).toList()
        return when {
            causes.any { it is KeyPermanentlyInvalidatedException || it is UnrecoverableKeyException } -> PortFault.KeyInvalidated()
            causes.any { it is UserNotAuthenticatedException } -> PortFault.NotAuthorised()
            else -> PortFault.Unavailable()
        }
    }

    /**
     * Makes a key by [generate] in the phone's separate security chip when [separate] and when there is one that can, else in its trusted
     * environment.
     */
    fun <T> inStrongBox(separate: Boolean, generate: (Boolean) -> T): T {
        if (separate && Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) {
            try {
                return generate(true)
            } catch (error: ProviderException) {
                if (generateSequence<Throwable>(error) { it.cause }.none { it is StrongBoxUnavailableException }) throw error
            }
        }
        return generate(false)
    }

    /**
     * The key may be used for [seconds] after the user proved to be there, by a strong biometric or by the screen lock; 0: for the one operation
     * that the proof is given for (Android 11 and newer).
     */
    fun KeyGenParameterSpec.Builder.boundToUser(seconds: Int): KeyGenParameterSpec.Builder {
        setUserAuthenticationRequired(true)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            setUserAuthenticationParameters(seconds, KeyProperties.AUTH_BIOMETRIC_STRONG or KeyProperties.AUTH_DEVICE_CREDENTIAL)
        } else {
            @Suppress("DEPRECATION")
            setUserAuthenticationValidityDurationSeconds(seconds)
        }
        return this
    }

    fun KeyGenParameterSpec.Builder.strongBox(separate: Boolean): KeyGenParameterSpec.Builder {
        if (separate && Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) setIsStrongBoxBacked(true)
        return this
    }
}
