package vn.citizenwallet.android

import android.app.Activity
import android.hardware.biometrics.BiometricPrompt
import android.os.Build
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import vn.citizenwallet.core.PortFault
import vn.citizenwallet.phone.Phone
import vn.citizenwallet.phone.TestBiometricPrompt
import java.util.concurrent.atomic.AtomicReference

/** The one act of the user, as each Android asks for it: 8 and 9 by the system's screen, 10 and newer by its prompt. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [26, 29, 34])
class AndroidPromptTest {
    private val phone = Phone()
    private val newer = Build.VERSION.SDK_INT >= 29

    @After
    fun end() = phone.close()

    /** What the user does about the question, once it is there. */
    private fun answer(agree: Boolean): Boolean {
        if (newer) {
            val shown = TestBiometricPrompt.shown.poll() ?: return false
            if (agree) shown.agree() else shown.fail(BiometricPrompt.BIOMETRIC_ERROR_USER_CANCELED)
            return true
        }
        val fragment = credentialFragment() ?: return false
        if (shadowOf(phone.activity.get()).peekNextStartedActivityForResult() == null) return false
        fragment.onActivityResult(REQUEST, if (agree) Activity.RESULT_OK else Activity.RESULT_CANCELED, null)
        return true
    }

    @Suppress("DEPRECATION")
    private fun credentialFragment() = phone.activity.get().fragmentManager.run {
        executePendingTransactions()
        fragments.filterIsInstance<CredentialFragment>().firstOrNull()
    }

    private fun ask(meanwhile: () -> Unit) = phone.worker(meanwhile = meanwhile) { phone.prompt.ask("present.driving-licence") }

    @Test
    fun `the user agrees`() {
        var answered = false
        ask { if (!answered) answered = answer(true) }
        assertTrue(answered)
        assertEquals(listOf("present.driving-licence"), phone.titles)
    }

    @Test
    fun `badInput the user says no`() {
        var answered = false
        assertThrows(PortFault.Cancelled::class.java) { ask { if (!answered) answered = answer(false) } }
    }

    @Test
    fun `badInput no screen lock`() {
        phone.secure = false
        assertThrows(PortFault.NoSecureLock::class.java) { ask {} }
    }

    @Test
    fun `badInput the window goes away while it asks`() {
        var gone = false
        assertThrows(PortFault.Cancelled::class.java) {
            ask {
                val there = if (newer) TestBiometricPrompt.count == 1 else credentialFragment() != null
                if (there && !gone) {
                    gone = true
                    phone.activity.get().finish()
                    phone.activity.pause().stop().destroy()
                }
            }
        }
    }

    @Test
    fun `badInput no window at all`() {
        phone.activity.pause().stop()
        assertThrows(PortFault.Unavailable::class.java) { ask {} }
    }

    @Test
    fun `badInput the phone is turned while it asks`() {
        var turned = false
        var answered = false
        ask {
            val there = if (newer) TestBiometricPrompt.count == 1 else credentialFragment() != null
            if (there && !turned) {
                turned = true
                phone.activity.recreate()
            }
            if (turned && !answered) answered = answer(true)
        }
        assertTrue(answered)
    }

    @Test
    fun `badInput the app takes its question back`() {
        var there = false
        assertThrows(PortFault.Cancelled::class.java) {
            ask {
                if (!there) there = if (newer) TestBiometricPrompt.count == 1 else credentialFragment() != null
                if (there) phone.prompt.dismiss()
            }
        }
    }

    @Test
    fun `badInput a question that waits for its turn is taken back with the one that is shown`() {
        val first = java.util.concurrent.CompletableFuture.supplyAsync { runCatching { phone.prompt.ask("one") } }
        val second = AtomicReference<Thread>()
        assertThrows(PortFault.Cancelled::class.java) {
            phone.worker(meanwhile = {
                // It waits for its turn.
                if (second.get()?.state == Thread.State.TIMED_WAITING) phone.prompt.dismiss()
            }) {
                while (phone.titles.isEmpty()) Thread.sleep(5)
                second.set(Thread.currentThread())
                phone.prompt.ask("two")
            }
        }
        assertTrue(first.get().exceptionOrNull() is PortFault.Cancelled)
        TestBiometricPrompt.shown.clear()
        // What is asked afterwards is another matter.
        var answered = false
        ask { if (!answered && "present.driving-licence" in phone.titles) answered = answer(true) }
        assertEquals(listOf("one", "present.driving-licence"), phone.titles)
    }

    @Test
    @Config(sdk = [34])
    fun `errors of the system's prompt`() {
        val expected = mapOf(
            BiometricPrompt.BIOMETRIC_ERROR_CANCELED to PortFault.Cancelled::class,
            BiometricPrompt.BIOMETRIC_ERROR_TIMEOUT to PortFault.TimedOut::class,
            BiometricPrompt.BIOMETRIC_ERROR_LOCKOUT to PortFault.Unavailable::class,
            BiometricPrompt.BIOMETRIC_ERROR_HW_UNAVAILABLE to PortFault.Unavailable::class,
            BiometricPrompt.BIOMETRIC_ERROR_NO_DEVICE_CREDENTIAL to PortFault.NoSecureLock::class,
        )
        for ((code, fault) in expected) {
            TestBiometricPrompt.onShow = { it.fail(code) }
            assertThrows(fault.java) { ask {} }
        }
    }

    @Test
    fun `two questions come one after the other`() {
        val first = java.util.concurrent.CompletableFuture.supplyAsync { runCatching { phone.prompt.ask("one") } }
        var answers = 0
        phone.worker(meanwhile = {
            if (first.isDone || phone.titles.isNotEmpty()) if (answers < 2 && answer(true)) answers += 1
        }) {
            while (phone.titles.isEmpty()) Thread.sleep(5)
            phone.prompt.ask("two")
        }
        assertTrue(first.get().isSuccess)
        assertEquals(listOf("one", "two"), phone.titles)
    }

    private companion object {
        const val REQUEST = 0x0c17
    }
}
