package vn.citizenwallet.app

import org.junit.AfterClass
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import vn.citizenwallet.app.nav.Names
import vn.citizenwallet.app.nav.Place
import vn.citizenwallet.app.phone.CardReader
import vn.citizenwallet.app.screens.Screen
import vn.citizenwallet.app.screens.StartScreen
import vn.citizenwallet.app.screens.otherWindow
import vn.citizenwallet.app.ui.Ui
import vn.citizenwallet.app.ui.Words
import vn.citizenwallet.core.SealPurpose
import vn.citizenwallet.core.Verifier
import vn.citizenwallet.core.qrDraw
import vn.citizenwallet.testing.SoftwareClock
import vn.citizenwallet.testing.SoftwareKeys
import vn.citizenwallet.testing.SoftwareSealer
import android.content.Intent
import android.net.Uri
import android.widget.CompoundButton
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import org.robolectric.Shadows.shadowOf
import java.io.ByteArrayOutputStream
import java.io.File
import kotlin.concurrent.thread

/** Every screen, both languages, 100 % and 200 % text, light and dark, drawn on the real core and checked by code. */
@RunWith(RobolectricTestRunner::class)
class ScreensTest {
    private val folder = File(System.getProperty("wallet.screens") ?: error("-Dwallet.screens=FOLDER is missing"))
    private val gallery = Gallery(folder)
    private val reached = LinkedHashSet<String>()

    @Test
    fun everyScreenInBothLanguagesAtBothSizesByDayAndNight() {
        val prompt = Hanging(SealPurpose.USER)
        World.hardware = FaultyHardware(prompt)
        val walk = Walk { name, handset ->
            reached += handset.where()
            gallery.look(name, handset)
            if (name == "create") stopped(handset, prompt)
        }
        walk.run {
            firstUse()
            activate()
            seeDocuments()
            enrolOfficer()
            askForLicence()
            consentAndShow()
            checkAnswer()
            unlock()
            theRest(this)
        }
        gallery.page()
        val all = Names::class.java.declaredFields.filter { it.type == String::class.java }.map { it.get(null) as String }.toSet()
        assertEquals("every screen was drawn", emptySet<String>(), all - reached)
        assertTrue(gallery.findings.size.toString() + " findings:\n" + gallery.findings.joinToString("\n"), gallery.findings.isEmpty())
    }

    /** The phone asks and nobody answers: the screen says what goes on, and it is stopped. */
    private fun stopped(citizen: Handset, prompt: Hanging) {
        citizen.press("app.create.do")
        citizen.until("a way to stop it") { citizen.sees(citizen.words("app.stop")) }
        gallery.look("working", citizen)
        citizen.press("app.stop")
        citizen.rest()
        prompt.release()
    }

    /** What the walk does not pass: settings, lists, problems, a second window. */
    private fun theRest(walk: Walk) {
        val citizen = walk.citizen
        val look = { name: String ->
            reached += citizen.where()
            gallery.look(name, citizen)
        }
        for ((place, name) in listOf(Names.LOG to "log", Names.NOTICES to "notices", Names.LANGUAGE to "language", Names.LOG_LEVEL to "log-level", Names.ABOUT to "about", Names.PASSCODE to "passcode")) {
            citizen.activity.navigator!!.go(Place(place))
            citizen.arrive(place)
            look(name)
            citizen.back()
        }
        uncovered(walk)
        verdicts(walk)
        alarm(walk)
        files(walk)
        boarding(walk)
        problems(walk)
        offered(citizen)
        gallery.draw("start", citizen.activity) { StartScreen(citizen.activity.navigator!!, Place(Names.START)).build(it) }
        reached += Names.START
        gallery.draw("other-window", citizen.activity) { otherWindow(it, {}, {}) }
        damaged(citizen)
    }

    /** A list whose loading was stopped. */
    private fun offered(citizen: Handset) {
        val screen = object : Screen(citizen.activity.navigator!!, Place(Names.LOG)) {
            override fun title(words: Words) = words("app.log.title")
            override fun content(ui: Ui) = loading(ui)
            fun begin() = work { delay(Long.MAX_VALUE) }
        }
        screen.begin()
        screen.stop()
        citizen.until("stopped") { !screen.working }
        gallery.draw("stopped", citizen.activity) { screen.build(it) }
        screen.close()
    }

