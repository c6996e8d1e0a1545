package vn.citizenwallet.phone

import android.os.SystemClock
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.StrongBoxUnavailableException
import android.security.keystore.UserNotAuthenticatedException
import vn.citizenwallet.testing.SoftwareKeys
import java.io.InputStream
import java.io.OutputStream
import java.security.AlgorithmParameters
import java.security.Key
import java.security.KeyPair
import java.security.KeyPairGeneratorSpi
import java.security.KeyStoreSpi
import java.security.PrivateKey
import java.security.Provider
import java.security.PublicKey
import java.security.SecureRandom
import java.security.Security
import java.security.Signature
import java.security.SignatureException
import java.security.SignatureSpi
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import javax.crypto.Cipher
import javax.crypto.CipherSpi
import javax.crypto.KeyGeneratorSpi
import javax.crypto.Mac
import javax.crypto.MacSpi
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec
import javax.crypto.spec.SecretKeySpec

/**
 * Stands in for the provider that a phone has and Robolectric has not: software keys that ask for the user as their [KeyGenParameterSpec] says.
 * It shows that the adapter asks rightly and takes the framework's exceptions rightly; nothing about hardware.
 */
object TestKeystore {
    internal class Entry(val key: Key, val chain: List<Certificate>, val spec: KeyGenParameterSpec)

    internal val entries = Collections.synchronizedMap(HashMap<String, Entry>())

    /** When the user last proved to be there, by the clock that counts sleep. */
    @Volatile var provenAt: Long? = null

    /** Whether the operation that a prompt was for may be done. */
    @Volatile internal var approved = false

    /** Aliases of keys that Android declared gone. */
    val invalidated: MutableSet<String> = Collections.synchronizedSet(HashSet())

    /** Whether the separate security chip refuses keys. */
    @Volatile var strongBoxFails = false

    /** Specs of the keys that are there. */
    val specs: Map<String, KeyGenParameterSpec> get() = synchronized(entries) { entries.mapValues { it.value.spec } }

    /** A fresh phone. */
    fun install() {
        remove()
        entries.clear()
        invalidated.clear()
        provenAt = null
        approved = false
        strongBoxFails = false
        // As on a phone: what uses keys is asked before other providers, what makes them is asked by name only.
        Security.addProvider(TestMaker())
        Security.insertProviderAt(TestUser(), 1)
    }

    fun remove() {
        Security.removeProvider(MAKER)
        Security.removeProvider(USER)
    }

    /** The user proved to be there; [forOperation]: for one operation only. */
    fun proven(forOperation: Boolean) {
        if (forOperation) approved = true else provenAt = SystemClock.elapsedRealtime()
    }

    /** What a key of the spec asks before it works. */
    internal fun begin(spec: KeyGenParameterSpec) {
        if (spec.keystoreAlias in invalidated) throw KeyPermanentlyInvalidatedException()
        @Suppress("DEPRECATION")
        val seconds = spec.userAuthenticationValidityDurationSeconds
        if (!spec.isUserAuthenticationRequired || perUse(spec)) return
        val proven = provenAt ?: throw UserNotAuthenticatedException()
        if (SystemClock.elapsedRealtime() - proven > seconds * 1000L) throw UserNotAuthenticatedException()
    }

    @Suppress("DEPRECATION")
    internal fun perUse(spec: KeyGenParameterSpec) = spec.isUserAuthenticationRequired && spec.userAuthenticationValidityDurationSeconds <= 0

    internal fun generated(spec: KeyGenParameterSpec, key: Key, public: PublicKey?) {
        if (strongBoxFails && android.os.Build.VERSION.SDK_INT >= 28 && spec.isStrongBoxBacked) throw StrongBoxUnavailableException()
        val chain = public?.let { listOf(TestCertificate(it, it.encoded + (spec.attestationChallenge ?: ByteArray(0))), ROOT) } ?: emptyList()
        entries[spec.keystoreAlias] = Entry(key, chain, spec)
    }

    internal const val MAKER = "AndroidKeyStore"
    internal const val USER = "AndroidKeyStoreBCWorkaround"

    private val ROOT = TestCertificate(SoftwareKeys.newKey().public, "root".toByteArray())
}

internal class TestCertificate(private val public: PublicKey, private val bytes: ByteArray) : Certificate("X.509") {
    override fun getEncoded() = bytes
    override fun getPublicKey() = public
    override fun verify(key: PublicKey?) = Unit
    override fun verify(key: PublicKey?, provider: String?) = Unit
    override fun toString() = "TestCertificate"
}

