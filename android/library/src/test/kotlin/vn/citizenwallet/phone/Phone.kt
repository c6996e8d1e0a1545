package vn.citizenwallet.phone

import android.app.Activity
import android.app.Application
import android.app.KeyguardManager
import android.content.Context
import android.os.Looper
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadows.ShadowSystemClock
import vn.citizenwallet.android.Prompt
import vn.citizenwallet.android.Windows
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import kotlin.concurrent.thread

/** A phone under Robolectric: one activity, prompts, a key store, clocks that go. To be closed. */
class Phone(secure: Boolean = true) : AutoCloseable {
    val application: Application = RuntimeEnvironment.getApplication()
    val windows = Windows(application)

    /** What prompts said. */
    val titles = ArrayList<String>()
    val prompt = Prompt(application, windows) { reason -> reason.also { titles.add(it) } }
    val activity: ActivityController<Activity> = Robolectric.buildActivity(Activity::class.java).setup()

    // Robolectric's clock stands still unless somebody moves it.
    private val clock = thread(isDaemon = true, name = "test clock") {
        var last = System.nanoTime()
        while (!Thread.currentThread().isInterrupted) {
            try {
                Thread.sleep(2)
            } catch (_: InterruptedException) {
                return@thread
            }
            val now = System.nanoTime()
            val millis = (now - last) / 1_000_000
            if (millis > 0) ShadowSystemClock.advanceBy(Duration.ofMillis(millis))
            last += millis * 1_000_000
        }
    }

    /** Whether there is a screen lock. */
    var secure: Boolean = true
        set(value) {
            field = value
            shadowOf(application.getSystemService(Context.KEYGUARD_SERVICE) as KeyguardManager).setIsDeviceSecure(value)
        }

    init {
        TestKeystore.install()
        TestBiometricPrompt.reset()
        this.secure = secure
    }

    /** Does [work] on a worker thread, as the core does, while the main thread goes on; gives its result or throws what it threw. */
    fun <T> worker(seconds: Long = 60, meanwhile: () -> Unit = {}, work: () -> T): T {
        val result = CompletableFuture<Result<T>>()
        thread(name = "test worker") { result.complete(runCatching(work)) }
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds)
        while (System.nanoTime() < end) {
            shadowOf(Looper.getMainLooper()).idle()
            meanwhile()
            try {
                return result.get(5, TimeUnit.MILLISECONDS).getOrThrow()
            } catch (_: TimeoutException) {
                continue
            }
        }
        throw AssertionError("the worker did not come back")
    }

    override fun close() {
        if (!activity.get().isDestroyed) activity.close()
        clock.interrupt()
        clock.join()
        TestKeystore.remove()
    }
}