    /** A file of lists is carried and taken; then the device is removed. */
    private fun files(walk: Walk) {
        val officer = walk.officer
        val look = { name: String ->
            reached += officer.where()
            gallery.look(name, officer)
        }
        officer.activity.navigator!!.backTo(Names.STAFF)
        officer.arrive(Names.STAFF)
        officer.press("app.carry.title")
        officer.arrive(Names.CARRY)
        officer.press("app.carry.do")
        val file = ByteArrayOutputStream()
        val place = Uri.parse("content://files/lists")
        shadowOf(Handset.application.contentResolver).registerOutputStream(place, file)
        officer.choose(Intent.ACTION_CREATE_DOCUMENT, place)
        officer.until("the file") { officer.sees(officer.words("app.carry.done")) }
        look("carry")
        officer.back()
        officer.arrive(Names.STAFF)
        officer.press("app.take.title")
        officer.arrive(Names.TAKE)
        officer.press("app.take.do")
        officer.chooseFile(file.toByteArray())
        officer.until("the report") { officer.sees(officer.words("label.trust-version")) }
        look("take")
        officer.back()
        officer.arrive(Names.STAFF)
        officer.press("app.settings.title")
        officer.arrive(Names.SETTINGS)
        look("settings.staff")
        officer.press("app.remove.staff-title")
        officer.arrive(Names.REMOVE)
        look("remove.staff")
        officer.switch(officer.words("app.remove.understood")).performClick()
        officer.press("app.remove.do")
        officer.arrive(Names.FIRST)
    }

    /** The phone becomes an airline's; the name on the boarding pass is compared. */
    private fun boarding(walk: Walk) {
        val desk = walk.officer
        desk.press("app.first.staff")
        desk.arrive(Names.ENROL)
        desk.type("app.enrol.code", World.central.staffCode("flight", "Hãng hàng không Việt", "Sân bay Nội Bài, quầy B12"))
        desk.press("app.enrol.do")
        desk.arrive(Names.STAFF)
        desk.press("app.settings.sync")
        desk.rest()
        desk.press("app.staff.ask")
        desk.arrive(Names.ASK)
        desk.pressText(desk.words("document.citizen-identity"))
        desk.arrive(Names.ASK_FIELDS)
        desk.type("app.ask.boarding", "NGUYEN/VAN AN")
        gallery.look("ask-fields.boarding", desk)
        desk.press("app.ask.do")
        desk.arrive(Names.REQUEST)
        val asked = desk.core.session.asked(desk.screen.place.about)!!.request.text()
        val answer = aside(desk) {
            val request = walk.citizen.core.openWallet().openRequest(asked)
            val selection = request.defaultSelection()!!
            request.answer(selection.document, selection.fields).text
        }
        World.phone.camera.frame = Handset.code(answer)
        desk.press("app.request.scan")
        desk.arrive(Names.VERDICT)
        World.phone.camera.frame = null
        assertTrue(desk.seen().toString(), desk.sees(desk.words("fact.name.match")))
        gallery.look("verdict.boarding", desk)
    }

    /** The data on the phone are damaged; nothing but a new wallet helps. */
    private fun damaged(citizen: Handset) {
        val phone = citizen.killed { File(Handset.application.noBackupFilesDir, "wallet/wallet.keys").writeBytes(ByteArray(8_192) { 7 }) }
        phone.until("the damage or the passcode") { phone.screen.trouble != null || phone.where() == Names.UNLOCK && !phone.screen.working }
        if (phone.screen.trouble == null) {
            phone.type("app.unlock.passcode", Walk.PASSCODE)
            phone.press("app.unlock.do")
        }
        assertEquals("storage", phone.problem())
        gallery.look("problem.storage", phone)
        phone.pressProblem()
        phone.arrive(Names.REMOVE)
        phone.press("app.remove.do")
        phone.until("the demand for a yes") { phone.sees(phone.words("app.remove.first")) }
        reached += Names.REMOVE
        gallery.look("remove", phone)
        phone.core.close()
    }

    /** Does [act] on a thread of its own while the phone goes on. */
    private fun <T> aside(phone: Handset, act: suspend () -> T): T {
        var result: Result<T>? = null
        thread { result = runCatching { runBlocking { act() } } }
        phone.until("what is done aside") { result != null }
        return result!!.getOrThrow()
    }

