package vn.citizenwallet.android

import android.app.Activity
import android.content.Intent
import android.content.pm.ApplicationInfo
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowLog
import org.robolectric.shadows.ShadowSystemClock
import vn.citizenwallet.core.ProblemAction
import vn.citizenwallet.core.WalletException
import vn.citizenwallet.core.WalletState
import vn.citizenwallet.core.explain
import vn.citizenwallet.phone.Phone
import vn.citizenwallet.phone.TestBiometricPrompt
import vn.citizenwallet.phone.TestKeystore
import vn.citizenwallet.testing.Central
import vn.citizenwallet.testing.SoftwareHardware
import vn.citizenwallet.testing.Town
import java.io.File
import java.nio.file.Files
import java.time.Duration

/** The one owner: windows share it, it locks itself, it starts over. */
@RunWith(RobolectricTestRunner::class)
class CitizenWalletTest {
    private val directory = Files.createTempDirectory("citizen-wallet-owner-").toFile()
    private val phone = Phone()
    private val central = Central(File(directory, "central"))
    private val service = Service(central.url, central.tlsRoot, central.trustRoot, 1uL)
    private val owner = CitizenWallet.start(phone.application, service, SoftwareHardware()) { it }

    @After
    fun end() {
        phone.worker { runBlocking { owner.shutDown() } }
        phone.close()
        directory.deleteRecursively()
    }

    private fun unlocked() = phone.worker {
        runBlocking { owner.wallet().also { if (it.state() == WalletState.NEW) it.create(Town.PASSCODE) else it.unlock(Town.PASSCODE) } }
    }

    @Test
    fun `badInput a second window shares the wallet of the first`() {
        val wallet = unlocked()
        val second = Robolectric.buildActivity(Activity::class.java).setup()
        assertSame(wallet, phone.worker { runBlocking { CitizenWallet.get().wallet() } })
        phone.activity.recreate()
        assertSame(wallet, phone.worker { runBlocking { CitizenWallet.get().wallet() } })
        phone.worker { runBlocking { owner.verifier().cache() } }
        second.pause().stop().destroy()
        assertEquals("one window is still there", WalletState.UNLOCKED, wallet.state())
    }

    @Test
    fun `badInput the screen is locked`() {
        val wallet = unlocked()
        phone.application.sendBroadcast(Intent(Intent.ACTION_SCREEN_OFF))
        shadowOf(phone.application.mainLooper).idle()
        assertEquals(WalletState.LOCKED, wallet.state())
    }

    @Test
    fun `badInput into the background and back`() {
        val wallet = unlocked()
        phone.activity.pause().stop()
        shadowOf(phone.application.mainLooper).idleFor(Duration.ofMillis(CitizenWallet.LOCK_AFTER_MILLIS / 2))
        phone.activity.restart().start().resume()
        assertEquals("not for a short look at something else", WalletState.UNLOCKED, wallet.state())
        phone.activity.pause().stop()
        shadowOf(phone.application.mainLooper).idleFor(Duration.ofMillis(CitizenWallet.LOCK_AFTER_MILLIS + 1_000))
        assertEquals(WalletState.LOCKED, wallet.state())
        unlocked()
        phone.activity.restart().start().resume()
        phone.activity.pause().stop()
        // The phone slept: nothing ran meanwhile, but the time passed.
        ShadowSystemClock.advanceBy(Duration.ofMillis(CitizenWallet.LOCK_AFTER_MILLIS + 1_000))
        phone.activity.restart().start()
        assertEquals(WalletState.LOCKED, wallet.state())
    }

    @Test
    fun `badInput stopping takes the prompt from the screen, loses nothing, and the next try works`() {
        // On the phone's own adapters: nobody proved to be there yet, so that the phone asks before it seals.
        val owner = CitizenWallet.start(phone.application, service) { it }
        // The window comes to the front after the process began, as it always does.
        phone.activity.pause().resume()
        val wallet = phone.worker { runBlocking { owner.wallet() } }
        val creating = owner.scope.launch { owner.asking { wallet.create(Town.PASSCODE) } }
        phone.worker { while (TestBiometricPrompt.shown.isEmpty()) Thread.sleep(5) }
        val shown = TestBiometricPrompt.shown.poll()!!
        creating.cancel()
        phone.worker { runBlocking { creating.join() } }
        shadowOf(phone.application.mainLooper).idle()
        assertTrue("it is off the screen", shown.taken)
        assertEquals(WalletState.NEW, wallet.state())
        TestBiometricPrompt.onShow = { it.agree() }
        phone.worker { runBlocking { owner.asking { wallet.create(Town.PASSCODE) } } }
        assertEquals(WalletState.UNLOCKED, wallet.state())
        phone.worker { runBlocking { owner.startOver() } }
        assertEquals("no key of it is left", emptySet<String>(), TestKeystore.specs.keys)
        phone.worker { runBlocking { owner.shutDown() } }
    }

    @Test
    fun `badInput a damaged wallet is removed and a new one made`() {
        for (damage in listOf("wallet.db", "wallet.keys")) {
            unlocked()
            phone.worker { runBlocking { owner.shutDown() } }
            val files = File(phone.application.noBackupFilesDir, "wallet").walk().filter { it.isFile }.toList()
            files.first { it.name == damage }.writeBytes(ByteArray(8_192) { 7 })
            val error = phone.worker { runCatching { runBlocking { owner.wallet().unlock(Town.PASSCODE) } } }.exceptionOrNull()
            assertTrue("$damage: $error", error is WalletException.Storage)
            assertEquals(ProblemAction.REMOVE_STORE, explain(error as WalletException).action)
            phone.worker { runBlocking { owner.startOver() } }
            unlocked()
        }
    }

    @Test
    fun `what the app said of the log holds when the wallet is opened`() {
        phone.application.applicationInfo.flags = phone.application.applicationInfo.flags or ApplicationInfo.FLAG_DEBUGGABLE
        owner.trace("off")
        unlocked()
        assertEquals(emptyList<Any>(), ShadowLog.getLogsForTag("CitizenWallet"))
        owner.trace("debug")
        phone.worker { runBlocking { owner.wallet().activation() } }
        phone.worker { while (ShadowLog.getLogsForTag("CitizenWallet").isEmpty()) Thread.sleep(5) }
    }

    @Test
    fun `a staff device is removed and the wallet stays`() {
        val wallet = unlocked()
        phone.worker { runBlocking { owner.verifier().cache() } }
        val folder = File(phone.application.noBackupFilesDir, "staff")
        assertEquals(true, folder.isDirectory)
        phone.worker { runBlocking { owner.removeStaffDevice() } }
        assertEquals(false, folder.exists())
        assertEquals(WalletState.UNLOCKED, wallet.state())
        assertEquals(null, phone.worker { runBlocking { owner.verifier().staff() } })
    }

    @Test
    fun `the wallet lies where no backup goes, and starting over removes it`() {
        unlocked()
        val folder = File(phone.application.noBackupFilesDir, "wallet")
        assertEquals(true, folder.isDirectory)
        phone.worker { runBlocking { owner.startOver() } }
        assertEquals(false, folder.exists())
        assertEquals(WalletState.NEW, phone.worker { runBlocking { owner.wallet() } }.state())
    }
}
