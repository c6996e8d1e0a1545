package vn.citizenwallet.android

import android.app.Activity
import android.content.Intent
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertSame
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowSystemClock
import vn.citizenwallet.core.WalletState
import vn.citizenwallet.phone.Phone
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
    fun `the wallet lies where no backup goes, and starting over removes it`() {
        unlocked()
        val folder = File(phone.application.noBackupFilesDir, "wallet")
        assertEquals(true, folder.isDirectory)
        phone.worker { runBlocking { owner.startOver() } }
        assertEquals(false, folder.exists())
        assertEquals(WalletState.NEW, phone.worker { runBlocking { owner.wallet() } }.state())
    }
}
