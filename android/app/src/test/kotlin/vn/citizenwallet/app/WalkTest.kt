package vn.citizenwallet.app

import kotlinx.coroutines.runBlocking
import org.junit.AfterClass
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import vn.citizenwallet.app.nav.Names
import vn.citizenwallet.core.CardPassword
import vn.citizenwallet.core.Wallet
import vn.citizenwallet.testing.Card
import vn.citizenwallet.testing.SocketCard
import vn.citizenwallet.testing.SoftwareClock
import vn.citizenwallet.testing.SoftwareKeys
import vn.citizenwallet.testing.SoftwareSealer
import vn.citizenwallet.testing.Town
import vn.citizenwallet.testing.selfie
import java.io.File
import kotlin.concurrent.thread

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

    @Test
    fun badInputTheAccountMovedToAnotherPhoneAndComesBack() {
        val walk = Walk()
        walk.firstUse()
        walk.activate()
        val phone = walk.citizen
        Card(World.folder).use { card ->
            anotherPhone(phone, card)
            // This one has lost its account: the next sync tells it, and it can be activated again. Nothing has to be removed for that.
            phone.pressText(phone.words("app.settings.title"))
            phone.arrive(Names.SETTINGS)
            phone.pressText(phone.words("app.settings.sync"))
            phone.until("the end of the account") { !phone.screen.working && phone.sees(phone.words("problem.account-ended")) }
            phone.back()
            phone.arrive(Names.ACTIVATION)
            phone.press("app.activation.begin")
            phone.arrive(Names.CARD_NUMBER)
            phone.type("app.card-number.field", Walk.CARD_NUMBER)
            phone.press("app.card-number.do")
            phone.until("the antenna") { phone.where() == Names.READ_CARD && World.phone.listening }
            World.phone.hold(socketCard(card.address))
            phone.arrive(Names.CODE)
            phone.press("app.code.request")
            phone.until("the code's line") { !phone.screen.working && phone.sees(phone.words("app.code.why")) }
            phone.type("app.code.field", World.central.newestCode())
            phone.press("app.code.do")
            World.phone.camera.picture = selfie(World.folder)
            phone.arrive(Names.FACE)
            phone.press("app.face.do")
            phone.until("documents fetched", 120) { phone.where() == Names.OBTAIN && !phone.screen.working }
            assertEquals(null, phone.screen.trouble)
            phone.press("app.obtain.documents")
            phone.arrive(Names.DOCUMENTS)
        }
    }

    /** The same citizen activates another phone. */
    private fun anotherPhone(phone: Handset, card: Card) {
        var done: Result<Unit>? = null
        thread {
            done = runCatching {
                runBlocking {
                    Wallet.open(World.central.walletConfig(File(World.folder, "another")), SoftwareKeys(), SoftwareSealer(), SoftwareClock(), null).use {
                        it.create(Town.PASSCODE)
                        it.beginActivation()
                        it.readCard(SocketCard(card.address), CardPassword.Can(Walk.CARD_NUMBER))
                        it.submitChip()
                        it.requestCode()
                        it.submitCode(World.central.newestCode())
                        it.submitFace(selfie(World.folder))
                        it.completeActivation()
                        it.obtainDocuments()
                        Unit
                    }
                }
            }
        }
        phone.until("the other phone's activation", 120) { done != null }
        done!!.getOrThrow()
    }

    companion object {
        @AfterClass
        @JvmStatic
        fun end() = World.end()
    }
}
