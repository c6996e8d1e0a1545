package vn.citizenwallet.android

import android.content.Context
import android.content.pm.PackageManager
import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import vn.citizenwallet.android.Keystore.boundToUser
import vn.citizenwallet.android.Keystore.guarded
import vn.citizenwallet.android.Keystore.strongBox
import vn.citizenwallet.core.DeviceSealerPort
import vn.citizenwallet.core.PortFault
import vn.citizenwallet.core.SealPurpose
import javax.crypto.BadPaddingException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.Mac
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/**
 * AES-256-GCM and HMAC-SHA-256 under keys of AndroidKeyStore.
 *
 * The `User` key may be used within [PRESENCE_SECONDS] after the user proved to be there, unlocking the phone included; later the user is asked by
 * a [Prompt] and the work is done after that. The `Background` key needs nobody: Android decrypts its key store at the first unlock after a start.
 */
class KeystoreSealer(context: Context, owner: String, private val prompt: Prompt) : DeviceSealerPort {
    private val separate = Build.VERSION.SDK_INT >= Build.VERSION_CODES.P &&
        context.packageManager.hasSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE)
    private val names = SealPurpose.values().associateWith { "$owner-seal-${it.name.lowercase()}" }
    private val macName = "$owner-mac"

    /** Two callers do not make the same key; never held while the user is asked. */
    private val lock = Any()

    override fun seal(purpose: SealPurpose, share: ByteArray): ByteArray {
        if (share.size > LONGEST) throw PortFault.Unsupported()
        return asking {
            // The MAC's key is made with the first sealing key, so that one that is missing later is known to be lost.
            if (key(macName) == null) makeMacKey()
            val cipher = try {
                encryptor(key(names.getValue(purpose)) ?: makeSealKey(purpose))
            } catch (_: PortFault.KeyInvalidated) {
                // What it sealed cannot be opened by anybody any more.
                encryptor(makeSealKey(purpose))
            }
            cipher.updateAAD(label(purpose))
            cipher.iv + cipher.doFinal(share)
        }
    }

    override fun unseal(purpose: SealPurpose, sealed: ByteArray): ByteArray {
        if (sealed.size < IV_BYTES + TAG_BITS / 8) throw PortFault.KeyInvalidated()
        return asking {
            val key = key(names.getValue(purpose)) ?: throw PortFault.KeyInvalidated()
            val cipher = Cipher.getInstance(AES)
            cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, sealed, 0, IV_BYTES))
            cipher.updateAAD(label(purpose))
            try {
                cipher.doFinal(sealed, IV_BYTES, sealed.size - IV_BYTES)
            } catch (_: BadPaddingException) {
                // A wrong tag (AEADBadTagException): not sealed here, or altered.
                throw PortFault.KeyInvalidated()
            }
        }
    }

    override fun mac(input: ByteArray): ByteArray = exclusively {
        val key = key(macName) ?: if (names.values.any { key(it) != null }) throw PortFault.KeyInvalidated() else makeMacKey()
        Mac.getInstance(KeyProperties.KEY_ALGORITHM_HMAC_SHA256).apply { init(key) }.doFinal(input)
    }

    /** Removes the keys: what was sealed cannot be opened any more. For starting over. */
    fun forget() = guarded {
        val store = Keystore.open()
        (names.values + macName).filter { store.containsAlias(it) }.forEach { store.deleteEntry(it) }
    }

    /** Does [work]; when the user has to prove to be there first, asks for it and does it again. */
    private fun asking(work: () -> ByteArray): ByteArray = try {
        exclusively(work)
    } catch (_: PortFault.NotAuthorised) {
        prompt.ask(Prompt.PRESENCE)
        exclusively(work)
    }

    private fun exclusively(work: () -> ByteArray): ByteArray = synchronized(lock) { guarded(work) }

    private fun encryptor(key: SecretKey): Cipher = guarded { Cipher.getInstance(AES).apply { init(Cipher.ENCRYPT_MODE, key) } }

    private fun key(name: String): SecretKey? = guarded { Keystore.open().getKey(name, null) as? SecretKey }

    private fun makeSealKey(purpose: SealPurpose): SecretKey {
        if (purpose == SealPurpose.USER && !prompt.isDeviceSecure) throw PortFault.NoSecureLock()
        return Keystore.inStrongBox(separate) { strong ->
            val spec = KeyGenParameterSpec.Builder(names.getValue(purpose), KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
                .setKeySize(256)
                .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                .strongBox(strong)
            if (purpose == SealPurpose.USER) spec.boundToUser(PRESENCE_SECONDS)
            generate(KeyProperties.KEY_ALGORITHM_AES, spec.build())
        }
    }

    private fun makeMacKey(): SecretKey = Keystore.inStrongBox(separate) { strong ->
        val spec = KeyGenParameterSpec.Builder(macName, KeyProperties.PURPOSE_SIGN).setKeySize(256).strongBox(strong)
        generate(KeyProperties.KEY_ALGORITHM_HMAC_SHA256, spec.build())
    }

    private fun generate(algorithm: String, spec: KeyGenParameterSpec): SecretKey =
        KeyGenerator.getInstance(algorithm, Keystore.PROVIDER).apply { init(spec) }.generateKey()

    private fun label(purpose: SealPurpose): ByteArray = "citizen-wallet-seal-v1 ${purpose.name.lowercase()}".toByteArray()

    private companion object {
        const val AES = "AES/GCM/NoPadding"
        const val IV_BYTES = 12
        const val TAG_BITS = 128
        const val LONGEST = 4096

        /** A wallet that is opened within a minute of the phone's unlocking asks for nothing but its own passcode. */
        const val PRESENCE_SECONDS = 60
    }
}
