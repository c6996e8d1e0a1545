package vn.citizenwallet.spine

import kotlinx.coroutines.runBlocking
import org.junit.AfterClass
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.BeforeClass
import org.junit.Test
import vn.citizenwallet.core.CancelHandle
import vn.citizenwallet.core.CardPassword
import vn.citizenwallet.core.KeyPurpose
import vn.citizenwallet.core.PortFault
import vn.citizenwallet.core.Verifier
import vn.citizenwallet.core.Wallet
import vn.citizenwallet.core.WalletException
import vn.citizenwallet.core.explain
import vn.citizenwallet.core.word
import vn.citizenwallet.testing.Card
import vn.citizenwallet.testing.MovableCard
import vn.citizenwallet.testing.SocketCard
import vn.citizenwallet.testing.SoftwareClock
import vn.citizenwallet.testing.SoftwareKeys
import vn.citizenwallet.testing.Town

/**
 * Every type of error that an app can meet, each brought about once by what really brings it about, and told in words of both languages.
 *
 * `Internal` alone is not among them: it is what a fault of the core itself becomes (a panic in a worker thread, an answer that its own types
 * exclude), and nothing that an app, a card, a service or a port can do leads there. The core's own tests raise it by a panic.
 */
class ErrorsTest {
    /** Keys that can be made to refuse. */
    private class Moody : SoftwareKeys() {
        @Volatile var authoriseFails: PortFault? = null

        @Volatile var createFails: PortFault? = null

        override fun authorise(reason: String, keys: List<String>, maxUses: UInt, ttlMillis: ULong): String {
            authoriseFails?.let { throw it }
            return super.authorise(reason, keys, maxUses, ttlMillis)
        }

        override fun createKeys(purpose: KeyPurpose, count: UInt, challenge: ByteArray) =
            createFails?.let { throw it } ?: super.createKeys(purpose, count, challenge)
    }

    private companion object {
        lateinit var town: Town
        lateinit var wallet: Wallet
        lateinit var officer: Verifier
        val keys = Moody()
        val clock = SoftwareClock()

        @BeforeClass
        @JvmStatic
        fun begin() = runBlocking {
            town = Town()
            officer = town.verifier("officer")
            officer.enrol(town.central.staffCode("traffic-police", "Đội CSGT số 1", "Quốc lộ 5, km 32"))
            officer.sync()
            wallet = town.wallet("citizen", keys, clock = clock)
            wallet.create(Town.PASSCODE)
            town.activate(wallet)
            wallet.obtainDocuments()
            Unit
        }

        @AfterClass
        @JvmStatic
        fun end() = town.close()
    }

    @Test
    fun `every type of error once, and what it says`() {
        val seen = ArrayList<WalletException>()
        runBlocking {
            seen += fails<WalletException.Invalid> { town.wallet("new").unlock(Town.PASSCODE) }
            seen += passcodes()
            seen += cards()
            seen += service()
            seen += presentation()
            seen += folders()
            seen += fails<WalletException.Cancelled> { wallet.sync(CancelHandle().also { it.cancel() }) }
        }
        for (error in seen) {
            val problem = explain(error)
            val texts = problem.display.groups.flatMap { it.items }.map { it.label } + problem.display.title
            println("${error.javaClass.simpleName}: ${problem.id}, ${problem.action}: ${word(problem.display.title, "en")} / ${word(problem.display.title, "vi")}")
            for (key in texts.filter { it.isNotEmpty() }) {
                for (language in listOf("vi", "en")) assertNotEquals("$key in $language", key, word(key, language))
            }
        }
        val all = WalletException::class.java.declaredClasses.filter { WalletException::class.java.isAssignableFrom(it) }.map { it.simpleName }.toSet()
        assertEquals(all - "Internal", seen.map { it.javaClass.simpleName }.toSet())
    }

    /** A wrong passcode, and one too many. */
    private suspend fun passcodes(): List<WalletException> {
        val forgetful = town.wallet("forgetful")
        forgetful.create(Town.PASSCODE)
        forgetful.lock()
        val wrong = fails<WalletException.WrongPasscode> { forgetful.unlock("000000".toByteArray()) }
        assertEquals(4u, wrong.triesLeft)
        repeat(10) {
            try {
                forgetful.unlock("000000".toByteArray())
            } catch (error: WalletException) {
                if (error is WalletException.LockedUntil) return listOf(wrong, error)
            }
        }
        throw AssertionError("ten wrong passcodes and no waiting time")
    }

    /** The wrong number, a card pulled away for good, another card. */
    private suspend fun cards(): List<WalletException> {
        val reader = town.wallet("reader")
        reader.create(Town.PASSCODE)
        reader.beginActivation()
        return Card(town.directory, OTHER).use { other ->
            listOf(
                fails<WalletException.WrongCardKey> { reader.readCard(SocketCard(town.card.address), CardPassword.Can("000000")) },
                fails<WalletException.CardMoved> { reader.readCard(MovableCard(town.card.address, leavesAfter = 30, next = null), town.can) },
                fails<WalletException.DifferentCard> {
                    reader.readCard(MovableCard(town.card.address, leavesAfter = 30, next = other.address), town.can)
                },
            )
        }
    }

    /** No service. */
    private suspend fun service(): List<WalletException> {
        town.central.stop()
        return listOf(fails<WalletException.Network> { wallet.sync() }).also { town.central.start() }
    }

    /** Too much asked, too late answered, the user's no, keys that the phone cannot make. */
    private suspend fun presentation(): List<WalletException> {
        val greedy = wallet.openRequest(officer.ask("citizen-identity", listOf("full_name", "resident_address"), "", "").text())
        val untrusted = fails<WalletException.Untrusted> { greedy.answer("citizen-identity", listOf("full_name", "resident_address")) }
        assertEquals("request.role", untrusted.fact)
        val pending = wallet.openRequest(officer.ask("driving-licence", null, "", "").text())
        val selection = pending.defaultSelection()!!
        keys.authoriseFails = PortFault.Cancelled()
        val declined = fails<WalletException.Declined> { pending.answer(selection.document, selection.fields) }
        keys.authoriseFails = null
        clock.ahead = 600
        val expired = fails<WalletException.Expired> { pending.answer(selection.document, selection.fields) }
        clock.ahead = 0
        val incapable = Moody().also { it.createFails = PortFault.Unsupported() }
        val poor = town.wallet("poor", incapable)
        poor.create(Town.PASSCODE)
        val unsupported = fails<WalletException.Unsupported> { poor.beginActivation() }
        assertTrue("nothing was shown", wallet.consentLog().none { it.outcome == "shown" })
        return listOf(untrusted, declined, expired, unsupported)
    }

    /** A folder that is in use, an object that was closed. */
    private suspend fun folders(): List<WalletException> {
        val busy = fails<WalletException.Storage> { town.wallet("citizen") }
        assertEquals("busy", busy.reason)
        val closed = town.wallet("closed")
        closed.shutDown()
        return listOf(busy, fails<WalletException.Closed> { closed.documents() })
    }
}

private const val OTHER = "079185004567"
