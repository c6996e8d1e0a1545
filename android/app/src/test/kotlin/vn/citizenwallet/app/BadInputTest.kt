package vn.citizenwallet.app

import android.Manifest
import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.nfc.NfcAdapter
import android.os.Bundle
import android.view.WindowManager
import org.junit.After
import org.junit.AfterClass
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import vn.citizenwallet.app.nav.Names
import vn.citizenwallet.app.nav.Place
import vn.citizenwallet.app.phone.CardReader
import vn.citizenwallet.app.phone.NfcCardReader
import vn.citizenwallet.core.SealPurpose
import vn.citizenwallet.core.WalletState
import vn.citizenwallet.core.qrDraw
import vn.citizenwallet.testing.Card
import vn.citizenwallet.testing.Helper
import vn.citizenwallet.testing.MovableCard
import vn.citizenwallet.testing.MuteCard
import vn.citizenwallet.testing.SoftwareHardware
import vn.citizenwallet.testing.Town
import vn.citizenwallet.testing.selfie
import java.io.ByteArrayOutputStream

/** What can happen to an app in the middle of things. Each ends in a screen that says what happened and how to go on; nothing is lost. */
@RunWith(RobolectricTestRunner::class)
class BadInputTest {
    private val app get() = Handset.application
    private val cards = ArrayList<AutoCloseable>()

    @Before
    fun begin() {
        World.central
        World.hardware = SoftwareHardware()
        World.phone = TestPhone()
        shadowOf(app).grantPermissions(Manifest.permission.CAMERA)
    }

    @After
    fun end() {
        cards.forEach { it.close() }
        app.core.close()
    }

    private fun card(citizen: String = Town.CITIZEN) = Card(World.folder, citizen).also { cards += it }

    /** A wallet with a passcode, at the beginning of its activation. */
    private fun created(): Handset = create(Handset()).apply { arrive(Names.ACTIVATION) }

    private fun unlock(handset: Handset, arrive: Boolean = true) {
        if (arrive) handset.arrive(Names.UNLOCK)
        handset.type("app.unlock.passcode", Walk.PASSCODE)
        handset.press("app.unlock.do")
    }

    /** The screen that waits for a card. */
    private fun reading(handset: Handset = created()): Handset = handset.apply {
        press("app.activation.begin")
        arrive(Names.CARD_NUMBER)
        type("app.card-number.field", Walk.CARD_NUMBER)
        press("app.card-number.do")
        until("the reading screen") { where() == Names.READ_CARD }
    }

    @Test
    fun badInputAppKilledAtEachStepOfTheActivation() {
        var phone = created().killed()
        unlock(phone)
        phone.arrive(Names.ACTIVATION)
        phone = reading(phone)
        phone.until("the antenna") { World.phone.listening }
        // Killed while waiting for the card: the number was kept nowhere, so it is asked for again.
        phone = phone.killed()
        unlock(phone)
        phone.arrive(Names.CARD_NUMBER)
        phone.type("app.card-number.field", Walk.CARD_NUMBER)
        phone.press("app.card-number.do")
        phone.until("the antenna") { phone.where() == Names.READ_CARD && World.phone.listening }
        World.phone.hold(socketCard(card().address))
        phone.arrive(Names.CODE)
        phone.press("app.code.request")
        phone.until("the code's line") { !phone.screen.working && phone.sees(phone.words("app.code.why")) }
        // Killed between code and code: the step is the same afterwards.
        phone = phone.killed()
        unlock(phone)
        phone.arrive(Names.CODE)
        // A code that was not sent: the screen says so, and how many tries are left.
        phone.type("app.code.field", if (World.central.newestCode() == "000000") "000001" else "000000")
        phone.press("app.code.do")
        phone.until("the refused code") { !phone.screen.working && phone.sees(phone.words("label.warning")) }
        assertTrue(phone.where() == Names.CODE && phone.sees(phone.words("label.tries-left")))
        phone.type("app.code.field", World.central.newestCode())
        phone.press("app.code.do")
        phone.arrive(Names.FACE)
        phone = phone.killed()
        unlock(phone)
        phone.arrive(Names.FACE)
        // Somebody else's face: told, and taken again.
        assertFalse(phone.sees(phone.words("label.warning")))
        World.phone.camera.picture = upsideDown(selfie(World.folder))
        phone.press("app.face.do")
        phone.until("the refused face") { !phone.screen.working && phone.sees(phone.words("label.warning")) }
        assertEquals(Names.FACE, phone.where())
    }

