// A phone starts no other programs: these run on Linux and on a Mac.
#if !os(iOS)
import CitizenWallet
import CitizenWalletCore
import CitizenWalletTestKit
import Foundation
import XCTest

/// What the tests share: the binary of the reference service and the card, one service for each story, a citizen's phone and an officer's.
enum Story {
    /// Digits that the citizen of the tests chooses.
    static let passcode = "528491"

    /// The `citizen-wallet` binary of WALLET_BINARY; a test that needs it is skipped without it, and says so.
    static func binary() throws -> URL {
        let path = ProcessInfo.processInfo.environment["WALLET_BINARY"] ?? ""
        try XCTSkipIf(path.isEmpty, "set WALLET_BINARY to the citizen-wallet binary: this test needs a real service and a card")
        let url = URL(fileURLWithPath: path)
        if !FileManager.default.isExecutableFile(atPath: url.path) { throw TestFailure("WALLET_BINARY: no program at \(path)") }
        return url
    }

    /// Types digits one after the other.
    static func type(_ digits: String, into press: (Int) -> Void) {
        for digit in digits { press(digit.wholeNumberValue ?? 0) }
    }

    /// A running service in a folder of its own.
    static func central(_ folder: Folder) throws -> Central {
        let central = try Central(binary: try binary(), folder: folder.path("central"))
        try central.start()
        return central
    }

    /// A simulated card.
    static func card(_ folder: Folder, arguments: [String] = []) throws -> Helper {
        let log = folder.path("card-\(UUID().uuidString).log")
        return try Helper(try binary(), ["chip", "sim", "--listen", "127.0.0.1:0"] + arguments, log: log)
    }

    /// A new phone, a card, their folder and the service.
    @MainActor
    static func withPhone(_ work: (Phone, Helper, Folder, Central) async throws -> Void) async throws {
        let folder = try Folder()
        let central = try Self.central(folder)
        defer { central.stop() }
        let card = try Self.card(folder)
        defer { card.stop() }
        let phone = try Phone(folder: folder.path("phone"), service: try Self.service(central))
        try await work(phone, card, folder, central)
    }

    /// The same, when the activation waits for the card.
    @MainActor
    static func withCard(_ work: (Phone, Helper, Folder, Central) async throws -> Void) async throws {
        try await withPhone { phone, card, folder, central in
            await phone.choosePasscode()
            let flow = ActivationFlow(store: phone.app.store)
            await flow.resume()
            await flow.begin()
            XCTAssertEqual(flow.step, .readCard, "\(String(describing: flow.problem))")
            try await work(phone, card, folder, central)
        }
    }

    /// A citizen other than the one of the tests.
    static func otherCitizen() throws -> String {
        "079185004567"
    }

    /// The service an app is built for, as central publishes it.
    static func service(_ central: Central) throws -> ServiceConfiguration {
        let shown = central.folder.appendingPathComponent("public")
        return ServiceConfiguration(
            serviceUrl: central.url,
            tlsRoot: try Data(contentsOf: shown.appendingPathComponent("tls-root.der")),
            trustRoot: try Data(contentsOf: shown.appendingPathComponent("root.json")),
            trustFloor: 1
        )
    }

    /// A service that nobody runs, for tests that need no answer of it.
    static func nobody() -> ServiceConfiguration {
        ServiceConfiguration(serviceUrl: Nobody.serviceUrl, tlsRoot: Nobody.tlsRoot, trustRoot: Nobody.trustRoot, trustFloor: 1)
    }
}

/// A phone: its ports and folders, which outlive the app, and the app that runs on it now.
@MainActor
final class Phone {
    let folder: URL
    let keys = MoodyKeys()
    let sealer = MoodySealer()
    let clock = SwiftClock()
    let staffKeys = SwiftKeyStore()
    private let staffPorts: DevicePorts
    private let service: ServiceConfiguration
    private let ports: DevicePorts
    private(set) var app: AppModel

    init(folder: URL, service: ServiceConfiguration, graceMillis: UInt64 = 30_000) throws {
        self.folder = folder
        self.service = service
        let staffSealer = SwiftSealer()
        staffPorts = DevicePorts(keys: staffKeys, sealer: staffSealer, clock: SwiftClock(), forgetSeals: { staffSealer.forget() })
        let sealer = self.sealer
        ports = DevicePorts(keys: keys, sealer: sealer, clock: clock, forgetSeals: { sealer.forget() })
        app = Phone.start(folder: folder, service: service, ports: ports, staffPorts: staffPorts, grace: graceMillis)
    }

    /// A file of the wallet's folder.
    func file(_ name: String) -> URL {
        folder.appendingPathComponent("wallet").appendingPathComponent(name)
    }

    /// The app is gone, and not started again.
    func close() async {
        await app.store.close()
        await app.staff.close()
        app.events.finish()
    }

