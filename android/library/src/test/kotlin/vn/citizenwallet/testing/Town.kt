package vn.citizenwallet.testing

import vn.citizenwallet.core.CardPassword
import vn.citizenwallet.core.DeviceSealerPort
import vn.citizenwallet.core.KeyStorePort
import vn.citizenwallet.core.ListenerPort
import vn.citizenwallet.core.Verifier
import vn.citizenwallet.core.Wallet
import vn.citizenwallet.core.qrDecodePng
import vn.citizenwallet.core.qrDraw
import java.io.File
import java.nio.file.Files

/** A folder with a running central service and a card, and the phones of this town. To be closed: ends the processes, removes the folder. */
class Town : AutoCloseable {
    val directory: File = Files.createTempDirectory("citizen-wallet-kotlin-").toFile()
    val relay: Relay = Relay()
    val central = Central(File(directory, "central"), relay.port)
    private val opened = ArrayList<AutoCloseable>()

    init {
        relay.target = central.port
        central.start()
    }

    /** The citizen's card. */
    val card: Card by lazy { Card(directory).also { opened.add(it) } }

    /** A folder of its own. */
    fun folder(name: String): File = File(directory, name)

    /** A wallet of its own, new. It is closed with the town. */
    fun wallet(
        name: String,
        keys: KeyStorePort = SoftwareKeys(),
        sealer: DeviceSealerPort = SoftwareSealer(),
        clock: SoftwareClock = SoftwareClock(),
        listener: ListenerPort? = null,
    ): Wallet = Wallet.open(central.walletConfig(folder(name)), keys, sealer, clock, listener).also { opened.add(it) }

    /** A staff device of its own, not enrolled. It is closed with the town. */
    fun verifier(name: String, clock: SoftwareClock = SoftwareClock()): Verifier =
        Verifier.open(central.verifierConfig(folder(name)), SoftwareKeys(), SoftwareSealer(), clock, null).also { opened.add(it) }

    /** The card's password. */
    val can = CardPassword.Can(CITIZEN.takeLast(6))

    /** From a wallet that has a passcode to one that has an account. */
    suspend fun activate(wallet: Wallet) {
        wallet.beginActivation()
        wallet.readCard(SocketCard(card.address), can)
        wallet.submitChip()
        wallet.requestCode()
        wallet.submitCode(central.newestCode())
        wallet.submitFace(selfie(directory))
        wallet.completeActivation()
    }

    override fun close() {
        opened.reversed().forEach { it.close() }
        central.close()
        relay.close()
        directory.deleteRecursively()
    }

    companion object {
        const val CITIZEN = "001090000123"
        val PASSCODE: ByteArray get() = "528491".toByteArray()

        /** The text as the other side's camera reads it from pixels. */
        fun byPicture(text: String): String = qrDecodePng(qrDraw(text).png).single()
    }
}
