package vn.citizenwallet.android

import android.content.Context
import android.content.pm.PackageManager
import android.os.Build
import android.os.SystemClock
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import vn.citizenwallet.android.Keystore.boundToUser
import vn.citizenwallet.android.Keystore.guarded
import vn.citizenwallet.android.Keystore.strongBox
import vn.citizenwallet.core.KeyPurpose
import vn.citizenwallet.core.KeyStorePort
import vn.citizenwallet.core.NewKey
import vn.citizenwallet.core.NewKeys
import vn.citizenwallet.core.PortFault
import java.security.KeyPairGenerator
import java.security.PrivateKey
import java.security.Signature
import java.security.cert.Certificate
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec
import java.util.UUID

/**
 * P-256 keys in AndroidKeyStore, in StrongBox where there is one.
 *
 * Account keys need no act of the user. Holder keys may be used within 30 s after an act (a [Prompt]); how often and for how long within that is
 * counted here, since one act is one consent. Transaction keys serve the one signature that their prompt was for; before Android 11, which is the
 * first that can ask for finger or code for one signature, they are bound like holder keys and counted here. [owner] keeps the keys of one wallet
 * or one staff device apart from others'. The evidence is described in `docs/android-key-evidence.md`.
 */
class KeystoreKeys(context: Context, owner: String, private val prompt: Prompt) : KeyStorePort {
    private class Grant(val keys: Set<String>, var uses: Int, val end: Long, val signature: Signature?)

