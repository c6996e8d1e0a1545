package vn.citizenwallet.testing

import vn.citizenwallet.core.CardChannelPort
import vn.citizenwallet.core.ChannelFault
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/** A card that is pulled away after so many commands; the [next] one is held then, or none. */
class MovableCard(first: String, private val leavesAfter: Int, private val next: String?) : CardChannelPort {
    private var card = SocketCard(first)
    private var gone = false

    override fun transceive(command: ByteArray): ByteArray {
        if (!gone && card.exchanges >= leavesAfter) {
            gone = true
            card.cancel()
            throw ChannelFault.CardLost()
        }
        return card.transceive(command)
    }

    override fun capacity() = card.capacity()

    override fun cancel() = card.cancel()

    override fun reconnect() {
        if (!gone) return card.reconnect()
        card = SocketCard(next ?: throw ChannelFault.CardLost())
    }
}

/** A card that answers so many commands and then never again; [wakes] tells whether cancelling wakes the call that waits. */
class MuteCard(address: String, private val answers: Int, private val wakes: Boolean) : CardChannelPort {
    private val card = SocketCard(address)
    private val never = CountDownLatch(1)

    /** Counted down when the card has fallen silent. */
    val silent = CountDownLatch(1)

    override fun transceive(command: ByteArray): ByteArray {
        if (card.exchanges < answers) return card.transceive(command)
        silent.countDown()
        never.await(5, TimeUnit.MINUTES)
        throw ChannelFault.Cancelled()
    }

    override fun capacity() = card.capacity()

    override fun cancel() {
        if (wakes) never.countDown()
    }

    override fun reconnect() = card.reconnect()

    /** Lets the waiting call go: a test leaves no thread behind. */
    fun release() = never.countDown()
}
