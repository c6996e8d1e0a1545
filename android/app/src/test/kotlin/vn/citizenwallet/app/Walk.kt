package vn.citizenwallet.app

import android.Manifest
import android.view.WindowManager
import android.widget.Switch
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import vn.citizenwallet.app.nav.Names
import vn.citizenwallet.app.nav.Place
import vn.citizenwallet.app.phone.Frame
import vn.citizenwallet.core.qrDecodeLuma
import vn.citizenwallet.testing.Card
import vn.citizenwallet.testing.MovableCard
import vn.citizenwallet.testing.Town
import vn.citizenwallet.testing.selfie

/**
 * The way of two people through the app, step by step, by its own buttons; each step can be looked at by [look] (the name says what is seen).
 * Two phones share this process one after the other: what the one's screen shows is kept as pixels, and the other's camera sees just these.
 */
class Walk(private val look: (String, Handset) -> Unit = { _, _ -> }) {
    lateinit var citizen: Handset
    lateinit var officer: Handset

    /** The officer's request and the citizen's answer, as the other one's camera saw them. */
    lateinit var request: Frame
    lateinit var answer: Frame

    private fun begin() {
        World.central
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA)
    }

    /** What the app is; the phone is to be a citizen's; a passcode is made. */
    fun firstUse() {
        begin()
        citizen = Handset()
        citizen.arrive(Names.FIRST)
        look("first", citizen)
        citizen.press("app.first.citizen")
        citizen.arrive(Names.CREATE)
        citizen.type("app.create.first", PASSCODE)
        citizen.type("app.create.second", PASSCODE)
        look("create", citizen)
        citizen.press("app.create.do")
        citizen.arrive(Names.ACTIVATION)
        look("activation", citizen)
    }

    /** Card, code, face, documents. */
    fun activate() {
        citizen.press("app.activation.begin")
        citizen.arrive(Names.CARD_NUMBER)
        citizen.type("app.card-number.field", CARD_NUMBER)
        look("card-number", citizen)
        citizen.press("app.card-number.do")
        citizen.until("the antenna") { citizen.where() == Names.READ_CARD && World.phone.listening }
        look("read-card", citizen)
        Card(World.folder).use { card ->
            // It is pulled away in the middle, and held again.
            World.phone.hold(MovableCard(card.address, HALF, null))
            assertEquals("card-moved", citizen.problem())
            look("read-card.moved", citizen)
            citizen.pressProblem()
            citizen.until("the antenna") { World.phone.listening && citizen.screen.trouble == null }
            World.phone.hold(socketCard(card.address))
            citizen.arrive(Names.CODE)
        }
        look("code", citizen)
        citizen.press("app.code.request")
        citizen.until("the code's line") { !citizen.screen.working && citizen.sees(citizen.words("app.code.why")) }
        look("code.enter", citizen)
        citizen.type("app.code.field", World.central.newestCode())
        citizen.press("app.code.do")
        World.phone.camera.picture = selfie(World.folder)
        citizen.arrive(Names.FACE)
        look("face", citizen)
        citizen.press("app.face.do")
        citizen.until("documents fetched", 120) { citizen.where() == Names.OBTAIN && !citizen.screen.working }
        look("obtain", citizen)
        citizen.press("app.obtain.documents")
        citizen.arrive(Names.DOCUMENTS)
    }

    /** The four documents, one of them closely. */
    fun seeDocuments() {
        look("documents", citizen)
        for (document in DOCUMENTS) {
            citizen.pressText(citizen.words("document.$document"))
            citizen.arrive(Names.DOCUMENT)
            look("document.$document", citizen)
            citizen.back()
            citizen.arrive(Names.DOCUMENTS)
        }
    }

    /** The other phone becomes a staff device. */
    fun enrolOfficer(role: String = "traffic-police", organisation: String = "Đội CSGT số 1", place: String = "Quốc lộ 5, km 32") {
        officer = Handset("officer")
        officer.arrive(Names.FIRST)
        officer.press("app.first.staff")
        officer.arrive(Names.ENROL)
        officer.type("app.enrol.code", World.central.staffCode(role, organisation, place))
        look("enrol", officer)
        officer.press("app.enrol.do")
        officer.arrive(Names.STAFF)
        look("staff", officer)
        officer.press("app.settings.sync")
        officer.rest()
        look("staff.synced", officer)
    }

    /** The officer asks; the code is filmed from his screen. */
    fun askForLicence(document: String = "driving-licence") {
        officer.press("app.staff.ask")
        officer.arrive(Names.ASK)
        look("ask", officer)
        officer.pressText(officer.words("document.$document"))
        officer.arrive(Names.ASK_FIELDS)
        look("ask-fields", officer)
        // Nothing chosen asks for nothing.
        val chosen = officer.views().filterIsInstance<Switch>().filter { it.isChecked }.map { it.text.toString() }
        chosen.forEach(officer::pressText)
        assertFalse(officer.pressable("app.ask.do"))
        chosen.forEach(officer::pressText)
        officer.press("app.ask.do")
        officer.arrive(Names.REQUEST)
        look("request", officer)
        request = officer.filmed()
    }

    /** The citizen scans, agrees, shows; the code is filmed from the screen. */
    fun consentAndShow() {
        World.phone.camera.frame = request
        citizen.press("app.documents.scan")
        citizen.arrive(Names.CONSENT)
        look("consent", citizen)
        citizen.press("app.consent.yes")
        citizen.arrive(Names.SHOW)
        look("show", citizen)
        val window = citizen.activity.window.attributes
        assertEquals("brightness up", 1f, window.screenBrightness)
        assertTrue("secure", window.flags and WindowManager.LayoutParams.FLAG_SECURE != 0)
        answer = citizen.filmed()
        // Held sideways, the whole code is on the screen, too.
        citizen.turn()
        citizen.arrive(Names.SHOW)
        val sideways = citizen.filmed()
        assertEquals(read(answer), read(sideways))
        citizen.turn()
        citizen.arrive(Names.SHOW)
        World.phone.camera.frame = null
        citizen.press("app.show.done")
        citizen.arrive(Names.DOCUMENTS)
    }

    /** The officer scans the answer from the citizen's pixels. */
    fun checkAnswer() {
        officer.press("app.request.scan")
        officer.arrive(Names.SCAN_ANSWER)
        look("scan-answer", officer)
        World.phone.camera.frame = answer
        officer.arrive(Names.VERDICT)
        World.phone.camera.frame = null
        look("verdict", officer)
        assertTrue(officer.seen().toString(), officer.sees(officer.words("verdict.amber")))
        officer.pixels()
    }

    private fun read(frame: Frame) = qrDecodeLuma(frame.width.toUInt(), frame.height.toUInt(), frame.luma)

    /** The citizen's wallet is locked and opened again. */
    fun unlock() {
        citizen.pressText(citizen.words("document.${DOCUMENTS[0]}"))
        citizen.arrive(Names.DOCUMENT)
        val document = citizen.screen
        // On top is a screen that needs no passcode.
        citizen.activity.navigator!!.go(Place(Names.ABOUT))
        citizen.core.lock()
        citizen.until("the document let go") { document.title(citizen.words) == citizen.words("app.documents.title") }
        assertEquals(Names.ABOUT, citizen.where())
        citizen.back()
        citizen.arrive(Names.UNLOCK)
        citizen.type("app.unlock.passcode", PASSCODE)
        citizen.press("app.unlock.do")
        citizen.arrive(Names.DOCUMENT)
        citizen.until("the document again") { citizen.sees(citizen.words("app.document.show")) }
        citizen.back()
        citizen.arrive(Names.DOCUMENTS)
        citizen.press("app.settings.title")
        citizen.arrive(Names.SETTINGS)
        look("settings", citizen)
        citizen.press("app.settings.lock")
        citizen.arrive(Names.UNLOCK)
        look("unlock", citizen)
        citizen.type("app.unlock.passcode", PASSCODE)
        citizen.press("app.unlock.do")
        citizen.arrive(Names.DOCUMENTS)
    }

    companion object {
        const val PASSCODE = "528491"

        /** Commands to the card, somewhere in the middle of its reading. */
        const val HALF = 40
        val CARD_NUMBER = Town.CITIZEN.takeLast(6)
        val DOCUMENTS = listOf("citizen-identity", "driving-licence", "health-insurance-card", "health-summary")
    }
}