    private fun upsideDown(picture: ByteArray): ByteArray {
        val upright = BitmapFactory.decodeByteArray(picture, 0, picture.size)
        val turned = Bitmap.createBitmap(upright, 0, 0, upright.width, upright.height, Matrix().apply { postRotate(180f) }, true)
        return ByteArrayOutputStream().also { turned.compress(Bitmap.CompressFormat.PNG, 100, it) }.toByteArray()
    }

    @Test
    fun badInputSavedStateHoldsNothingButNamesOfScreens() {
        val phone = reading()
        val saved = Bundle()
        phone.controller.pause().stop().saveInstanceState(saved)
        val text = saved.keySet().joinToString { key -> "$key=" + @Suppress("DEPRECATION") saved.get(key).toString() }
        assertFalse(text, Walk.CARD_NUMBER in text)
        assertFalse(text, Walk.PASSCODE in text)
        assertEquals(listOf("activation ", "card-number ", "read-card "), saved.getStringArrayList("places"))
    }

    @Test
    fun badInputRotationKeepsWhatWasTypedAndWhatIsGoingOn() {
        val phone = created()
        phone.press("app.activation.begin")
        phone.arrive(Names.CARD_NUMBER)
        phone.type("app.card-number.field", "0001")
        val screen = phone.screen
        phone.turn()
        phone.arrive(Names.CARD_NUMBER)
        assertTrue("the same screen goes on", phone.screen === screen)
        assertTrue(phone.sees("0001"))
        phone.type("app.card-number.field", Walk.CARD_NUMBER)
        phone.press("app.card-number.do")
        phone.until("the antenna") { World.phone.listening }
        World.phone.hold(socketCard(card().address))
        phone.until("the reading") { phone.screen.working }
        phone.turn()
        phone.arrive(Names.CODE)
    }

    @Test
    fun badInputBackgroundAndBack() {
        val phone = reading()
        phone.until("the antenna") { World.phone.listening }
        phone.background()
        assertFalse("no antenna in the background", World.phone.listening)
        phone.foreground()
        phone.until("the antenna") { phone.where() == Names.READ_CARD && World.phone.listening }
        World.phone.hold(socketCard(card().address))
        phone.arrive(Names.CODE)
    }

    @Test
    fun badInputScreenLockCoversEverythingAndLosesNothing() {
        val phone = created()
        phone.press("app.settings.title")
        phone.arrive(Names.SETTINGS)
        phone.core.session.cardNumber = Walk.CARD_NUMBER
        app.sendBroadcast(Intent(Intent.ACTION_SCREEN_OFF))
        phone.until("locked") { phone.core.wallet!!.state() == WalletState.LOCKED && phone.where() == Names.UNLOCK }
        assertEquals("the card's number is not kept for whoever unlocks", null, phone.core.session.cardNumber)
        unlock(phone)
        phone.arrive(Names.SETTINGS)
    }

    @Test
    fun badInputNfcIsOff() {
        World.phone.nfc = CardReader.State.OFF
        val phone = reading()
        assertEquals("nfc-off", phone.problem())
        phone.pressProblem()
        assertEquals(android.provider.Settings.ACTION_NFC_SETTINGS, shadowOf(app).nextStartedActivity.action)
        phone.background()
        World.phone.nfc = CardReader.State.READY
        phone.foreground()
        phone.until("the antenna") { World.phone.listening }
    }

    @Test
    fun badInputNoNfcInThePhone() {
        World.phone.nfc = CardReader.State.NONE
        val phone = reading()
        assertEquals("no-nfc", phone.problem())
        phone.back()
        phone.arrive(Names.CARD_NUMBER)
    }

    @Test
    fun badInputThePhonesOwnReaderTellsOffAndNone() {
        val activity = Robolectric.buildActivity(Activity::class.java).setup().get()
        shadowOf(app.packageManager).setSystemFeature(android.content.pm.PackageManager.FEATURE_NFC, false)
        val adapter = NfcAdapter.getDefaultAdapter(activity)
        if (adapter != null) {
            shadowOf(adapter).setEnabled(false)
            assertEquals(CardReader.State.OFF, NfcCardReader().state(activity))
            shadowOf(adapter).setEnabled(true)
            assertEquals(CardReader.State.READY, NfcCardReader().state(activity))
        } else {
            assertEquals(CardReader.State.NONE, NfcCardReader().state(activity))
        }
    }

