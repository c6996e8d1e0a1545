package vn.citizenwallet.spine

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import vn.citizenwallet.core.CardPassword
import vn.citizenwallet.core.KeyPurpose
import vn.citizenwallet.core.NewKeys
import vn.citizenwallet.core.SealPurpose
import vn.citizenwallet.core.WalletException
import vn.citizenwallet.core.WalletState
import vn.citizenwallet.core.traceTo
import vn.citizenwallet.testing.Card
import vn.citizenwallet.testing.MovableCard
import vn.citizenwallet.testing.MuteCard
import vn.citizenwallet.testing.RecordingListener
import vn.citizenwallet.testing.SocketCard
import vn.citizenwallet.testing.SoftwareKeys
import vn.citizenwallet.testing.SoftwareSealer
import vn.citizenwallet.testing.Town
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/** What an app, a person or a phone does wrong: each ends in an error that says what happened, nothing is lost, and the next try goes on. */
class BadInputTest {
    private val town = Town()

    @After
    fun end() = town.close()

    @Test
    fun `badInput an adapter that throws`() = runBlocking {
        val secret = "Nguyễn Văn An"
        val broken = object : SoftwareKeys() {
            @Volatile var throws = true

            override fun createKeys(purpose: KeyPurpose, count: UInt, challenge: ByteArray): NewKeys =
                if (throws) error(secret) else super.createKeys(purpose, count, challenge)
        }
        val log = RecordingListener()
        traceTo(log, "debug")
        val wallet = town.wallet("wallet", broken, listener = log)
        wallet.create(Town.PASSCODE)
        val error = fails<WalletException.Invalid> { wallet.beginActivation() }
        traceTo(log, "off")
        assertTrue(error.reason, error.reason.endsWith("unavailable"))
        assertTrue("the library's lines come", log.lines.isNotEmpty())
        assertFalse("the exception's text goes nowhere", log.lines.any { secret in it.third } || secret in error.toString())
        broken.throws = false
        assertEquals("read-card", wallet.beginActivation().next)
    }

    /** A sealer whose key of one kind does not answer. */
    private class Stuck(private val which: SealPurpose) : SoftwareSealer() {
        private val never = CountDownLatch(1)

        /** Counted down when somebody waits. */
        val waiting = CountDownLatch(1)

        override fun seal(purpose: SealPurpose, share: ByteArray): ByteArray {
            if (purpose == which && never.count > 0) {
                waiting.countDown()
                never.await(5, TimeUnit.MINUTES)
            }
            return super.seal(purpose, share)
        }

        fun release() = never.countDown()
    }

    @Test
    fun `badInput an adapter whose prompt never returns is stopped`() = runBlocking {
        val stuck = Stuck(SealPurpose.USER)
        val wallet = town.wallet("wallet", sealer = stuck)
        val creating = launch(Dispatchers.Default) { wallet.create(Town.PASSCODE) }
        assertTrue(stuck.waiting.await(60, TimeUnit.SECONDS))
        creating.cancelAndJoin()
        assertEquals("nothing was made", WalletState.NEW, wallet.state())
        stuck.release()
        onceFree { wallet.create(Town.PASSCODE) }
        assertEquals(WalletState.UNLOCKED, wallet.state())
    }

    @Test
    fun `badInput an adapter that never returns`() = runBlocking {
        val stuck = Stuck(SealPurpose.BACKGROUND)
        val wallet = town.wallet("wallet", sealer = stuck)
        val begun = System.nanoTime()
        val error = fails<WalletException.Invalid> { wallet.create(Town.PASSCODE) }
        println("an adapter that never returns: given up after ${(System.nanoTime() - begun) / 1_000_000} ms")
        assertTrue(error.reason, error.reason.endsWith("timed-out"))
        assertTrue("in seconds", System.nanoTime() - begun in TimeUnit.SECONDS.toNanos(9)..TimeUnit.SECONDS.toNanos(30))
        stuck.release()
        wallet.create(Town.PASSCODE)
        assertEquals(WalletState.UNLOCKED, wallet.state())
    }

    @Test
    fun `badInput a coroutine that is cancelled in the middle of a call`() = runBlocking {
        val wallet = town.wallet("wallet")
        wallet.create(Town.PASSCODE)
        wallet.beginActivation()
        val card = MuteCard(town.card.address, answers = 30, wakes = true)
        val job = launch(Dispatchers.Default) { wallet.readCard(card, town.can) }
        assertTrue(card.silent.await(60, TimeUnit.SECONDS))
        job.cancelAndJoin()
        assertTrue(job.isCancelled)
        // Nothing is lost: the wallet is as it was, and goes on where it stopped.
        assertEquals("read-card", wallet.activation().next)
        assertEquals("verified", onceFree { wallet.readCard(SocketCard(town.card.address), town.can) }.verdict.conclusion)
        assertEquals("submit-chip", wallet.activation().next)
    }

