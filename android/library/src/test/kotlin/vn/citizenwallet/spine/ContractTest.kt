package vn.citizenwallet.spine

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Test
import vn.citizenwallet.core.ContractReport
import vn.citizenwallet.core.contractCardChannel
import vn.citizenwallet.core.contractClock
import vn.citizenwallet.core.contractDeviceSealer
import vn.citizenwallet.core.contractKeyStore
import vn.citizenwallet.core.contractListener
import vn.citizenwallet.testing.Card
import vn.citizenwallet.testing.RecordingListener
import vn.citizenwallet.testing.SocketCard
import vn.citizenwallet.testing.SoftwareClock
import vn.citizenwallet.testing.SoftwareKeys
import vn.citizenwallet.testing.SoftwareSealer
import java.nio.file.Files

/** The core's contract of each port, run against the ports written in Kotlin. */
class ContractTest {
    private fun holds(port: String, report: ContractReport) {
        println("contract $port: ${if (report.holds) "holds" else "BROKEN: " + report.brokenClause} (${report.clauses.size} clauses)")
        assertEquals("", report.brokenClause)
    }

    @Test
    fun `the ports written in Kotlin keep their contracts`() {
        holds("KeyStore", contractKeyStore(SoftwareKeys()))
        holds("DeviceSealer", contractDeviceSealer(SoftwareSealer()))
        holds("Clock", contractClock(SoftwareClock()))
        holds("Listener", contractListener(RecordingListener()))
    }

    @Test
    fun `a simulated card over a socket keeps the contract of a card channel`() {
        val directory = Files.createTempDirectory("citizen-wallet-card-").toFile()
        try {
            Card(directory).use { holds("CardChannel", contractCardChannel(SocketCard(it.address))) }
        } finally {
            directory.deleteRecursively()
        }
    }

    @Test
    fun `badInput a key store that does not count uses is found out`() {
        val forgetful = object : SoftwareKeys() {
            override fun counts(left: Int) = true
        }
        val report = contractKeyStore(forgetful)
        assertFalse(report.holds)
        assertEquals("uses-are-counted", report.brokenClause)
    }

    @Test
    fun `badInput an adapter that throws what no port may throw breaks its contract, not the process`() {
        val broken = object : SoftwareSealer() {
            override fun mac(input: ByteArray): ByteArray = error("nothing of this text may cross the border")
        }
        assertEquals("mac-is-stable", contractDeviceSealer(broken).brokenClause)
    }
}