    @Test
    fun badInputCardPulledAwayAndHeldAgain() {
        val phone = reading()
        phone.until("the antenna") { World.phone.listening }
        World.phone.hold(socketCard(card().address, loseAfter = 30))
        phone.arrive(Names.CODE)
    }

    @Test
    fun badInputCardPulledAwayForGood() {
        val phone = reading()
        phone.until("the antenna") { World.phone.listening }
        val address = card().address
        World.phone.hold(MovableCard(address, 20, null))
        assertEquals("card-moved", phone.problem())
        phone.pressProblem()
        phone.until("the antenna") { World.phone.listening && phone.screen.trouble == null }
        World.phone.hold(socketCard(address))
        phone.arrive(Names.CODE)
    }

    @Test
    fun badInputAnotherCard() {
        val phone = reading()
        phone.until("the antenna") { World.phone.listening }
        World.phone.hold(MovableCard(card().address, 40, card(OTHER_CITIZEN).address))
        val told = phone.problem()
        assertTrue(told, told == "different-card" || told == "wrong-card-key")
    }

    @Test
    fun badInputForgedCard() {
        val phone = reading()
        phone.until("the antenna") { World.phone.listening }
        val forged = Helper(java.io.File(World.folder, "forged.log"), "chip", "sim", "--listen", "127.0.0.1:0", "--forged", "dg").also { cards += it }
        World.phone.hold(socketCard(forged.address))
        phone.until("the reasons") { phone.sees(phone.words("app.read-card.rejected")) }
        phone.press("app.read-card.again")
        phone.until("the antenna") { World.phone.listening }
        World.phone.hold(socketCard(card().address))
        phone.arrive(Names.CODE)
    }

    @Test
    fun badInputWrongNumberOfTheCard() {
        val phone = created()
        phone.press("app.activation.begin")
        phone.arrive(Names.CARD_NUMBER)
        phone.type("app.card-number.field", "000000")
        phone.press("app.card-number.do")
        phone.until("the antenna") { World.phone.listening }
        World.phone.hold(socketCard(card().address))
        assertEquals("wrong-card-key", phone.problem())
        phone.pressProblem()
        phone.arrive(Names.CARD_NUMBER)
    }

    @Test
    fun badInputCameraPermissionRefused() {
        shadowOf(app).denyPermissions(Manifest.permission.CAMERA)
        val phone = created()
        phone.activity.navigator!!.go(Place(Names.SCAN))
        phone.arrive(Names.SCAN)
        phone.activity.onRequestPermissionsResult(1, arrayOf(Manifest.permission.CAMERA), intArrayOf(android.content.pm.PackageManager.PERMISSION_DENIED))
        assertEquals("camera-refused", phone.problem())
        phone.pressProblem()
        assertEquals(android.provider.Settings.ACTION_APPLICATION_DETAILS_SETTINGS, shadowOf(app).nextStartedActivity.action)
        phone.background()
        shadowOf(app).grantPermissions(Manifest.permission.CAMERA)
        phone.foreground()
        phone.until("the camera") { World.phone.camera.open }
    }

    @Test
    fun badInputForeignQr() {
        val phone = created()
        World.phone.camera.frame = Handset.code(FOREIGN)
        phone.activity.navigator!!.go(Place(Names.SCAN))
        val told = phone.problem()
        assertEquals("scan.foreign", told)
        World.phone.camera.frame = null
        phone.pressProblem()
        phone.until("the camera") { World.phone.camera.open && phone.screen.trouble == null }
    }

    @Test
    fun badInputAnAdapterThrows() {
        World.hardware = FaultyHardware { throw IllegalStateException("of the platform") }
        val phone = Handset()
        create(phone)
        val told = phone.problem()
        assertTrue(told, told.startsWith("device-") || told == "internal")
        assertFalse("no words of the exception", phone.sees("platform"))
        assertEquals(Names.CREATE, phone.where())
    }

