package vn.citizenwallet.testing

import vn.citizenwallet.core.CardChannelPort
import vn.citizenwallet.core.ChannelCapacity
import vn.citizenwallet.core.ChannelFault
import java.io.DataInputStream
import java.io.DataOutputStream
import java.io.IOException
import java.net.InetSocketAddress
import java.net.Socket
import java.util.concurrent.ConcurrentHashMap

/**
 * A simulated card (`citizen-wallet chip sim`) behind a loopback socket: frames of a 16-bit length and an APDU; length 0 resets the field.
 * The card is pulled away once after [loseAfter] commands when that is given. A card lies in one field only: who holds it anew takes it from the other.
 */
class SocketCard(address: String, private var loseAfter: Int? = null) : CardChannelPort {
    private val address = address.let { InetSocketAddress(it.substringBeforeLast(':'), it.substringAfterLast(':').toInt()) }

    @Volatile private var socket: Socket? = null

    /** Commands so far. */
    @Volatile var exchanges = 0
        private set

    init {
        reconnect()
    }

    override fun transceive(command: ByteArray): ByteArray {
        if (command.size > LONGEST) throw ChannelFault.Other()
        exchanges += 1
        loseAfter?.let {
            if (exchanges > it) {
                loseAfter = null
                drop()
            }
        }
        val open = socket ?: throw ChannelFault.CardLost()
        return try {
            DataOutputStream(open.getOutputStream()).run {
                write(byteArrayOf((command.size shr 8).toByte(), command.size.toByte()) + command)
                flush()
            }
            val input = DataInputStream(open.getInputStream())
            ByteArray(input.readUnsignedShort()).also { input.readFully(it) }
        } catch (_: IOException) {
            drop()
            throw ChannelFault.CardLost()
        }
    }

    override fun capacity() = ChannelCapacity(maxCommand = LONGEST.toUInt(), extended = true)

    override fun cancel() = drop()

    override fun reconnect() {
        drop()
        try {
            val fresh = Socket()
            HELD.put(address, fresh)?.close()
            fresh.connect(address, 10_000)
            socket = fresh
            // A card that is held again starts from its power-on state.
            fresh.getOutputStream().write(byteArrayOf(0, 0))
        } catch (_: IOException) {
            throw ChannelFault.CardLost()
        }
    }

    private fun drop() {
        socket?.close()
        socket = null
    }

    private companion object {
        const val LONGEST = 65_000

        /** In whose field each card lies. */
        val HELD = ConcurrentHashMap<InetSocketAddress, Socket>()
    }
}
