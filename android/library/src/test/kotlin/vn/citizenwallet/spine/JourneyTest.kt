package vn.citizenwallet.spine

import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import vn.citizenwallet.core.CardPassword
import vn.citizenwallet.core.CheckResult
import vn.citizenwallet.core.Verifier
import vn.citizenwallet.core.VerdictView
import vn.citizenwallet.core.Wallet
import vn.citizenwallet.core.WalletException
import vn.citizenwallet.core.WalletState
import vn.citizenwallet.core.word
import vn.citizenwallet.testing.RecordingListener
import vn.citizenwallet.testing.SocketCard
import vn.citizenwallet.testing.SoftwareClock
import vn.citizenwallet.testing.SoftwareKeys
import vn.citizenwallet.testing.SoftwareSealer
import vn.citizenwallet.testing.Town
import vn.citizenwallet.testing.selfie

/** A citizen's wallet and an officer's staff device, from first use to a check that sees a suspension; central is away while they meet. */
class JourneyTest {
    @Test
    fun `activation, issuance, presentation and check, suspension seen`() = runBlocking {
        Town().use { town ->
            val officer = town.verifier("officer")
            assertNull(officer.staff())
            val staff = officer.enrol(town.central.staffCode("traffic-police", "Đội CSGT số 1", "Quốc lộ 5, km 32"))
            assertEquals("traffic-police", staff.role)
            says("officer syncs", "verified", officer.sync().verdict)

            val keys = SoftwareKeys()
            val sealer = SoftwareSealer()
            val listener = RecordingListener()
            val wallet = town.wallet("citizen", keys, sealer, listener = listener)
            assertEquals(WalletState.NEW, wallet.state())
            wallet.create(Town.PASSCODE)
            activate(town, wallet)
            val issued = wallet.obtainDocuments()
            says("issuance", "verified", issued.verdict)
            assertEquals(4, issued.documents.size)
            assertTrue("progress was told", listener.steps.any { "DG2" in it.step } && listener.states.isNotEmpty())

            // The app's process ended and began again: the same folder, the same keys.
            wallet.shutDown()
            wallet.close()
            val again = town.wallet("citizen", keys, sealer)
            assertEquals(WalletState.LOCKED, again.state())
            again.unlock(Town.PASSCODE)

            town.central.stop()
            val first = check(again, officer, "undetermined:portrait.match")
            assertEquals("driving-licence", first.document())
            val shown = first.display()!!.groups.flatMap { it.items }.map { it.field }
            assertTrue(shown.toString(), "full_name" in shown && "privileges" in shown)
            val consent = again.consentLog().first()
            assertEquals(listOf("shown", "driving-licence", "Đội CSGT số 1"), listOf(consent.outcome, consent.document, consent.organisation))

            Thread.sleep(1_100) // lists are dated in seconds
            town.central.suspendDocument(Town.CITIZEN, "driving-licence")
            town.central.start()
            says("officer syncs again", "verified", officer.sync().verdict)
            town.central.stop()
            val second = check(again, officer, "rejected:credential.status")
            assertTrue(second.statusIssuedAt()!! > first.statusIssuedAt()!!)
            assertNull("nothing of a suspended licence is shown", second.display())

            // Too much is asked: an alarm, and nothing is proposed.
            val asked = officer.ask("citizen-identity", listOf("full_name", "resident_address"), "", "")
            val pending = again.openRequest(asked.text())
            says("over-ask", "rejected:request.role", pending.verdict())
            assertEquals(listOf("resident_address"), pending.items().filter { it.overAsk }.map { it.field })
            pending.decline()
            assertEquals("declined", again.consentLog().first().outcome)
        }
    }

    /** By the steps that the core names, with the slips a person makes: a wrong CAN, a card that slips away, a wrong code. */
    private suspend fun activate(town: Town, wallet: Wallet) {
        assertEquals("begin", wallet.activation().next)
        var view = wallet.beginActivation()
        while (view.next != "done") {
            view = when (view.next) {
                "read-card" -> {
                    fails<WalletException.WrongCardKey> { wallet.readCard(SocketCard(town.card.address), CardPassword.Can("000000")) }
                    val report = wallet.readCard(SocketCard(town.card.address, loseAfter = 30), town.can)
                    says("card read, lost once", "verified", report.verdict)
                    assertEquals(Town.CITIZEN, report.display!!.personalNumber)
                    wallet.activation()
                }
                "submit-chip" -> wallet.submitChip()
                "request-code" -> wallet.requestCode()
                "enter-code" -> {
                    val before = wallet.activation().triesLeft!!
                    try {
                        wallet.submitCode("000000")
                    } catch (error: WalletException) {
                        println("wrong code: ${error.javaClass.simpleName}")
                    }
                    assertTrue(wallet.activation().triesLeft!! < before)
                    wallet.submitCode(town.central.newestCode())
                }
                "take-face" -> wallet.submitFace(selfie(town.directory))
                "complete" -> wallet.completeActivation()
                else -> throw AssertionError("the core names an unknown step: ${view.next}")
            }
            assertTrue("steps are told in words", view.display.groups.flatMap { it.items }.isNotEmpty())
        }
        says("activation", "verified", view.verdict)
    }

    private suspend fun check(wallet: Wallet, officer: Verifier, conclusion: String): CheckResult {
        val asked = officer.ask("driving-licence", null, "", "")
        val pending = wallet.openRequest(Town.byPicture(asked.text()))
        says("request", "verified", pending.verdict())
        val selection = pending.defaultSelection()!!
        val answer = pending.answer(selection.document, selection.fields)
        val result = officer.check(Town.byPicture(answer.text))
        says("check", conclusion, result.verdict())
        assertNotEquals("a verdict is told in words", "", word(result.verdict().display.title, "vi"))
        // The same answer again is refused: it was for that one question.
        says("the same answer again", "rejected:exchange.nonce", officer.check(Town.byPicture(answer.text)).verdict())
        return result
    }

    private fun says(step: String, conclusion: String, verdict: VerdictView) {
        println("$step: ${verdict.conclusion}")
        assertEquals(step, conclusion, verdict.conclusion)
    }
}

/** [act] ends in the error; gives it. */
internal suspend inline fun <reified E : WalletException> fails(act: () -> Unit): E {
    try {
        act()
    } catch (error: WalletException) {
        if (error is E) return error
        throw AssertionError("${error.javaClass.simpleName} instead of ${E::class.java.simpleName}", error)
    }
    throw AssertionError("no ${E::class.java.simpleName}")
}