    @Test
    fun badInputAnAdapterNeverReturns() {
        val prompt = Hanging(SealPurpose.USER)
        World.hardware = FaultyHardware(prompt)
        val phone = Handset()
        create(phone)
        // It may be a prompt that the person has not answered yet, so the app waits, says so, and can be stopped.
        phone.until("what goes on, and a way to stop it") { phone.sees(phone.words("app.working")) && phone.sees(phone.words("app.stop")) }
        phone.press("app.stop")
        phone.until("stopped") { !phone.screen.working }
        assertEquals("nothing to tell", null, phone.screen.trouble)
        assertEquals(Names.CREATE, phone.where())
        assertEquals("nothing is lost", Walk.PASSCODE, phone.typed("app.create.first"))
        prompt.release()
        phone.press("app.create.do")
        phone.arrive(Names.ACTIVATION)
    }

    @Test
    fun badInputABackgroundKeyNeverReturns() {
        val hardware = Hanging(SealPurpose.BACKGROUND)
        World.hardware = FaultyHardware(hardware)
        val phone = Handset()
        val begun = System.nanoTime()
        create(phone)
        assertEquals("device-timed-out", phone.problem())
        val seconds = (System.nanoTime() - begun) / 1_000_000_000
        println("a background key that never returns: told after $seconds s")
        assertTrue("after $seconds s", seconds in 9..30)
        assertEquals(Names.CREATE, phone.where())
        hardware.release()
        phone.pressProblem()
        phone.arrive(Names.ACTIVATION)
    }

    @Test
    fun badInputStoppedInTheMiddle() {
        val phone = reading()
        phone.until("the antenna") { World.phone.listening }
        val address = card().address
        val mute = MuteCard(address, 25, wakes = true)
        World.phone.hold(mute)
        phone.until("silence") { mute.silent.count == 0L && phone.sees(phone.words("app.stop")) }
        phone.press("app.stop")
        phone.until("stopped") { !phone.screen.working }
        mute.release()
        assertEquals("nothing to tell", null, phone.screen.trouble)
        assertEquals(Names.READ_CARD, phone.where())
        // And it waits for the card again.
        phone.until("the antenna") { World.phone.listening }
        World.phone.hold(socketCard(address))
        phone.arrive(Names.CODE)
    }

    @Test
    fun badInputASecondWindow() {
        val phone = created()
        phone.press("app.settings.title")
        phone.arrive(Names.SETTINGS)
        val second = Robolectric.buildActivity(MainActivity::class.java).setup()
        val shown = Handset.all(second.get().findViewById(android.R.id.content))
        assertTrue(shown.any { Handset.label(it) == phone.words("app.window.title") })
        assertTrue("nothing of the wallet", second.get().navigator == null)
        assertTrue("secure", second.get().window.attributes.flags and WindowManager.LayoutParams.FLAG_SECURE != 0)
        shown.first { Handset.label(it) == phone.words("app.window.here") }.performClick()
        assertTrue("the first one closes", phone.activity.isFinishing)
        assertEquals("the screens go on here", Names.SETTINGS, second.get().navigator!!.top!!.place.screen)
        phone.controller.pause().stop().destroy()
        assertEquals(Names.SETTINGS, second.get().navigator!!.top!!.place.screen)
        assertEquals(WalletState.UNLOCKED, phone.core.wallet!!.state())
    }

    @Test
    fun badInputABuildWithoutAService() {
        val service = World.service
        World.service = null
        try {
            val phone = Handset()
            phone.arrive(Names.FIRST)
            phone.press("app.first.citizen")
            phone.problem()
            assertEquals(Names.START, phone.where())
        } finally {
            World.service = service
        }
    }

    @Test
    fun badInputADamagedWalletIsRemovedAndANewOneMade() {
        var phone = created()
        for (damaged in listOf("wallet.db", "wallet.keys")) {
            phone = phone.killed { wallet.walk().first { it.name == damaged }.writeBytes(ByteArray(8_192) { 7 }) }
            storageProblem(phone)
            phone.pressProblem()
            phone.arrive(Names.REMOVE)
            assertTrue(phone.sees(phone.words("app.remove.lost")))
            // Not yet: everything stays, and the app tries again to open it.
            phone.press("app.remove.cancel")
            storageProblem(phone)
            assertTrue(wallet.isDirectory)
            phone.pressProblem()
            phone.arrive(Names.REMOVE)
            phone.press("app.remove.do")
            assertTrue("a deliberate yes", phone.sees(phone.words("app.remove.first")))
            phone.switch(phone.words("app.remove.understood")).performClick()
            phone.press("app.remove.do")
            phone.arrive(Names.FIRST)
            assertFalse(wallet.exists())
            phone = create(phone)
            phone.arrive(Names.ACTIVATION)
        }
    }