    private static func start(
        folder: URL, service: ServiceConfiguration, ports: DevicePorts, staffPorts: DevicePorts, grace: UInt64
    ) -> AppModel {
        let events = EventHub()
        let wallet = WalletStore(
            config: service.wallet(in: folder.appendingPathComponent("wallet")), ports: ports, listener: events, graceMillis: grace)
        let staff = StaffStore(config: service.verifier(in: folder.appendingPathComponent("staff")), ports: staffPorts, listener: nil)
        let defaults = UserDefaults(suiteName: "wallet-swift-tests") ?? .standard
        return AppModel(store: wallet, staff: staff, events: events, language: LanguageModel(defaults: defaults, preferred: ["vi-VN"]))
    }

    /// The app is gone and started again: same folder, same hardware.
    func restart(graceMillis: UInt64 = 30_000) async {
        await close()
        app = Phone.start(folder: folder, service: service, ports: ports, staffPorts: staffPorts, grace: graceMillis)
        await app.start()
    }

    /// First use: the passcode typed twice.
    func choosePasscode() async {
        await app.start()
        let model = FirstUseModel(store: app.store)
        Story.type(Story.passcode) { model.type($0) }
        _ = await model.next()
        Story.type(Story.passcode) { model.type($0) }
        let made = await model.next()
        XCTAssertTrue(made, "\(String(describing: model.problem))")
        await app.refresh()
    }

    /// The passcode typed at the lock.
    func unlock() async {
        let model = UnlockModel(store: app.store)
        Story.type(Story.passcode) { model.type($0) }
        let open = await model.unlock()
        XCTAssertTrue(open, "\(String(describing: model.problem))")
        await app.refresh()
    }

    /// From a new account to an active one, with a card, a code and a face.
    func activate(central: Central, card: Helper, folder scratch: Folder) async throws {
        let flow = ActivationFlow(store: app.store)
        await flow.resume()
        XCTAssertEqual(flow.step, .begin)
        await flow.begin()
        XCTAssertEqual(flow.step, .readCard, "\(String(describing: flow.problem))")
        try await readCard(card)
        await flow.cardWasRead()
        XCTAssertEqual(flow.step, .requestCode, "\(String(describing: flow.problem))")
        await flow.requestCode()
        XCTAssertEqual(flow.step, .enterCode, "\(String(describing: flow.problem))")
        await flow.submit(code: try central.newestCode())
        XCTAssertEqual(flow.step, .takeFace, "\(String(describing: flow.problem))")
        await flow.submit(face: try Phone.selfie(scratch))
        XCTAssertEqual(flow.step, .done, "\(String(describing: flow.problem))")
        await app.activated()
        XCTAssertEqual(app.root, .documents)
    }

    /// Reads the card to its end.
    func readCard(_ card: Helper) async throws {
        let reading = CardReading(store: app.store, events: app.events)
        reading.can = Central.can
        let read = await reading.read(channel: try SocketCard(port: card.port))
        XCTAssertTrue(read, "\(String(describing: reading.problem))")
        XCTAssertEqual(reading.report?.verdict.conclusion, "verified")
    }

    /// A picture of the citizen's face.
    static func selfie(_ scratch: Folder) throws -> Data {
        let file = scratch.path("selfie.png")
        try run(try Story.binary(), ["chip", "selfie", "--out", file.path])
        return try Data(contentsOf: file)
    }

    /// Enrols the staff side of this phone and fetches its lists.
    func enrol(central: Central, role: String, organisation: String, place: String) async throws -> StaffModel {
        let model = StaffModel(store: app.staff)
        await model.enrol(code: try central.staffCode(role: role, organisation: organisation, place: place))
        XCTAssertNil(model.problem)
        XCTAssertEqual(model.staff?.role, role)
        return model
    }

}

/// The text that the other side's camera reads from the drawn symbol.
func byPicture(_ text: String) throws -> String {
    let texts = try qrDecodePng(bytes: try qrDraw(text: text).png)
    XCTAssertEqual(texts.count, 1)
    return texts.first ?? ""
}

/// A drawn symbol as a camera sees it: every module eight points wide, with a quiet zone.
func frame(of text: String) throws -> LumaFrame {
    let symbol = try qrDraw(text: text)
    let modules = Int(symbol.width)
    let side = (modules + 8) * 8
    var luma = Data(repeating: 255, count: side * side)
    for row in 0..<modules {
        for column in 0..<modules where symbol.modules[row * modules + column] {
            for y in 0..<8 {
                let start = ((row + 4) * 8 + y) * side + (column + 4) * 8
                for x in 0..<8 { luma[start + x] = 0 }
            }
        }
    }
    return LumaFrame(width: side, height: side, luma: luma)
}
#endif
