// A phone starts no other programs: these run on Linux and on a Mac.
#if !os(iOS)
import CitizenWalletCore
import CitizenWalletTestKit
import XCTest

/// The ten lines of ios/README.md, compiled and run; `tests/python/test_ios.py` compares them with the README. Only the ports are a phone's there.
final class ReadmeTests: XCTestCase {
    func testTenLinesFromOpenToDocuments() async throws {
        let scratch = try Folder()
        let folder = scratch.path("wallet")
        let service = Story.nobody()
        let (serviceUrl, tlsRoot, trustRoot) = (service.serviceUrl, service.tlsRoot, service.trustRoot)
        let passcode = Data(Story.passcode.utf8)
        let ports = (keys: SwiftKeyStore(), sealer: SwiftSealer(), clock: SwiftClock())
        let config = WalletConfig(directory: folder.path, serviceUrl: serviceUrl, tlsRoot: tlsRoot, trustRoot: trustRoot, trustFloor: 1)
        let wallet = try Wallet.open(config: config, keys: ports.keys, sealer: ports.sealer, clock: ports.clock, listener: nil)
        if wallet.state() == .new { try await wallet.create(passcode: passcode) } else { try await wallet.unlock(passcode: passcode) }
        if try await wallet.activation().next == "done" { _ = try await wallet.obtainDocuments() }
        for document in try await wallet.documents() {
            print(word(key: document.title, language: "vi"), word(key: document.stateLabel, language: "vi"))
        }
        XCTAssertEqual(wallet.state(), .unlocked)
        try wallet.close()
    }
}
#endif