    /** A coroutine ends at once when it is cancelled; the work behind it takes some milliseconds more, and is in the way until then. */
    private suspend fun <T> onceFree(act: suspend () -> T): T {
        val begun = System.nanoTime()
        while (true) {
            try {
                return act().also { println("free again ${(System.nanoTime() - begun) / 1_000_000} ms after the cancelled call, this call's time included") }
            } catch (busy: WalletException.Invalid) {
                if (busy.reason != "busy" || System.nanoTime() - begun > TimeUnit.SECONDS.toNanos(5)) throw busy
                kotlinx.coroutines.delay(10)
            }
        }
    }

    @Test
    fun `badInput the card is pulled away, and held again`() = runBlocking {
        val wallet = town.wallet("wallet")
        wallet.create(Town.PASSCODE)
        wallet.beginActivation()
        fails<WalletException.CardMoved> { wallet.readCard(MovableCard(town.card.address, leavesAfter = 40, next = null), town.can) }
        val rest = SocketCard(town.card.address)
        assertEquals("verified", wallet.readCard(rest, town.can).verdict.conclusion)
        val whole = SocketCard(town.card.address)
        wallet.readCard(whole, town.can)
        println("commands: ${whole.exchanges} for a whole reading, ${rest.exchanges} for the rest of one that was broken off")
        assertTrue(rest.exchanges < whole.exchanges)
    }

    @Test
    fun `badInput another card`() = runBlocking {
        val wallet = town.wallet("wallet")
        wallet.create(Town.PASSCODE)
        wallet.beginActivation()
        Card(town.directory, "079185004567").use { other ->
            fails<WalletException.WrongCardKey> { wallet.readCard(SocketCard(other.address), town.can) }
            fails<WalletException.DifferentCard> { wallet.readCard(MovableCard(town.card.address, leavesAfter = 40, next = other.address), town.can) }
        }
        assertEquals("verified", wallet.readCard(SocketCard(town.card.address), town.can).verdict.conclusion)
    }

    @Test
    fun `badInput a number that is no card access number`() = runBlocking {
        val wallet = town.wallet("wallet")
        wallet.create(Town.PASSCODE)
        wallet.beginActivation()
        for (can in listOf("", "12345", "12345x", "1234567")) {
            val card = SocketCard(town.card.address)
            fails<WalletException.WrongCardKey> { wallet.readCard(card, CardPassword.Can(can)) }
            assertTrue("the card is not asked with it", card.exchanges < 5)
        }
    }

    @Test
    fun `badInput a second window opens the same folder`() = runBlocking {
        val keys = SoftwareKeys()
        val sealer = SoftwareSealer()
        val first = town.wallet("wallet", keys, sealer)
        first.create(Town.PASSCODE)
        val error = fails<WalletException.Storage> { town.wallet("wallet", keys, sealer) }
        assertEquals("busy", error.reason)
        assertEquals("the first window goes on", WalletState.UNLOCKED, first.state())
        first.shutDown()
        val second = town.wallet("wallet", keys, sealer)
        assertEquals(WalletState.LOCKED, second.state())
        second.unlock(Town.PASSCODE)
    }

    @Test
    fun `badInput two windows do the same at once`() = runBlocking {
        val wallet = town.wallet("wallet")
        wallet.create(Town.PASSCODE)
        val both = List(2) { async(Dispatchers.Default) { runCatching { wallet.beginActivation() } } }.map { it.await() }
        assertTrue("at least one goes through, the other is told why not", both.any { it.isSuccess })
        assertTrue(both.mapNotNull { it.exceptionOrNull() }.all { it is WalletException })
        assertEquals("read-card", wallet.activation().next)
    }

    @Test
    fun `badInput text of another app's code is no request`() = runBlocking {
        val wallet = town.wallet("wallet")
        wallet.create(Town.PASSCODE)
        for (text in listOf("", "https://example.org/", "x".repeat(5_000))) {
            try {
                println("foreign text of ${text.length}: ${wallet.openRequest(text).verdict().conclusion}")
                throw AssertionError("a foreign text became a request")
            } catch (error: WalletException) {
                println("foreign text of ${text.length}: ${error.javaClass.simpleName} ${vn.citizenwallet.core.explain(error).id}")
            }
        }
    }

    @Test
    fun `badInput the wallet is locked in the middle of a reading`() = runBlocking {
        val wallet = town.wallet("wallet")
        wallet.create(Town.PASSCODE)
        wallet.beginActivation()
        val card = MuteCard(town.card.address, answers = 30, wakes = true)
        val reading = async(Dispatchers.Default) { runCatching { wallet.readCard(card, town.can) } }
        assertTrue(card.silent.await(60, TimeUnit.SECONDS))
        wallet.lock()
        card.release()
        val error = reading.await().exceptionOrNull()
        assertTrue("$error", error is WalletException)
        assertEquals(WalletState.LOCKED, wallet.state())
        wallet.unlock(Town.PASSCODE)
        assertEquals("read-card", wallet.activation().next)
        assertEquals("verified", wallet.readCard(SocketCard(town.card.address), town.can).verdict.conclusion)
    }
}