    private val prefix = "$owner."
    private val separate = Build.VERSION.SDK_INT >= Build.VERSION_CODES.P &&
        context.packageManager.hasSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE)
    private val grants = HashMap<String, Grant>()

    override fun createKeys(purpose: KeyPurpose, count: UInt, challenge: ByteArray): NewKeys {
        if (count !in 1u..MOST_KEYS || challenge.size > LONGEST_CHALLENGE) throw PortFault.Unsupported()
        if (purpose != KeyPurpose.ACCOUNT && !prompt.isDeviceSecure) throw PortFault.NoSecureLock()
        val made = ArrayList<String>()
        return try {
            guarded {
                val store = Keystore.open()
                val chains = (1..count.toInt()).map {
                    val name = prefix + purpose.name.lowercase() + "." + UUID.randomUUID()
                    made.add(name)
                    Keystore.inStrongBox(separate) { strong -> generate(name, purpose, challenge, strong) }
                    store.getCertificateChain(name)?.toList() ?: throw PortFault.Unavailable()
                }
                NewKeys(made.zip(chains) { name, chain -> NewKey(name, point(chain.first())) }, Evidence.of(challenge, chains))
            }
        } catch (fault: PortFault) {
            delete(made)
            throw fault
        }
    }

    override fun authorise(reason: String, keys: List<String>, maxUses: UInt, ttlMillis: ULong): String {
        if (ttlMillis > LONGEST_TTL_MILLIS || maxUses == 0u || keys.isEmpty()) throw PortFault.Unsupported()
        val transaction = keys.any { purpose(it) == KeyPurpose.TRANSACTION }
        if (transaction && (maxUses > 1u || keys.size > 1)) throw PortFault.Unsupported()
        val signature = guarded {
            val private = keys.map { private(it) }
            if (transaction && Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) signature(private.single()) else null
        }
        prompt.ask(reason, signature)
        val name = UUID.randomUUID().toString()
        val end = SystemClock.elapsedRealtime() + ttlMillis.toLong()
        synchronized(grants) { grants[name] = Grant(keys.toSet(), maxUses.toInt(), end, signature) }
        return name
    }

    override fun sign(authorisation: String?, key: String, bytes: ByteArray): ByteArray = guarded {
        val private = private(key)
        val prepared = use(authorisation, key)
        val signature = prepared ?: signature(private)
        signature.update(bytes)
        raw(signature.sign())
    }

    /** Android has it from version 12 on only, and in few secure chips: the core signs instead. */
    override fun agree(authorisation: String?, key: String, peer: ByteArray): ByteArray = throw PortFault.Unsupported()

    override fun end(authorisation: String) {
        synchronized(grants) { grants.remove(authorisation) }
    }

    override fun delete(keys: List<String>) = guarded {
        val store = Keystore.open()
        keys.filter { it.startsWith(prefix) && store.containsAlias(it) }.forEach { store.deleteEntry(it) }
    }

    override fun list(): List<String> = guarded { Keystore.open().aliases().toList().filter { purpose(it) != null } }

    private fun generate(name: String, purpose: KeyPurpose, challenge: ByteArray, strong: Boolean) {
        val spec = KeyGenParameterSpec.Builder(name, KeyProperties.PURPOSE_SIGN)
            .setAlgorithmParameterSpec(ECGenParameterSpec("secp256r1"))
            .setDigests(KeyProperties.DIGEST_SHA256)
            .setAttestationChallenge(challenge)
            .strongBox(strong)
        when (purpose) {
            // Only from Android 15 on: before, a phone that was unlocked by a weak biometric counted as locked for such keys.
            KeyPurpose.ACCOUNT -> if (Build.VERSION.SDK_INT >= 35) spec.setUnlockedDeviceRequired(true)
            KeyPurpose.HOLDER -> spec.boundToUser(ACT_SECONDS)
            KeyPurpose.TRANSACTION -> spec.boundToUser(if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) 0 else ACT_SECONDS)
        }
        val generator = KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_EC, Keystore.PROVIDER)
        generator.initialize(spec.build())
        generator.generateKeyPair()
    }

    /** Counts a use; gives the signature that a prompt was for, when it was for one. */
    private fun use(authorisation: String?, key: String): Signature? {
        if (authorisation == null) {
            if (purpose(key) != KeyPurpose.ACCOUNT) throw PortFault.NotAuthorised()
            return null
        }
        return synchronized(grants) {
            val now = SystemClock.elapsedRealtime()
            grants.values.removeAll { it.end < now }
            val grant = grants[authorisation] ?: throw PortFault.NotAuthorised()
            if (key !in grant.keys || grant.uses == 0) throw PortFault.NotAuthorised()
            grant.uses -= 1
            grant.signature
        }
    }

    private fun purpose(key: String): KeyPurpose? =
        KeyPurpose.values().firstOrNull { key.startsWith(prefix + it.name.lowercase() + ".") }

    private fun private(key: String): PrivateKey {
        if (purpose(key) == null) throw PortFault.KeyInvalidated()
        return Keystore.open().getKey(key, null) as? PrivateKey ?: throw PortFault.KeyInvalidated()
    }

    private fun signature(key: PrivateKey): Signature = Signature.getInstance("SHA256withECDSA").apply { initSign(key) }

    internal companion object {
        const val MOST_KEYS = 64u

        /** What Android takes. */
        const val LONGEST_CHALLENGE = 128
        const val LONGEST_TTL_MILLIS = 30_000uL
        const val ACT_SECONDS = 30

        /** SEC 1 uncompressed. */
        fun point(certificate: Certificate): ByteArray {
            val w = (certificate.publicKey as? ECPublicKey ?: throw PortFault.Unavailable()).w
            return byteArrayOf(4) + fixed(w.affineX.toByteArray()) + fixed(w.affineY.toByteArray())
        }

        /** r and s of 32 bytes each from ECDSA-Sig-Value (RFC 3279, 2.2.3): SEQUENCE { INTEGER r, INTEGER s }, for P-256 always in short lengths. */
        fun raw(der: ByteArray): ByteArray {
            if (der.size < 8 || der[0].toInt() != 0x30 || der[1].toInt() != der.size - 2) throw PortFault.Unavailable()
            val rEnd = 4 + der[3].toInt()
            if (der[2].toInt() != 2 || rEnd + 2 > der.size || der[rEnd].toInt() != 2 || rEnd + 2 + der[rEnd + 1] != der.size) throw PortFault.Unavailable()
            return fixed(der.copyOfRange(4, rEnd)) + fixed(der.copyOfRange(rEnd + 2, der.size))
        }

        /** A number as 32 bytes, big-endian. */
        private fun fixed(number: ByteArray): ByteArray {
            val digits = number.dropWhile { it.toInt() == 0 }
            if (digits.size > 32) throw PortFault.Unavailable()
            return ByteArray(32 - digits.size) + digits
        }
    }
}