    /** The damage is seen when the app opens the wallet, or when the passcode opens it. */
    private fun storageProblem(phone: Handset) {
        phone.until("the damage or the passcode") { phone.screen.trouble != null || phone.where() == Names.UNLOCK && !phone.screen.working }
        if (phone.screen.trouble == null) unlock(phone, arrive = false)
        assertEquals("storage", phone.problem())
    }

    @Test
    fun badInputRemovingTheWalletAndThinkingBetterOfIt() {
        val phone = created()
        phone.press("app.settings.title")
        phone.arrive(Names.SETTINGS)
        phone.press("app.remove.title")
        phone.arrive(Names.REMOVE)
        phone.switch(phone.words("app.remove.understood")).performClick()
        phone.turn()
        assertTrue("kept while the phone is turned", phone.switch(phone.words("app.remove.understood")).isChecked)
        phone.press("app.remove.cancel")
        phone.arrive(Names.SETTINGS)
        assertEquals(WalletState.UNLOCKED, phone.core.wallet!!.state())
        val later = phone.killed()
        unlock(later)
        later.arrive(Names.SETTINGS)
        later.press("app.remove.title")
        later.arrive(Names.REMOVE)
        later.switch(later.words("app.remove.understood")).performClick()
        later.press("app.remove.do")
        later.arrive(Names.FIRST)
        assertFalse(wallet.exists())
    }

    @Test
    fun badInputNoCamera() {
        World.phone.camera.present = false
        val phone = created()
        phone.activity.navigator!!.go(Place(Names.SCAN))
        assertEquals("no-camera", phone.problem())
        phone.press("app.scan.from-picture")
        phone.chooseFile(qrDraw(FOREIGN).png)
        phone.until("the picture was read") { phone.screen.trouble?.id?.startsWith("scan.") == true }
        assertEquals("scan.foreign", phone.problem())
        phone.pressProblem()
        // There is no camera still: the other ways are offered again.
        assertEquals("no-camera", phone.problem())
        for (nothing in listOf("no picture".toByteArray(), ByteArray(0))) {
            phone.press("app.scan.from-picture")
            phone.chooseFile(nothing)
            phone.until("the picture was read") { phone.screen.trouble?.id == "scan.nothing" }
            phone.pressProblem()
            assertEquals("no-camera", phone.problem())
        }
        World.phone.camera.present = true
        phone.press("app.scan.camera-again")
        phone.until("the camera") { World.phone.camera.open && phone.screen.trouble == null }
        World.phone.camera.fail()
        assertEquals("another app took it", "no-camera", phone.problem())
        phone.pressProblem()
        phone.arrive(Names.ACTIVATION)
    }

    @Test
    fun badInputNoCameraForTheFace() {
        World.phone.camera.present = false
        val phone = created()
        phone.activity.navigator!!.go(Place(Names.FACE))
        assertEquals("no-camera", phone.problem())
        assertTrue(phone.sees(phone.words("app.face.no-camera")))
        phone.pressProblem()
        phone.arrive(Names.ACTIVATION)
    }

    @Test
    fun badInputAFileThatIsAPathOfOurOwn() {
        World.phone.camera.present = false
        val phone = created()
        phone.activity.navigator!!.go(Place(Names.SCAN))
        phone.problem()
        phone.press("app.scan.from-picture")
        phone.choose(Intent.ACTION_OPEN_DOCUMENT, android.net.Uri.fromFile(java.io.File(wallet, "wallet.db")))
        assertEquals("nothing was opened", "no-camera", phone.problem())
    }

    /** The wallet's folder. */
    private val wallet get() = java.io.File(app.noBackupFilesDir, "wallet")

    private fun create(phone: Handset): Handset = phone.apply {
        if (where() != Names.CREATE) {
            arrive(Names.FIRST)
            press("app.first.citizen")
        }
        arrive(Names.CREATE)
        type("app.create.first", Walk.PASSCODE)
        type("app.create.second", Walk.PASSCODE)
        press("app.create.do")
    }

    companion object {
        private const val OTHER_CITIZEN = "079185004567"

        /** What a QR code of somebody else says. */
        private const val FOREIGN = "HTTPS://EXAMPLE.ORG/MENU"

        @AfterClass
        @JvmStatic
        fun stop() = World.end()
    }
}