/** Keys whose bits nobody sees. */
internal class TestPrivateKey(val spec: KeyGenParameterSpec, val inner: PrivateKey) : PrivateKey {
    override fun getAlgorithm() = "EC"
    override fun getFormat(): String? = null
    override fun getEncoded(): ByteArray? = null
}

internal class TestSecretKey(val spec: KeyGenParameterSpec, val inner: SecretKey) : SecretKey {
    override fun getAlgorithm(): String = inner.algorithm
    override fun getFormat(): String? = null
    override fun getEncoded(): ByteArray? = null
}

private open class TestProvider(name: String) : Provider(name, "1", "a phone's key store for tests") {
    protected fun service(type: String, algorithm: String, keys: Class<*>?, make: () -> Any) {
        val attributes = keys?.let { mapOf("SupportedKeyClasses" to it.name) } ?: emptyMap()
        putService(object : Service(this, type, algorithm, "vn.citizenwallet.phone.$type", emptyList(), attributes) {
            override fun newInstance(parameter: Any?) = make()
            override fun supportsParameter(parameter: Any?) = keys == null || keys.isInstance(parameter)
        })
    }
}

private class TestMaker : TestProvider(TestKeystore.MAKER) {
    init {
        service("KeyStore", "AndroidKeyStore", null) { Store() }
        service("KeyPairGenerator", "EC", null) { Pairs() }
        service("KeyGenerator", "AES", null) { Secrets("AES") }
        service("KeyGenerator", "HmacSHA256", null) { Secrets("HmacSHA256") }
    }
}

private class TestUser : TestProvider(TestKeystore.USER) {
    init {
        service("Signature", "SHA256withECDSA", TestPrivateKey::class.java) { Signs() }
        service("Cipher", "AES/GCM/NoPadding", TestSecretKey::class.java) { Seals() }
        service("Mac", "HmacSHA256", TestSecretKey::class.java) { Macs() }
    }
}

private class Store : KeyStoreSpi() {
    override fun engineGetKey(alias: String, password: CharArray?): Key? = TestKeystore.entries[alias]?.key
    override fun engineGetCertificateChain(alias: String): Array<Certificate>? = TestKeystore.entries[alias]?.chain?.toTypedArray()
    override fun engineGetCertificate(alias: String) = TestKeystore.entries[alias]?.chain?.firstOrNull()
    override fun engineGetCreationDate(alias: String?): Date? = null
    override fun engineSetKeyEntry(alias: String?, key: Key?, password: CharArray?, chain: Array<out Certificate>?) = throw UnsupportedOperationException()
    override fun engineSetKeyEntry(alias: String?, key: ByteArray?, chain: Array<out Certificate>?) = throw UnsupportedOperationException()
    override fun engineSetCertificateEntry(alias: String?, cert: Certificate?) = throw UnsupportedOperationException()
    override fun engineDeleteEntry(alias: String) {
        TestKeystore.entries.remove(alias)
    }
    override fun engineAliases(): Enumeration<String> = Collections.enumeration(synchronized(TestKeystore.entries) { TestKeystore.entries.keys.toList() })
    override fun engineContainsAlias(alias: String) = alias in TestKeystore.entries
    override fun engineSize() = TestKeystore.entries.size
    override fun engineIsKeyEntry(alias: String) = alias in TestKeystore.entries
    override fun engineIsCertificateEntry(alias: String?) = false
    override fun engineGetCertificateAlias(cert: Certificate?): String? = null
    override fun engineStore(stream: OutputStream?, password: CharArray?) = Unit
    override fun engineLoad(stream: InputStream?, password: CharArray?) = Unit
}

private class Pairs : KeyPairGeneratorSpi() {
    private lateinit var spec: KeyGenParameterSpec

    override fun initialize(keysize: Int, random: SecureRandom?) = throw UnsupportedOperationException()

    override fun initialize(params: AlgorithmParameterSpec, random: SecureRandom?) {
        spec = params as KeyGenParameterSpec
    }

    override fun generateKeyPair(): KeyPair {
        val pair = SoftwareKeys.newKey()
        val private = TestPrivateKey(spec, pair.private)
        TestKeystore.generated(spec, private, pair.public)
        return KeyPair(pair.public, private)
    }
}

private class Secrets(private val algorithm: String) : KeyGeneratorSpi() {
    private lateinit var spec: KeyGenParameterSpec

    override fun engineInit(random: SecureRandom?) = throw UnsupportedOperationException()

