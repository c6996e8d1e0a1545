package vn.citizenwallet.app

import org.junit.AfterClass
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** From first use to a checked answer, by the app's own buttons, two phones reading each other's screens. */
@RunWith(RobolectricTestRunner::class)
class WalkTest {
    @Test
    fun fromFirstUseToACheckedAnswerByTheAppsOwnButtons() {
        Walk().run {
            firstUse()
            activate()
            seeDocuments()
            enrolOfficer()
            askForLicence()
            consentAndShow()
            checkAnswer()
            unlock()
        }
    }

    companion object {
        @AfterClass
        @JvmStatic
        fun end() = World.end()
    }
}
