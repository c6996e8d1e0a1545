package vn.citizenwallet.android

import android.content.pm.PackageManager
import android.hardware.biometrics.BiometricPrompt
import android.os.Build
import android.security.keystore.KeyProperties
import org.junit.After
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import vn.citizenwallet.core.KeyPurpose
import vn.citizenwallet.core.PortFault
import vn.citizenwallet.core.contractKeyStore
import vn.citizenwallet.phone.Phone
import vn.citizenwallet.phone.TestBiometricPrompt
import vn.citizenwallet.phone.TestKeystore

/** [KeystoreKeys] over a key store that stands in for the phone's: see `docs/device-checklist.md` for what only a phone can show. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [29, 34])
class AndroidKeysTest {
    private val phone = Phone()
    private val keys = KeystoreKeys(phone.application, "wallet", phone.prompt)

    @After
    fun end() = phone.close()

    @Test
    @Config(sdk = [34]) // The native library serves one class loader only.
    fun `the contract of the key store`() {
        TestBiometricPrompt.onShow = { it.agree() }
        val report = phone.worker(120) { contractKeyStore(keys) }
        assertEquals("", report.brokenClause)
        assertTrue("${TestBiometricPrompt.count} prompts", TestBiometricPrompt.count in 4..10)
        assertEquals("the contract removes its keys", emptyMap<String, Any>(), TestKeystore.specs)
    }

    @Test
    fun `keys are bound as their purpose says`() {
        val names = KeyPurpose.values().associateWith { phone.worker { keys.createKeys(it, 1u, byteArrayOf(1)) }.keys.single().id }
        val specs = TestKeystore.specs
        assertFalse(specs.getValue(names.getValue(KeyPurpose.ACCOUNT)).isUserAuthenticationRequired)
        val transaction = if (Build.VERSION.SDK_INT >= 30) 0 else 30
        for ((purpose, seconds) in mapOf(KeyPurpose.HOLDER to 30, KeyPurpose.TRANSACTION to transaction)) {
            val spec = specs.getValue(names.getValue(purpose))
            assertTrue(spec.isUserAuthenticationRequired)
            @Suppress("DEPRECATION")
            assertEquals(seconds, spec.userAuthenticationValidityDurationSeconds)
            assertEquals(KeyProperties.PURPOSE_SIGN, spec.purposes)
            assertArrayEquals(arrayOf(KeyProperties.DIGEST_SHA256), spec.digests)
            assertArrayEquals(byteArrayOf(1), spec.attestationChallenge)
            if (Build.VERSION.SDK_INT >= 30) {
                assertEquals(KeyProperties.AUTH_BIOMETRIC_STRONG or KeyProperties.AUTH_DEVICE_CREDENTIAL, spec.userAuthenticationType)
            }
        }
    }

    @Test
    fun `the separate security chip is used, and done without when it refuses`() {
        shadowOf(phone.application.packageManager).setSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE, true)
        val keys = KeystoreKeys(phone.application, "wallet", phone.prompt)
        val first = keys.createKeys(KeyPurpose.ACCOUNT, 1u, byteArrayOf(1)).keys.single().id
        assertTrue(TestKeystore.specs.getValue(first).isStrongBoxBacked)
        TestKeystore.strongBoxFails = true
        val second = keys.createKeys(KeyPurpose.ACCOUNT, 1u, byteArrayOf(1)).keys.single().id
        assertFalse(TestKeystore.specs.getValue(second).isStrongBoxBacked)
    }

    @Test
    fun `the evidence holds each certificate once and a chain for each key`() {
        val made = keys.createKeys(KeyPurpose.HOLDER, 2u, byteArrayOf(1, 2, 3))
        val text = made.evidence.decodeToString()
        assertTrue(text, text.startsWith("""{"fmt":"android-key","challenge":"AQID","certificates":[""""))
        assertTrue(text, text.endsWith(""""],"chains":[[0,1],[2,1]]}"""))
    }

    @Test
    fun `a wallet's keys and a staff device's are apart`() {
        val other = KeystoreKeys(phone.application, "staff", phone.prompt)
        val mine = keys.createKeys(KeyPurpose.ACCOUNT, 1u, byteArrayOf(1)).keys.single().id
        assertEquals(emptyList<String>(), other.list())
        assertThrows(PortFault.KeyInvalidated::class.java) { other.sign(null, mine, byteArrayOf(1)) }
        other.delete(listOf(mine))
        assertEquals(listOf(mine), keys.list())
    }

    @Test
    fun `badInput a phone without a screen lock makes no holder keys`() {
        phone.secure = false
        assertThrows(PortFault.NoSecureLock::class.java) { keys.createKeys(KeyPurpose.HOLDER, 1u, byteArrayOf(1)) }
        assertEquals(1, keys.createKeys(KeyPurpose.ACCOUNT, 1u, byteArrayOf(1)).keys.size)
    }

    @Test
    fun `badInput keys that Android declared gone, and an act that was too long ago`() {
        TestBiometricPrompt.onShow = { it.agree() }
        val key = keys.createKeys(KeyPurpose.HOLDER, 1u, byteArrayOf(1)).keys.single().id
        val act = phone.worker { keys.authorise("present.x", listOf(key), 2u, 20_000uL) }
        TestKeystore.provenAt = TestKeystore.provenAt!! - 31_000
        assertThrows(PortFault.NotAuthorised::class.java) { keys.sign(act, key, byteArrayOf(1)) }
        TestKeystore.invalidated.add(key)
        assertThrows(PortFault.KeyInvalidated::class.java) { keys.sign(act, key, byteArrayOf(1)) }
    }

    @Test
    fun `badInput the user says no`() {
        TestBiometricPrompt.onShow = { it.fail(BiometricPrompt.BIOMETRIC_ERROR_USER_CANCELED) }
        val key = keys.createKeys(KeyPurpose.HOLDER, 1u, byteArrayOf(1)).keys.single().id
        assertThrows(PortFault.Cancelled::class.java) { phone.worker { keys.authorise("present.x", listOf(key), 2u, 20_000uL) } }
    }

    @Test
    fun `signatures become r and s of 32 bytes, short numbers included`() {
        val one = ByteArray(32).also { it[31] = 1 }
        val high = ByteArray(32).also { it[0] = -1 }
        assertArrayEquals(one + high, KeystoreKeys.raw(byteArrayOf(0x30, 38, 2, 1, 1, 2, 33, 0) + high))
        for (bad in listOf(byteArrayOf(), byteArrayOf(0x30, 6, 2, 1, 1, 2, 1), byteArrayOf(0x30, 6, 2, 9, 1, 2, 1, 1), byteArrayOf(0x30, 6, 3, 1, 1, 2, 1, 1))) {
            assertThrows(PortFault.Unavailable::class.java) { KeystoreKeys.raw(bad) }
        }
    }
}