    override fun engineInit(keysize: Int, random: SecureRandom?) = throw UnsupportedOperationException()

    override fun engineInit(params: AlgorithmParameterSpec, random: SecureRandom?) {
        spec = params as KeyGenParameterSpec
    }

    override fun engineGenerateKey(): SecretKey {
        val bits = ByteArray(spec.keySize / 8).also { SecureRandom().nextBytes(it) }
        return TestSecretKey(spec, SecretKeySpec(bits, algorithm)).also { TestKeystore.generated(spec, it, null) }
    }
}

@Suppress("OVERRIDE_DEPRECATION")
private class Signs : SignatureSpi() {
    private lateinit var key: TestPrivateKey
    private val inner = Signature.getInstance("SHA256withECDSA", "BC")

    override fun engineInitSign(privateKey: PrivateKey) {
        key = privateKey as? TestPrivateKey ?: throw java.security.InvalidKeyException()
        TestKeystore.begin(key.spec)
        inner.initSign(key.inner)
    }

    override fun engineUpdate(b: Byte) = inner.update(b)

    override fun engineUpdate(b: ByteArray, off: Int, len: Int) = inner.update(b, off, len)

    override fun engineSign(): ByteArray {
        if (TestKeystore.perUse(key.spec) && !TestKeystore.approved) throw SignatureException("not authorised")
        TestKeystore.approved = false
        return inner.sign()
    }

    override fun engineInitVerify(publicKey: PublicKey?) = throw UnsupportedOperationException()
    override fun engineVerify(sigBytes: ByteArray?) = throw UnsupportedOperationException()
    override fun engineSetParameter(param: String?, value: Any?) = throw UnsupportedOperationException()
    override fun engineGetParameter(param: String?) = throw UnsupportedOperationException()
}

private class Seals : CipherSpi() {
    private val inner = Cipher.getInstance("AES/GCM/NoPadding", "SunJCE")

    private fun key(key: Key): SecretKey {
        val ours = key as? TestSecretKey ?: throw java.security.InvalidKeyException()
        TestKeystore.begin(ours.spec)
        return ours.inner
    }

    override fun engineInit(opmode: Int, key: Key, random: SecureRandom?) {
        // AndroidKeyStore chooses the nonce itself.
        inner.init(opmode, key(key), GCMParameterSpec(128, ByteArray(12).also { SecureRandom().nextBytes(it) }))
    }

    override fun engineInit(opmode: Int, key: Key, params: AlgorithmParameterSpec?, random: SecureRandom?) = inner.init(opmode, key(key), params)
    override fun engineInit(opmode: Int, key: Key, params: AlgorithmParameters?, random: SecureRandom?) = throw UnsupportedOperationException()
    override fun engineSetMode(mode: String?) = Unit
    override fun engineSetPadding(padding: String?) = Unit
    override fun engineGetBlockSize() = 16
    override fun engineGetOutputSize(inputLen: Int) = inner.getOutputSize(inputLen)
    override fun engineGetIV(): ByteArray = inner.iv
    override fun engineGetParameters(): AlgorithmParameters? = null
    override fun engineUpdateAAD(src: ByteArray, offset: Int, len: Int) = inner.updateAAD(src, offset, len)
    override fun engineUpdate(input: ByteArray, offset: Int, len: Int): ByteArray? = inner.update(input, offset, len)
    override fun engineUpdate(input: ByteArray, offset: Int, len: Int, output: ByteArray, at: Int) = inner.update(input, offset, len, output, at)
    override fun engineDoFinal(input: ByteArray?, offset: Int, len: Int): ByteArray =
        if (input == null) inner.doFinal() else inner.doFinal(input, offset, len)
    override fun engineDoFinal(input: ByteArray, offset: Int, len: Int, output: ByteArray, at: Int) = inner.doFinal(input, offset, len, output, at)
}

private class Macs : MacSpi() {
    private val inner = Mac.getInstance("HmacSHA256", "SunJCE")

    override fun engineGetMacLength() = 32

    override fun engineInit(key: Key, params: AlgorithmParameterSpec?) {
        val ours = key as? TestSecretKey ?: throw java.security.InvalidKeyException()
        TestKeystore.begin(ours.spec)
        inner.init(ours.inner)
    }

    override fun engineUpdate(input: Byte) = inner.update(input)
    override fun engineUpdate(input: ByteArray, offset: Int, len: Int) = inner.update(input, offset, len)
    override fun engineDoFinal(): ByteArray = inner.doFinal()
    override fun engineReset() = inner.reset()
}
