package vn.citizenwallet.android

import android.app.Activity
import android.nfc.NfcAdapter
import android.nfc.Tag
import android.nfc.TagLostException
import android.nfc.tech.IsoDep
import android.os.Bundle
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import vn.citizenwallet.core.CardChannelPort
import vn.citizenwallet.core.ChannelCapacity
import vn.citizenwallet.core.ChannelFault
import java.io.IOException
import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/**
 * The contactless card that is held to the phone, by reader mode and [IsoDep].
 *
 * A screen calls [start] when it is resumed and [stop] when it is paused, waits for [held] and hands the channel to `Wallet.readCard`. One channel
 * serves one reading; the same or another card held again comes through [reconnect].
 */
class IsoDepChannel : CardChannelPort, NfcAdapter.ReaderCallback {
    private val lock = ReentrantLock()
    private val arrived = lock.newCondition()

    /** The newest card that was held. */
    private var latest: IsoDep? = null

    /** The card that is talked to. */
    private var open: IsoDep? = null
    private var cancelled = false
    private val seen = MutableStateFlow(false)

    /** Cards held to the phone come here as long as [activity] is resumed. Without NFC, or with NFC off, nothing comes. */
    fun start(activity: Activity) {
        val delay = Bundle().apply { putInt(NfcAdapter.EXTRA_READER_PRESENCE_CHECK_DELAY, PRESENCE_CHECK_MILLIS) }
        NfcAdapter.getDefaultAdapter(activity)?.enableReaderMode(activity, this, READER_FLAGS, delay)
    }

    /** The screen is going away. */
    fun stop(activity: Activity) {
        NfcAdapter.getDefaultAdapter(activity)?.disableReaderMode(activity)
    }

    /** Waits until a card is held. */
    suspend fun held() {
        seen.first { it }
    }

    /** A tag came into the field (called by the system on a thread of its own). A tag without ISO-DEP is no card. */
    override fun onTagDiscovered(tag: Tag?) {
        val card = tag?.let { IsoDep.get(it) } ?: return
        lock.withLock {
            latest = card
            arrived.signalAll()
        }
        seen.value = true
    }

    override fun transceive(command: ByteArray): ByteArray {
        val card = card()
        return attempt {
            if (!card.isConnected) connect(card)
            if (command.size > card.maxTransceiveLength) throw ChannelFault.Other()
            card.transceive(command)
        }
    }

    override fun capacity(): ChannelCapacity {
        val card = card()
        return attempt {
            ChannelCapacity(maxCommand = card.maxTransceiveLength.toUInt(), extended = card.isExtendedLengthApduSupported)
        }
    }

    /** Ends a running exchange and a waiting [reconnect]; the next [reconnect] begins anew. */
    override fun cancel() {
        val card = lock.withLock {
            cancelled = true
            arrived.signalAll()
            open ?: latest
        }
        // Closing is what makes a running transceive return.
        if (card != null) close(card)
    }

    /** Powers the card up anew when it is still in the field, else waits for the next card. */
    override fun reconnect() {
        val end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(RECONNECT_MILLIS)
        lock.withLock { cancelled = false }
        var tried: IsoDep? = null
        while (true) {
            val card = other(tried, end)
            close(card)
            if (tryConnect(card)) return lock.withLock { open = card }
            tried = card
        }
    }

    /** The newest card; waits while that is [tried]. */
    private fun other(tried: IsoDep?, end: Long): IsoDep = lock.withLock {
        while (!cancelled) {
            val card = latest
            if (card != null && card !== tried) return card
            val left = end - System.nanoTime()
            if (left <= 0) throw ChannelFault.TimedOut()
            arrived.awaitNanos(left)
        }
        throw ChannelFault.Cancelled()
    }

    private fun card(): IsoDep = lock.withLock {
        if (cancelled) throw ChannelFault.Cancelled()
        val card = open ?: latest ?: throw ChannelFault.CardLost()
        open = card
        card
    }

    private fun connect(card: IsoDep) {
        card.connect()
        card.timeout = TRANSCEIVE_MILLIS
    }

    private fun tryConnect(card: IsoDep): Boolean = try {
        connect(card)
        true
    } catch (_: IOException) {
        false
    } catch (_: RuntimeException) {
        false
    }

    private fun close(card: IsoDep) {
        try {
            card.close()
        } catch (_: IOException) {
            // It is gone already.
        } catch (_: RuntimeException) {
            // The system's NFC service died, or the tag is out of date.
        }
    }

    /** Does [work] with the card; the system's exceptions become faults. */
    private fun <T> attempt(work: () -> T): T = try {
        work()
    } catch (_: TagLostException) {
        throw lost()
    } catch (_: IOException) {
        // Android tells most losses only like this ("Transceive failed").
        throw lost()
    } catch (_: SecurityException) {
        // The tag is out of date: another one was discovered since (Android 13 and newer).
        throw lost()
    } catch (_: IllegalStateException) {
        // Closed while it was used.
        throw lost()
    }

    private fun lost(): ChannelFault = lock.withLock { if (cancelled) ChannelFault.Cancelled() else ChannelFault.CardLost() }

    private companion object {
        /** Cards of type A and B; no NDEF (some chips hang on it), no sound of the system in the middle of a reading. */
        const val READER_FLAGS = NfcAdapter.FLAG_READER_NFC_A or NfcAdapter.FLAG_READER_NFC_B or
            NfcAdapter.FLAG_READER_SKIP_NDEF_CHECK or NfcAdapter.FLAG_READER_NO_PLATFORM_SOUNDS

        /** The system asks whether the card is still there; asked too often it disturbs slow chips. */
        const val PRESENCE_CHECK_MILLIS = 1_000

        /** A chip that computes may be silent this long; below the core's 10 s for one command. */
        const val TRANSCEIVE_MILLIS = 8_000

        /** The core waits as long. */
        const val RECONNECT_MILLIS = 60_000L
    }
}
