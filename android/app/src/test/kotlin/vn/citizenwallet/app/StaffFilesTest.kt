package vn.citizenwallet.app

import android.content.Intent
import android.net.Uri
import kotlinx.coroutines.runBlocking
import org.junit.AfterClass
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import vn.citizenwallet.app.nav.Names
import vn.citizenwallet.core.Verifier
import vn.citizenwallet.testing.SoftwareClock
import vn.citizenwallet.testing.SoftwareHardware
import vn.citizenwallet.testing.SoftwareKeys
import vn.citizenwallet.testing.SoftwareSealer
import java.io.ByteArrayOutputStream
import java.io.File
import java.io.IOException
import java.io.OutputStream

/** What one checking device synced reaches another one as a file, by the app's own buttons and the system's screen for files. */
@RunWith(RobolectricTestRunner::class)
class StaffFilesTest {
    private val files get() = shadowOf(Handset.application.contentResolver)

    /** An enrolled device in the app, which has no lists yet. */
    private fun enrolled(): Handset = Handset("officer").apply {
        World.central
        arrive(Names.FIRST)
        press("app.first.staff")
        arrive(Names.ENROL)
        type("app.enrol.code", World.central.staffCode("traffic-police", "Đội CSGT số 2", "Quốc lộ 1"))
        press("app.enrol.do")
        arrive(Names.STAFF)
    }

    /** Another device, whose screens are not looked at. */
    private fun <T> colleague(name: String, act: suspend (Verifier) -> T): T = runBlocking {
        Verifier.open(World.central.verifierConfig(File(World.folder, name)), SoftwareKeys(), SoftwareSealer(), SoftwareClock(), null).use { device ->
            device.enrol(World.central.staffCode("traffic-police", "Đội CSGT số 1", "Quốc lộ 5"))
            act(device)
        }
    }

    private fun go(phone: Handset, link: String, screen: String) {
        phone.press(link)
        phone.arrive(screen)
    }

    @Test
    fun listsAreTakenFromAFileAndCarriedOnInAnother() {
        World.central
        World.hardware = SoftwareHardware()
        val phone = enrolled()
        val carried = colleague("first") { it.sync(); it.carry() }
        go(phone, "app.take.title", Names.TAKE)
        phone.press("app.take.do")
        phone.chooseFile(carried)
        phone.until("the report") { !phone.screen.working && phone.sees(phone.words("label.trust-version")) }
        assertEquals(null, phone.screen.trouble)
        phone.back()
        phone.arrive(Names.STAFF)
        go(phone, "app.carry.title", Names.CARRY)
        phone.press("app.carry.do")
        val file = ByteArrayOutputStream()
        val place = Uri.parse("content://files/lists")
        files.registerOutputStream(place, file)
        phone.choose(Intent.ACTION_CREATE_DOCUMENT, place)
        phone.until("the file") { phone.sees(phone.words("app.carry.done")) }
        val report = colleague("second") { it.take(file.toByteArray()) }
        assertEquals("verified", report.verdict.conclusion)
        assertTrue("lists came with it", report.stored > 0uL)
    }

    @Test
    fun badInputAFileOfSomethingElseAndAPlaceThatTakesNothing() {
        World.central
        World.hardware = SoftwareHardware()
        val phone = enrolled()
        go(phone, "app.take.title", Names.TAKE)
        for (bytes in listOf(ByteArray(0), "a photograph of something".toByteArray())) {
            phone.press("app.take.do")
            phone.chooseFile(bytes)
            assertEquals("carried-file", phone.problem())
            phone.pressProblem()
        }
        phone.press("app.take.do")
        phone.choose(Intent.ACTION_OPEN_DOCUMENT, Uri.parse("content://gone/1"))
        assertEquals("storage-disk", phone.problem())
        phone.back()
        phone.arrive(Names.STAFF)
        // Something to carry.
        phone.press("app.settings.sync")
        phone.rest()
        go(phone, "app.carry.title", Names.CARRY)
        phone.press("app.carry.do")
        val full = Uri.parse("content://files/full")
        files.registerOutputStream(full, object : OutputStream() {
            override fun write(byte: Int): Unit = throw IOException()
        })
        phone.choose(Intent.ACTION_CREATE_DOCUMENT, full)
        assertEquals("storage-disk", phone.problem())
        assertTrue("not said to be saved", !phone.sees(phone.words("app.carry.done")))
    }

    @Test
    fun aStaffDeviceIsRemovedAndThePhoneBeginsAnew() {
        World.central
        World.hardware = SoftwareHardware()
        val phone = enrolled()
        phone.press("app.settings.title")
        phone.arrive(Names.SETTINGS)
        phone.press("app.remove.staff-title")
        phone.arrive(Names.REMOVE)
        assertTrue(phone.sees(phone.words("app.remove.staff-kept")))
        phone.switch(phone.words("app.remove.understood")).performClick()
        phone.press("app.remove.do")
        phone.arrive(Names.FIRST)
        assertTrue("its folder is gone", !File(Handset.application.noBackupFilesDir, "staff").exists())
    }

    companion object {
        @AfterClass
        @JvmStatic
        fun end() = World.end()
    }
}
