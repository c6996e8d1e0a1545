package vn.citizenwallet.shrunk

import kotlinx.coroutines.runBlocking
import vn.citizenwallet.core.CancelHandle
import vn.citizenwallet.core.ContractReport
import vn.citizenwallet.core.DisplayValueView
import vn.citizenwallet.core.Wallet
import vn.citizenwallet.core.WalletException
import vn.citizenwallet.core.contractClock
import vn.citizenwallet.core.contractDeviceSealer
import vn.citizenwallet.core.contractKeyStore
import vn.citizenwallet.core.contractListener
import vn.citizenwallet.core.explain
import vn.citizenwallet.core.libraryVersion
import vn.citizenwallet.core.word
import vn.citizenwallet.testing.RecordingListener
import vn.citizenwallet.testing.SoftwareClock
import vn.citizenwallet.testing.SoftwareKeys
import vn.citizenwallet.testing.SoftwareSealer
import vn.citizenwallet.testing.Town

/**
 * The spine once more, as a program of its own: app/package/shrunk.py shrinks and renames it with the library by the rules of the APK and runs what
 * is left. What JNA finds by name and by reflection must have survived: functions, structures, callbacks of every port, errors, futures.
 */
fun main() {
    println("library ${libraryVersion()}")
    fun holds(port: String, report: ContractReport) {
        check(report.holds) { "$port: ${report.brokenClause}" }
        println("$port: ${report.clauses.size} clauses hold")
    }
    holds("KeyStore", contractKeyStore(SoftwareKeys()))
    holds("DeviceSealer", contractDeviceSealer(SoftwareSealer()))
    holds("Clock", contractClock(SoftwareClock()))
    holds("Listener", contractListener(RecordingListener()))
    Town().use { town ->
        val listener = RecordingListener()
        val wallet = town.wallet("wallet", listener = listener)
        runBlocking {
            wallet.create(Town.PASSCODE)
            town.activate(wallet)
            check(wallet.obtainDocuments().documents.size == 4)
            for (document in wallet.documents()) {
                val group = wallet.document(document.id).display?.groups?.firstOrNull() ?: error("nothing to show")
                val text = group.items.firstNotNullOf { (it.value as? DisplayValueView.Text)?.text }
                println("${word(document.title, "vi")}: $text")
            }
            cancelled(wallet)
            wallet.lock()
            refused(wallet)
        }
        check(listener.steps.isNotEmpty() && listener.states.isNotEmpty()) { "the listener heard nothing" }
    }
    println("shrunk: all of it works")
}

/** A typed error crosses the border and is explained. */
private suspend fun refused(wallet: Wallet) {
    val error = runCatching { wallet.unlock("000000".toByteArray()) }.exceptionOrNull()
    check(error is WalletException) { "a wrong passcode: $error" }
    println("a wrong passcode: ${word(explain(error).display.title, "vi")}")
}

/** A cancelled handle ends the work. */
private suspend fun cancelled(wallet: Wallet) {
    CancelHandle().use { handle ->
        handle.cancel()
        val error = runCatching { wallet.sync(handle) }.exceptionOrNull()
        check(error is WalletException.Cancelled) { "cancelled: $error" }
    }
}
