package vn.citizenwallet.android

import java.security.cert.Certificate
import java.util.Base64

/** The evidence of keys in AndroidKeyStore, as `docs/android-key-evidence.md` says: each certificate once, and per key the chain that attests it. */
internal object Evidence {
    fun of(challenge: ByteArray, chains: List<List<Certificate>>): ByteArray {
        val certificates = LinkedHashMap<String, Int>()
        val numbers = chains.map { chain -> chain.map { one -> certificates.getOrPut(b64u(one.encoded)) { certificates.size } } }
        val quoted = certificates.keys.joinToString(",") { "\"$it\"" }
        val lists = numbers.joinToString(",") { it.joinToString(",", "[", "]") }
        return """{"fmt":"android-key","challenge":"${b64u(challenge)}","certificates":[$quoted],"chains":[$lists]}""".toByteArray()
    }

    private fun b64u(bytes: ByteArray): String = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes)
}
