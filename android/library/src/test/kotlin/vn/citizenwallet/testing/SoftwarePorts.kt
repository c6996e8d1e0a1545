package vn.citizenwallet.testing

import vn.citizenwallet.android.Hardware
import vn.citizenwallet.android.KeystoreKeys
import vn.citizenwallet.core.ClockPort
import vn.citizenwallet.core.DeviceSealerPort
import vn.citizenwallet.core.KeyPurpose
import vn.citizenwallet.core.KeyStorePort
import vn.citizenwallet.core.ListenerPort
import vn.citizenwallet.core.NewKey
import vn.citizenwallet.core.NewKeys
import vn.citizenwallet.core.PortFault
import vn.citizenwallet.core.ProgressView
import vn.citizenwallet.core.SealPurpose
import java.math.BigInteger
import java.security.AlgorithmParameters
import java.security.GeneralSecurityException
import java.security.KeyFactory
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.SecureRandom
import java.security.Signature
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec
import java.security.spec.ECParameterSpec
import java.security.spec.ECPoint
import java.security.spec.ECPublicKeySpec
import java.util.Base64
import java.util.UUID
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import javax.crypto.Cipher
import javax.crypto.KeyAgreement
import javax.crypto.Mac
import javax.crypto.spec.GCMParameterSpec
import javax.crypto.spec.SecretKeySpec

// The ports of a phone in plain Kotlin, for tests on a JVM. Central takes the evidence of such keys only when it was started with --allow-software-keys.

/** P-256 keys in memory; authorisations are counted and timed. Nobody is asked. */
open class SoftwareKeys : KeyStorePort {
    private class Grant(val keys: Set<String>, var uses: Int, val end: Long)

    private val keys = HashMap<String, Pair<KeyPurpose, KeyPair>>()
    private val grants = HashMap<String, Grant>()

    override fun createKeys(purpose: KeyPurpose, count: UInt, challenge: ByteArray): NewKeys {
        if (count !in 1u..64u) throw PortFault.Unsupported()
        val made = (1..count.toInt()).map { UUID.randomUUID().toString() to newKey() }
        synchronized(this) { made.forEach { (name, pair) -> keys[name] = purpose to pair } }
        val points = made.map { (_, pair) -> point(pair.public as ECPublicKey) }
        val proofs = made.zip(points) { (_, pair), point ->
            val xy = point.copyOfRange(1, 65)
            quoted(rawSignature(pair, "wallet-software-evidence-v1".toByteArray() + challenge + xy))
        }
        val jwks = points.map { """{"kty":"EC","crv":"P-256","x":${quoted(it.copyOfRange(1, 33))},"y":${quoted(it.copyOfRange(33, 65))}}""" }
        val evidence = """{"fmt":"software","challenge":${quoted(challenge)},"proofs":$proofs,"keys":$jwks}"""
        return NewKeys(made.zip(points) { (name, _), point -> NewKey(name, point) }, evidence.toByteArray())
    }

    override fun authorise(reason: String, keys: List<String>, maxUses: UInt, ttlMillis: ULong): String = synchronized(this) {
        if (ttlMillis > 30_000uL || maxUses == 0u) throw PortFault.Unsupported()
        val purposes = keys.map { this.keys[it]?.first ?: throw PortFault.KeyInvalidated() }
        if (maxUses > 1u && KeyPurpose.TRANSACTION in purposes) throw PortFault.Unsupported()
        val name = UUID.randomUUID().toString()
        grants[name] = Grant(keys.toSet(), maxUses.toInt(), System.nanoTime() + ttlMillis.toLong() * 1_000_000)
        name
    }

    override fun sign(authorisation: String?, key: String, bytes: ByteArray): ByteArray = rawSignature(use(authorisation, key), bytes)

    override fun agree(authorisation: String?, key: String, peer: ByteArray): ByteArray {
        val agreement = KeyAgreement.getInstance("ECDH")
        val other = try {
            publicKey(peer)
        } catch (_: GeneralSecurityException) {
            throw PortFault.Unsupported()
        }
        agreement.init(use(authorisation, key).private)
        agreement.doPhase(other, true)
        return agreement.generateSecret()
    }

    override fun end(authorisation: String): Unit = synchronized(this) { grants.remove(authorisation) }

    override fun delete(keys: List<String>): Unit = synchronized(this) { keys.forEach { this.keys.remove(it) } }

    override fun list(): List<String> = synchronized(this) { keys.keys.toList() }

    private fun use(authorisation: String?, key: String): KeyPair = synchronized(this) {
        val (purpose, pair) = keys[key] ?: throw PortFault.KeyInvalidated()
        if (authorisation == null) {
            if (purpose != KeyPurpose.ACCOUNT) throw PortFault.NotAuthorised()
            return pair
        }
        val grant = grants[authorisation] ?: throw PortFault.NotAuthorised()
        if (key !in grant.keys || !counts(grant.uses) || System.nanoTime() > grant.end) throw PortFault.NotAuthorised()
        grant.uses -= 1
        pair
    }

