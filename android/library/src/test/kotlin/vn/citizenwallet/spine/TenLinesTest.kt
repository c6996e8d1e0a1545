package vn.citizenwallet.spine

import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import vn.citizenwallet.core.CardPassword
import vn.citizenwallet.core.Wallet
import vn.citizenwallet.testing.SocketCard
import vn.citizenwallet.testing.SoftwareClock
import vn.citizenwallet.testing.SoftwareKeys
import vn.citizenwallet.testing.SoftwareSealer
import vn.citizenwallet.testing.Town
import vn.citizenwallet.testing.selfie
import java.io.File

/** Ten lines from open to documents. The README shows what stands between the two marks. */
class TenLinesTest {
    @Test
    fun `ten lines from open to documents`() {
        Town().use { town ->
            val config = town.central.walletConfig(town.folder("wallet"))
            val keys = SoftwareKeys()
            val sealer = SoftwareSealer()
            val clock = SoftwareClock()
            val passcode = Town.PASSCODE
            val card = SocketCard(town.card.address)
            val selfie = selfie(town.directory)
            val code = { town.central.newestCode() }
            val documents = runBlocking {
                // README: begin
                val wallet = Wallet.open(config, keys, sealer, clock, listener = null)
                wallet.create(passcode)
                wallet.beginActivation()
                wallet.readCard(card, CardPassword.Can("000123"))
                wallet.submitChip()
                wallet.requestCode()
                wallet.submitCode(code())
                wallet.submitFace(selfie)
                wallet.completeActivation()
                val documents = wallet.obtainDocuments().documents
                // README: end
                wallet.close()
                documents
            }
            assertEquals(4, documents.size)
        }
    }

    @Test
    fun `the README shows these lines`() {
        val shown = File(root, "README.md").readText().lines().map { it.trim() }.filter { it.isNotEmpty() }
        val source = File(root, "android/library/src/test/kotlin/vn/citizenwallet/spine/TenLinesTest.kt").readLines().map { it.trim() }
        val lines = source.subList(source.indexOf("// README: begin") + 1, source.indexOf("// README: end"))
        assertEquals(10, lines.size)
        assertTrue("README.md does not show the ten lines of TenLinesTest", shown.windowed(lines.size).any { it == lines })
    }

    private companion object {
        /** The tests run in the module's folder. */
        val root: File = File(System.getProperty("basedir") ?: ".").resolve("../..").canonicalFile
    }
}
