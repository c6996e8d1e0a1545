// A phone starts no other programs: these run on Linux and on a Mac.
#if !os(iOS)
import CitizenWalletCore
import CitizenWalletTestKit
import XCTest

/// The Swift of ios/README.md, compiled and run; `tests/python/test_ios.py` compares it with the README. Only the ports are a phone's there.
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

    func testTheLinesOfANewAccount() async throws {
        let scratch = try Folder()
        let central = try Story.central(scratch)
        let helper = try Story.card(scratch)
        defer {
            helper.stop()
            central.stop()
        }
        let config = try Story.service(central).wallet(in: scratch.path("wallet"))
        let wallet = try Wallet.open(config: config, keys: SwiftKeyStore(), sealer: SwiftSealer(), clock: SwiftClock(), listener: nil)
        try await wallet.create(passcode: Data(Story.passcode.utf8))
        let card = try SocketCard(port: helper.port)
        let selfie = try await Phone.selfie(scratch)
        let code = { try central.newestCode() }
        _ = try await wallet.beginActivation()
        _ = try await wallet.readCard(channel: card, password: .can(can: "000123"))
        _ = try await wallet.submitChip()
        _ = try await wallet.requestCode()
        _ = try await wallet.submitCode(code: code())
        _ = try await wallet.submitFace(image: selfie)
        _ = try await wallet.completeActivation()
        let issued = try await wallet.obtainDocuments().documents
        XCTAssertEqual(issued.map(\.copies).filter { $0 > 0 }.count, 4)
        try wallet.close()
    }
}
#endif
