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
import vn.citizenwallet.app.screens.StartScreen
import vn.citizenwallet.app.screens.otherWindow
import java.io.File

/** Every screen, both languages, 100 % and 200 % text, light and dark, drawn on the real core and checked by code. */
@RunWith(RobolectricTestRunner::class)
class ScreensTest {
    private val folder = File(System.getProperty("wallet.screens") ?: error("-Dwallet.screens=FOLDER is missing"))
    private val gallery = Gallery(folder)
    private val reached = LinkedHashSet<String>()

    @Test
    fun everyScreenInBothLanguagesAtBothSizesByDayAndNight() {
        val walk = Walk { name, handset ->
            reached += handset.where()
            gallery.look(name, handset)
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
        problems(walk)
        gallery.draw("start", citizen.activity) { StartScreen(citizen.activity.navigator!!, Place(Names.START)).build(it) }
        reached += Names.START
        gallery.draw("other-window", citizen.activity) { otherWindow(it, {}, {}) }
        citizen.core.close()
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
        World.phone.camera.present = true
        citizen.pressProblem()
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
