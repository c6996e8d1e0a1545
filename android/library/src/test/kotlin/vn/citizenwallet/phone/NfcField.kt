package vn.citizenwallet.phone

import android.nfc.INfcTag
import android.nfc.NdefMessage
import android.nfc.Tag
import android.nfc.TransceiveResult
import android.nfc.tech.IsoDep
import android.nfc.tech.TagTechnology
import android.os.Bundle
import org.robolectric.annotation.Implements
import vn.citizenwallet.core.ChannelFault
import vn.citizenwallet.testing.SocketCard

/** The framework's own [IsoDep] works, not Robolectric's stand-in for it: below it is the [NfcField]. */
@Implements(value = IsoDep::class, callThroughByDefault = true)
class RealIsoDep

/** As [RealIsoDep], for what all kinds of tags have in common. */
@Implements(className = "android.nfc.tech.BasicTagTechnology", callThroughByDefault = true)
class RealTagTechnology

/** The phone's NFC service with a simulated card in its field. */
class NfcField(private val address: String) : INfcTag.Stub() {
    private var card: SocketCard? = null

    /** After so many commands the card is away. */
    @Volatile var leavesAfter = Int.MAX_VALUE

    /** Whether commands are never answered until the card is closed. */
    @Volatile var silent = false

    /** Whether the phone takes extended length. */
    @Volatile var extended = true

    /** Discovered tags count up; one that is not the newest is out of date. */
    @Volatile private var cookie = 0L

    private val gate = Object()
    private var broken = 0

    /** A card is held to the phone now. */
    fun discover(): Tag {
        leavesAfter = Int.MAX_VALUE
        card = SocketCard(address)
        cookie += 1
        return Tag(byteArrayOf(8, 1, 2, 3), intArrayOf(TagTechnology.ISO_DEP), arrayOf(Bundle()), 1, cookie, this)
    }

    override fun connect(handle: Int, technology: Int): Int = if (leavesAfter > 0) SUCCESS else FAILURE

    override fun reconnect(handle: Int): Int {
        synchronized(gate) {
            broken += 1
            gate.notifyAll()
        }
        if (leavesAfter <= 0) return FAILURE
        card?.reconnect()
        return SUCCESS
    }

    override fun transceive(handle: Int, data: ByteArray, raw: Boolean): TransceiveResult {
        if (leavesAfter <= 0) return TransceiveResult(TransceiveResult.RESULT_TAGLOST, null)
        leavesAfter -= 1
        if (silent) {
            synchronized(gate) {
                val now = broken
                while (broken == now) gate.wait(60_000)
            }
            return TransceiveResult(TransceiveResult.RESULT_FAILURE, null)
        }
        return try {
            TransceiveResult(TransceiveResult.RESULT_SUCCESS, card!!.transceive(data))
        } catch (_: ChannelFault) {
            TransceiveResult(TransceiveResult.RESULT_TAGLOST, null)
        }
    }

    override fun getMaxTransceiveLength(technology: Int) = if (extended) 65_000 else 261
    override fun getExtendedLengthApdusSupported() = extended
    override fun isTagUpToDate(cookie: Long) = cookie == this.cookie
    override fun setTimeout(technology: Int, timeout: Int) = SUCCESS
    override fun getTimeout(technology: Int) = 8_000
    override fun resetTimeouts() = Unit
    override fun isPresent(handle: Int) = leavesAfter > 0
    override fun getTechList(handle: Int) = intArrayOf(TagTechnology.ISO_DEP)
    override fun isNdef(handle: Int) = false
    override fun ndefRead(handle: Int): NdefMessage? = null
    override fun ndefWrite(handle: Int, message: NdefMessage?) = FAILURE
    override fun ndefMakeReadOnly(handle: Int) = FAILURE
    override fun ndefIsWritable(handle: Int) = false
    override fun formatNdef(handle: Int, key: ByteArray?) = FAILURE
    override fun rediscover(handle: Int): Tag? = null
    override fun canMakeReadOnly(technology: Int) = false

    private companion object {
        const val SUCCESS = 0
        const val FAILURE = -1
    }
}
