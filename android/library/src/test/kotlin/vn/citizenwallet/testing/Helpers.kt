package vn.citizenwallet.testing

import vn.citizenwallet.core.VerifierConfig
import vn.citizenwallet.core.WalletConfig
import java.io.BufferedReader
import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import java.util.concurrent.TimeUnit

/** The `citizen-wallet` binary: what is not the phone's, in processes of their own. */
object Binary {
    private val file: String = System.getProperty("wallet.binary") ?: error("-Dwallet.binary=FILE is missing")

    fun command(arguments: List<Any>): List<String> = listOf(file) + arguments.map { it.toString() }

    /** Runs a command to its end and gives what it printed; any exit code but 0 is an error. */
    fun run(vararg arguments: Any): String {
        val process = ProcessBuilder(command(arguments.toList())).redirectErrorStream(true).start()
        process.outputStream.close()
        val printed = process.inputStream.bufferedReader().readText()
        val code = process.waitFor()
        check(code == 0) { "${arguments.take(2)}: exit $code: ${printed.takeLast(400)}" }
        return printed
    }
}

/** A process that says `listening ADDRESS` when it is ready and ends when its standard input is closed. */
class Helper(log: File, vararg arguments: Any) : AutoCloseable {
    private val process = ProcessBuilder(Binary.command(arguments.toList() + "--until-stdin-closes"))
        .redirectError(ProcessBuilder.Redirect.appendTo(log))
        .start()
    private val output: BufferedReader = process.inputStream.bufferedReader()

    /** Where it listens. */
    val address: String = generateSequence { output.readLine() }.firstOrNull { it.startsWith("listening") }?.removePrefix("listening")?.trim()
        ?: run {
            close()
            error("${arguments.take(2)} ended before it was ready: ${log.readText().takeLast(400)}")
        }

    override fun close() {
        process.outputStream.close()
        if (!process.waitFor(15, TimeUnit.SECONDS)) {
            process.destroyForcibly()
            process.waitFor()
        }
        output.close()
    }
}

/**
 * A central service in [directory]; runs between [start] and [stop], as often as wanted, always at the same address. With a [publicPort] of somebody
 * who stands before it, it listens on [port] itself.
 */
class Central(private val directory: File, publicPort: Int? = null) : AutoCloseable {
    /** Where it listens. */
    val port = freePort()
    private var helper: Helper? = null

    /** Where phones reach it. */
    val url = "https://localhost:${publicPort ?: port}"

    init {
        Binary.run("central", "init", "--dir", directory, "--public-url", url)
    }

    fun start() {
        if (helper == null) helper = Helper(File(directory, "serve.log"), *SERVE, "--dir", directory, "--listen", "127.0.0.1:$port")
    }

    fun stop() {
        helper?.close()
        helper = null
    }

    override fun close() = stop()

    /** DER of the TLS root. */
    val tlsRoot: ByteArray get() = File(directory, "public/tls-root.der").readBytes()

    /** `root.json` of the trust repository. */
    val trustRoot: ByteArray get() = File(directory, "public/root.json").readBytes()

    /** For a wallet in [folder] that reaches the service at [serviceUrl]. */
    fun walletConfig(folder: File, serviceUrl: String = url) = WalletConfig(folder.path, serviceUrl, tlsRoot, trustRoot, 1uL)

    /** For a staff device in [folder]. */
    fun verifierConfig(folder: File, serviceUrl: String = url) = VerifierConfig(folder.path, serviceUrl, tlsRoot, trustRoot, 1uL)

    /** A code that enrols a staff device. */
    fun staffCode(role: String, organisation: String, place: String): String =
        Binary.run("central", "staff-code", "--dir", directory, "--role", role, "--organisation", organisation, "--place", place)
            .split(Regex("\\s+")).last { it.isNotEmpty() }

    fun suspendDocument(citizen: String, document: String) {
        Binary.run("central", "suspend", "--dir", directory, "--citizen", citizen, "--document", document)
    }

    /** The newest one-time code, as the citizen's telephone gets it. */
    fun newestCode(): String {
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20)
        while (System.nanoTime() < end) {
            val newest = File(directory, "spool").listFiles { file -> file.name.endsWith(".json") }?.maxByOrNull { it.name }
            val code = newest?.let { CODE.find(it.readText()) }
            if (code != null) return code.groupValues[1]
            Thread.sleep(50)
        }
        error("no code came")
    }

    private companion object {
        val SERVE = arrayOf<Any>("central", "serve", "--allow-software-keys")
        val CODE = Regex("\"code\"\\s*:\\s*\"(\\d+)\"")

        fun freePort(): Int = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
    }
}

/** A simulated card. */
class Card(directory: File, citizen: String = Town.CITIZEN) : AutoCloseable {
    private val helper = Helper(File(directory, "card.log"), "chip", "sim", "--listen", "127.0.0.1:0", "--citizen", citizen)

    /** `host:port`. */
    val address: String get() = helper.address

    override fun close() = helper.close()
}

/** What the phone's camera sees of the citizen's face. */
fun selfie(directory: File, citizen: String = Town.CITIZEN): ByteArray {
    val file = File(directory, "selfie.png")
    Binary.run("chip", "selfie", "--citizen", citizen, "--out", file)
    return file.readBytes()
}