    /** The other two verdicts: an answer shown again, and a reception desk, which need not compare faces. */
    private fun verdicts(walk: Walk) {
        val officer = walk.officer
        World.phone.camera.frame = walk.answer
        officer.activity.navigator!!.go(Place(Names.SCAN_ANSWER))
        officer.arrive(Names.VERDICT)
        World.phone.camera.frame = null
        assertTrue(officer.seen().toString(), officer.sees(officer.words("verdict.red")))
        gallery.look("verdict.red", officer)
        val config = World.central.verifierConfig(File(World.folder, "reception"))
        val code = World.central.staffCode("health", "Bệnh viện Bạch Mai", "Quầy tiếp đón số 3")
        val result = aside(officer) {
            Verifier.open(config, SoftwareKeys(), SoftwareSealer(), SoftwareClock(), null).use { desk ->
                desk.enrol(code)
                desk.sync()
                val request = walk.citizen.core.openWallet().openRequest(desk.ask("health-insurance-card", null, "", "").text())
                val selection = request.defaultSelection()!!
                desk.check(request.answer(selection.document, selection.fields).text)
            }
        }
        officer.activity.navigator!!.go(Place(Names.VERDICT, officer.core.session.keep(result)))
        officer.arrive(Names.VERDICT)
        assertTrue(officer.seen().toString(), officer.sees(officer.words("verdict.green")))
        gallery.look("verdict.green", officer)
    }

    /** A genuine officer asks for what his role may not have. */
    private fun alarm(walk: Walk) {
        val citizen = walk.citizen
        val request = aside(citizen) {
            val text = walk.officer.core.openVerifier().ask("citizen-identity", listOf("full_name", "resident_address"), "", "").text()
            citizen.core.openWallet().openRequest(text)
        }
        citizen.activity.navigator!!.go(Place(Names.CONSENT, citizen.core.session.keep(request)))
        citizen.arrive(Names.CONSENT)
        assertTrue(citizen.sees(citizen.words("app.consent.over-asked")))
        assertTrue("no switch for it", citizen.views().none { it is CompoundButton && it.text.startsWith(citizen.words("field.resident_address")) })
        gallery.look("consent.alarm", citizen)
        citizen.press("app.consent.no")
        citizen.arrive(Names.DOCUMENTS)
    }

    private fun uncovered(walk: Walk) {
        val citizen = walk.citizen
        citizen.pressText(citizen.words("document.citizen-identity"))
        citizen.arrive(Names.DOCUMENT)
        val covered = citizen.views().filter { it.isClickable && citizen.words("app.secret.show") in Handset.label(it) }
        assertTrue("secret rows are covered", covered.size >= 3)
        covered.take(2).forEach { it.performClick() }
        gallery.look("document.uncovered", citizen)
        citizen.back()
        citizen.arrive(Names.DOCUMENTS)
    }

    private fun problems(walk: Walk) {
        val citizen = walk.citizen
        citizen.core.lock()
        citizen.activity.navigator!!.home()
        citizen.arrive(Names.UNLOCK)
        citizen.type("app.unlock.passcode", "000000")
        citizen.press("app.unlock.do")
        assertEquals("wrong-passcode", citizen.problem())
        gallery.look("problem.wrong-passcode", citizen)
        citizen.type("app.unlock.passcode", Walk.PASSCODE)
        citizen.press("app.unlock.do")
        citizen.arrive(Names.DOCUMENTS)
        World.phone.camera.present = false
        citizen.press("app.documents.scan")
        citizen.arrive(Names.SCAN)
        assertEquals("no-camera", citizen.problem())
        gallery.look("problem.no-camera", citizen)
        citizen.press("app.scan.from-picture")
        val asked = aside(citizen) { walk.officer.core.openVerifier().ask("citizen-identity", null, "", "").text() }
        citizen.chooseFile(qrDraw(asked).png)
        citizen.arrive(Names.CONSENT)
        citizen.press("app.consent.no")
        citizen.arrive(Names.DOCUMENTS)
        citizen.activity.navigator!!.go(Place(Names.FACE))
        assertEquals("no-camera", citizen.problem())
        gallery.look("face.no-camera", citizen)
        citizen.activity.navigator!!.home()
        citizen.arrive(Names.DOCUMENTS)
        World.phone.camera.present = true
        citizen.press("app.documents.scan")
        citizen.arrive(Names.SCAN)
        gallery.look("scan", citizen)
        reached += Names.SCAN
        citizen.back()
        citizen.core.session.cardNumber = Walk.CARD_NUMBER
        World.phone.nfc = CardReader.State.OFF
        citizen.activity.navigator!!.go(Place(Names.READ_CARD))
        assertEquals("nfc-off", citizen.problem())
        gallery.look("problem.nfc-off", citizen)
        World.phone.nfc = CardReader.State.READY
        citizen.back()
    }

    companion object {
        @AfterClass
        @JvmStatic
        fun end() = World.end()
    }
}