    /** Whether a grant with so many uses left serves another one. A test that wants a faulty store says yes to all. */
    protected open fun counts(left: Int): Boolean = left > 0

    companion object {
        private fun quoted(bytes: ByteArray) = "\"" + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes) + "\""

        /** A new P-256 key. */
        fun newKey(): KeyPair =
            KeyPairGenerator.getInstance("EC").apply { initialize(ECGenParameterSpec("secp256r1"), SecureRandom()) }.generateKeyPair()

        /** SEC 1 uncompressed. */
        fun point(key: ECPublicKey): ByteArray = byteArrayOf(4) + fixed(key.w.affineX) + fixed(key.w.affineY)

        private fun fixed(number: BigInteger): ByteArray {
            val digits = number.toByteArray().dropWhile { it.toInt() == 0 }
            return ByteArray(32 - digits.size) + digits
        }

        private fun rawSignature(pair: KeyPair, message: ByteArray): ByteArray {
            val signature = Signature.getInstance("SHA256withECDSA")
            signature.initSign(pair.private)
            signature.update(message)
            return KeystoreKeys.raw(signature.sign())
        }

        private fun publicKey(point: ByteArray): ECPublicKey {
            val curve = AlgorithmParameters.getInstance("EC").apply { init(ECGenParameterSpec("secp256r1")) }
            val x = BigInteger(1, point.copyOfRange(1, 33))
            val y = BigInteger(1, point.copyOfRange(33, 65))
            val spec = ECPublicKeySpec(ECPoint(x, y), curve.getParameterSpec(ECParameterSpec::class.java))
            return KeyFactory.getInstance("EC").generatePublic(spec) as ECPublicKey
        }
    }
}

/** AES-256-GCM under a key per purpose, HMAC-SHA-256 under a third. */
open class SoftwareSealer : DeviceSealerPort {
    private val random = SecureRandom()
    private val keys = SealPurpose.values().associateWith { SecretKeySpec(bytes(32), "AES") }
    private val macKey = SecretKeySpec(bytes(32), "HmacSHA256")

    override fun seal(purpose: SealPurpose, share: ByteArray): ByteArray {
        val nonce = bytes(12)
        return nonce + cipher(Cipher.ENCRYPT_MODE, purpose, nonce).doFinal(share)
    }

    override fun unseal(purpose: SealPurpose, sealed: ByteArray): ByteArray {
        // Not sealed here, or under a key that is gone: for the core both mean the same.
        if (sealed.size < 28) throw PortFault.KeyInvalidated()
        return try {
            cipher(Cipher.DECRYPT_MODE, purpose, sealed.copyOf(12)).doFinal(sealed, 12, sealed.size - 12)
        } catch (_: GeneralSecurityException) {
            throw PortFault.KeyInvalidated()
        }
    }

    override fun mac(input: ByteArray): ByteArray = Mac.getInstance("HmacSHA256").apply { init(macKey) }.doFinal(input)

    private fun cipher(mode: Int, purpose: SealPurpose, nonce: ByteArray): Cipher =
        Cipher.getInstance("AES/GCM/NoPadding", "SunJCE").apply { init(mode, keys.getValue(purpose), GCMParameterSpec(128, nonce)) }

    private fun bytes(count: Int) = ByteArray(count).also { random.nextBytes(it) }
}

/** The machine's clocks, [ahead] seconds ahead on the wall; the boot is this process's own. */
class SoftwareClock(@Volatile var ahead: Long = 0) : ClockPort {
    override fun wallSeconds(): Long = System.currentTimeMillis() / 1000 + ahead

    override fun monotonicMillis(): ULong = (System.nanoTime() / 1_000_000 - START).toULong()

    override fun bootId(): String = BOOT

    private companion object {
        val START = System.nanoTime() / 1_000_000
        val BOOT = UUID.randomUUID().toString()
    }
}

/** Keeps what it hears. */
class RecordingListener : ListenerPort {
    val steps = CopyOnWriteArrayList<ProgressView>()
    val states = CopyOnWriteArrayList<Pair<String, String>>()
    val lines = CopyOnWriteArrayList<Triple<String, String, String>>()

    override fun progress(progress: ProgressView) {
        steps.add(progress)
    }

    override fun stateChanged(subject: String, state: String) {
        states.add(subject to state)
    }

    override fun log(level: String, target: String, text: String) {
        lines.add(Triple(level, target, text))
    }
}

/** One phone's ports, kept over closing and opening, a set for each owner. */
class SoftwareHardware : Hardware {
    private val keys = ConcurrentHashMap<String, SoftwareKeys>()
    private val sealers = ConcurrentHashMap<String, SoftwareSealer>()

    override fun keys(owner: String): KeyStorePort = keys.computeIfAbsent(owner) { SoftwareKeys() }

    override fun sealer(owner: String): DeviceSealerPort = sealers.computeIfAbsent(owner) { SoftwareSealer() }

    override fun clock(): ClockPort = SoftwareClock()

    override fun forget(owner: String) {
        keys.remove(owner)
        sealers.remove(owner)
    }
}
