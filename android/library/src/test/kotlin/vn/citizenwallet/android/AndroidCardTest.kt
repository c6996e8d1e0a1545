package vn.citizenwallet.android

import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import vn.citizenwallet.core.ChannelFault
import vn.citizenwallet.core.contractCardChannel
import vn.citizenwallet.phone.NfcField
import vn.citizenwallet.phone.Phone
import vn.citizenwallet.testing.Card
import java.nio.file.Files
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit

/** [IsoDepChannel] over the framework's own `IsoDep`, below which a simulated card lies instead of an antenna. */
@RunWith(RobolectricTestRunner::class)
class AndroidCardTest {
    private val directory = Files.createTempDirectory("citizen-wallet-nfc-").toFile()
    private val card = Card(directory)
    private val phone = Phone()
    private val field = NfcField(card.address)
    private val channel = IsoDepChannel()

    @After
    fun end() {
        phone.close()
        card.close()
        directory.deleteRecursively()
    }

    @Test
    fun `the contract of the card channel`() {
        channel.onTagDiscovered(field.discover())
        val report = phone.worker { contractCardChannel(channel) }
        assertEquals("", report.brokenClause)
    }

    @Test
    fun `what the phone can carry is told`() {
        field.extended = false
        channel.onTagDiscovered(field.discover())
        val capacity = channel.capacity()
        assertEquals(261u, capacity.maxCommand)
        assertTrue(!capacity.extended)
        assertThrows(ChannelFault.Other::class.java) { channel.transceive(ByteArray(262)) }
    }

    @Test
    fun `badInput the card is pulled away and held again`() {
        channel.onTagDiscovered(field.discover())
        channel.transceive(SELECT)
        field.leavesAfter = 0
        assertThrows(ChannelFault.CardLost::class.java) { channel.transceive(SELECT) }
        val waiting = CompletableFuture.runAsync { channel.reconnect() }
        Thread.sleep(200)
        assertTrue("it waits for a card", !waiting.isDone)
        channel.onTagDiscovered(field.discover())
        waiting.get(10, TimeUnit.SECONDS)
        assertEquals(listOf(0x90.toByte(), 0.toByte()), channel.transceive(SELECT).toList())
    }

    @Test
    fun `badInput nobody holds a card`() {
        assertThrows(ChannelFault.CardLost::class.java) { channel.transceive(SELECT) }
        assertThrows(ChannelFault.CardLost::class.java) { channel.capacity() }
        channel.onTagDiscovered(null)
        val waiting = CompletableFuture.runAsync { channel.reconnect() }
        Thread.sleep(100)
        channel.cancel()
        assertTrue(cause(waiting) is ChannelFault.Cancelled)
    }

    @Test
    fun `badInput a card that never answers is let go by cancelling`() {
        channel.onTagDiscovered(field.discover())
        channel.transceive(SELECT)
        field.silent = true
        val waiting = CompletableFuture.runAsync { channel.transceive(SELECT) }
        Thread.sleep(200)
        assertTrue(!waiting.isDone)
        channel.cancel()
        assertTrue(cause(waiting) is ChannelFault.Cancelled)
        field.silent = false
        channel.reconnect()
        assertEquals(2, channel.transceive(SELECT).size)
    }

    @Test
    fun `badInput a tag that is out of date`() {
        channel.onTagDiscovered(field.discover())
        channel.transceive(SELECT)
        // Another tag was discovered since, of which this channel has not heard yet.
        val newer = field.discover()
        assertThrows(ChannelFault.CardLost::class.java) { channel.transceive(SELECT) }
        channel.onTagDiscovered(newer)
        channel.reconnect()
        assertEquals(2, channel.transceive(SELECT).size)
    }

    private fun cause(future: CompletableFuture<*>): Throwable? = try {
        future.get(10, TimeUnit.SECONDS)
        null
    } catch (error: ExecutionException) {
        error.cause
    }

    private companion object {
        /** SELECT of the eMRTD application. */
        val SELECT = byteArrayOf(0, 0xA4.toByte(), 4, 12, 7, 0xA0.toByte(), 0, 0, 2, 0x47, 16, 1)
    }
}
