package vn.citizenwallet.android

import org.junit.After
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import vn.citizenwallet.core.PortFault
import vn.citizenwallet.core.SealPurpose
import vn.citizenwallet.core.contractDeviceSealer
import vn.citizenwallet.phone.Phone
import vn.citizenwallet.phone.TestBiometricPrompt
import vn.citizenwallet.phone.TestKeystore

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [29, 34])
class AndroidSealerTest {
    private val phone = Phone()
    private val sealer = KeystoreSealer(phone.application, "wallet", phone.prompt)

    @After
    fun end() = phone.close()

    @Test
    @Config(sdk = [34]) // The native library serves one class loader only.
    fun `the contract of the sealer`() {
        TestBiometricPrompt.onShow = { it.agree() }
        val report = phone.worker { contractDeviceSealer(sealer) }
        assertEquals("", report.brokenClause)
        assertEquals("one act serves for a minute", 1, TestBiometricPrompt.count)
        assertTrue(TestKeystore.specs.getValue("wallet-seal-user").isUserAuthenticationRequired)
        assertFalse(TestKeystore.specs.getValue("wallet-seal-background").isUserAuthenticationRequired)
    }

    @Test
    fun `the user is asked only when the last act is long ago`() {
        TestKeystore.proven(forOperation = false)
        val sealed = phone.worker { sealer.seal(SealPurpose.USER, byteArrayOf(1)) }
        assertEquals(0, TestBiometricPrompt.count)
        TestKeystore.provenAt = TestKeystore.provenAt!! - 61_000
        TestBiometricPrompt.onShow = { it.agree() }
        assertArrayEquals(byteArrayOf(1), phone.worker { sealer.unseal(SealPurpose.USER, sealed) })
        assertEquals(listOf("app.prompt.other"), phone.titles)
    }

    @Test
    fun `badInput what was sealed under keys that are gone is told as gone`() {
        TestBiometricPrompt.onShow = { it.agree() }
        val sealed = phone.worker { sealer.seal(SealPurpose.USER, byteArrayOf(1)) }
        val mac = sealer.mac(byteArrayOf(2))
        TestKeystore.invalidated.add("wallet-seal-user")
        assertThrows(PortFault.KeyInvalidated::class.java) { phone.worker { sealer.unseal(SealPurpose.USER, sealed) } }
        // A new wallet can be made after that, with a new key; the MAC's key is the same still.
        TestKeystore.invalidated.clear()
        assertArrayEquals(mac, sealer.mac(byteArrayOf(2)))
        sealer.forget()
        assertEquals(emptySet<String>(), TestKeystore.specs.keys)
        assertThrows(PortFault.KeyInvalidated::class.java) { phone.worker { sealer.unseal(SealPurpose.USER, sealed) } }
    }

    @Test
    fun `badInput no screen lock, no key that is bound to the user`() {
        phone.secure = false
        assertThrows(PortFault.NoSecureLock::class.java) { phone.worker { sealer.seal(SealPurpose.USER, byteArrayOf(1)) } }
        assertEquals(29, phone.worker { sealer.seal(SealPurpose.BACKGROUND, byteArrayOf(1)) }.size)
    }
}
