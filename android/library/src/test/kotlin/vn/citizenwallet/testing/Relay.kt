package vn.citizenwallet.testing

import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.Collections
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicLong
import kotlin.concurrent.thread

/** A link on the loopback interface between a phone and the service, which can be made to stall: nothing comes through and nothing is refused. */
class Relay : AutoCloseable {
    private val server = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    private val sockets = Collections.synchronizedSet(HashSet<Socket>())

    @Volatile private var gate: CountDownLatch? = null

    /** After how many more bytes towards the phone the link stalls; null: never. */
    @Volatile private var left: AtomicLong? = null

    /** Where it listens. */
    val port: Int get() = server.localPort

    /** The service's port. */
    @Volatile var target = 0

    /** Bytes that went to the phone. */
    val carried = AtomicLong()

    /** How many connections of the phone are open. */
    val connections: Int get() = sockets.count { it.localPort == port && !it.isClosed }

    /** Whether it stalls now. */
    val stalls: Boolean get() = gate != null

    init {
        thread(isDaemon = true, name = "relay") {
            while (!server.isClosed) {
                try {
                    carry(server.accept())
                } catch (_: IOException) {
                    // The service is not there, or the relay ends.
                }
            }
        }
    }

    /** Lets [bytes] more through towards the phone, then nothing in either direction until [flow]. */
    fun stallAfter(bytes: Long) {
        left = AtomicLong(bytes)
    }

    /** Lets everything through again. */
    fun flow() {
        left = null
        gate?.countDown()
        gate = null
    }

    private fun carry(phone: Socket) {
        sockets.add(phone)
        val service = Socket()
        try {
            service.connect(InetSocketAddress(InetAddress.getLoopbackAddress(), target), 5_000)
        } catch (error: IOException) {
            drop(phone)
            throw error
        }
        sockets.add(service)
        pump(phone, service, false)
        pump(service, phone, true)
    }

    private fun pump(from: Socket, to: Socket, towardsPhone: Boolean) = thread(isDaemon = true, name = "relay pump") {
        val buffer = ByteArray(4096)
        try {
            while (true) {
                val read = from.getInputStream().read(buffer)
                if (read < 0) break
                if (towardsPhone) {
                    val budget = left
                    if (budget != null && budget.addAndGet(-read.toLong()) < 0 && gate == null) gate = CountDownLatch(1)
                    carried.addAndGet(read.toLong())
                }
                gate?.await()
                to.getOutputStream().write(buffer, 0, read)
            }
        } catch (_: IOException) {
            // One side is gone.
        } finally {
            drop(from)
            drop(to)
        }
    }

    private fun drop(socket: Socket) {
        sockets.remove(socket)
        socket.close()
    }

    override fun close() {
        flow()
        server.close()
        synchronized(sockets) { sockets.toList() }.forEach { it.close() }
    }
}
