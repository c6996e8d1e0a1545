package vn.citizenwallet.spine

import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import vn.citizenwallet.core.FfiConverterTypeClockPort
import vn.citizenwallet.core.FfiConverterTypeDeviceSealerPort
import vn.citizenwallet.core.FfiConverterTypeKeyStorePort
import vn.citizenwallet.core.Wallet
import vn.citizenwallet.core.WalletConfig
import vn.citizenwallet.core.WalletState
import vn.citizenwallet.testing.Process
import vn.citizenwallet.testing.SoftwareClock
import vn.citizenwallet.testing.SoftwareKeys
import vn.citizenwallet.testing.SoftwareSealer
import vn.citizenwallet.testing.Town
import java.lang.management.ManagementFactory
import java.nio.file.Files
import java.util.concurrent.TimeUnit

/** Opening and closing a wallet ten thousand times leaves memory, threads and handles as they were. */
class CyclesTest {
    /** [ownKib]: resident memory without what the JVM has set aside for its own heap, classes and compiled code. */
    private class Figures(val cycle: Int, val residentKib: Long, val ownKib: Long, val threads: Int, val handles: Int)

    private fun figures(cycle: Int): Figures {
        // What the JVM has not cleaned up yet is not the library's.
        repeat(3) {
            System.gc()
            Thread.sleep(100)
        }
        val memory = ManagementFactory.getMemoryMXBean()
        val jvm = (memory.heapMemoryUsage.committed + memory.nonHeapMemoryUsage.committed) / 1024
        val resident = Process.residentKib
        return Figures(cycle, resident, resident - jvm, Process.threads, Process.handles).also {
            println(
                "after ${it.cycle} cycles: ${it.residentKib / 1024} MiB resident (the JVM's own: $jvm KiB, its heap in use: " +
                    "${memory.heapMemoryUsage.used / 1024} KiB), ${it.threads} threads, ${it.handles} handles",
            )
        }
    }

    @Test
    fun `ten thousand openings leave memory, threads and handles flat`() {
        Town().use { town ->
            val config: WalletConfig = town.central.walletConfig(Files.createTempDirectory(town.directory.toPath(), "wallet").toFile())
            val keys = SoftwareKeys()
            val sealer = SoftwareSealer()
            val clock = SoftwareClock()
            Wallet.open(config, keys, sealer, clock, null).use { runBlocking { it.create(Town.PASSCODE) } }
            val begun = System.nanoTime()
            val seen = ArrayList<Figures>()
            for (cycle in 1..CYCLES) {
                Wallet.open(config, keys, sealer, clock, null).use {
                    assertEquals(WalletState.LOCKED, it.state())
                    // A passcode is slow on purpose: now and then only.
                    if (cycle % UNLOCK_EVERY == 0) runBlocking { it.unlock(Town.PASSCODE) }
                    it.shutDown()
                }
                if (cycle % (CYCLES / 5) == 0) seen += figures(cycle)
            }
            println("$CYCLES cycles in ${TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun)} s")
            // The JVM compiles and makes room for itself in the first thousands.
            val (first, last) = seen[1] to seen.last()
            val grown = last.residentKib - first.residentKib
            println("from ${first.cycle} to ${last.cycle}: ${grown * 1024 / (last.cycle - first.cycle)} bytes a cycle, the JVM's own heap included")
            assertTrue("memory", grown < 12 * 1024)
            val held = listOf(FfiConverterTypeKeyStorePort.handleMap, FfiConverterTypeDeviceSealerPort.handleMap, FfiConverterTypeClockPort.handleMap)
            assertEquals("ports that the library still holds", listOf(0, 0, 0), held.map { it.size })
            assertTrue("threads", last.threads <= first.threads + 2)
            assertTrue("handles", last.handles <= first.handles + 2)
        }
    }

    private companion object {
        const val CYCLES = 10_000
        const val UNLOCK_EVERY = 1_000
    }
}
