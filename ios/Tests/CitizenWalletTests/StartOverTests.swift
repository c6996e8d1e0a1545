// A phone starts no other programs: these run on Linux and on a Mac.
#if !os(iOS)
import CitizenWallet
import CitizenWalletCore
import CitizenWalletTestKit
import XCTest

/// A store that cannot be used any more, and starting over: nothing goes before the person said that it is meant, and then all of it goes.
final class StartOverTests: XCTestCase {
    /// The database is damaged: the lock says so, starting over removes everything, a new wallet can be made.
    @MainActor
    func testBadInputDamagedStore() async throws {
        let folder = try Folder()
        let phone = try Phone(folder: folder.path("phone"), service: Story.nobody())
        await phone.choosePasscode()
        await phone.close()
        try damage(phone.file("wallet.db"))
        await phone.restart()
        XCTAssertEqual(phone.app.root, .unlock)
        let unlock = UnlockModel(store: phone.app.store)
        Story.type(Story.passcode) { unlock.type($0) }
        let open = await unlock.unlock()
        XCTAssertFalse(open)
        let problem = try XCTUnwrap(unlock.problem)
        XCTAssertEqual(problem.view.id, "storage")
        XCTAssertTrue(problem.losesStore)
        try await startOver(phone)
        await phone.choosePasscode()
        XCTAssertEqual(phone.app.root, .activation)
    }

    /// The header with the wrapped keys is gone: the folder cannot even be opened.
    @MainActor
    func testBadInputHeaderGone() async throws {
        let folder = try Folder()
        let phone = try Phone(folder: folder.path("phone"), service: Story.nobody())
        await phone.choosePasscode()
        await phone.close()
        try FileManager.default.removeItem(at: phone.file("wallet.keys"))
        await phone.restart()
        guard case let .failed(problem) = phone.app.root else { return XCTFail("\(phone.app.root)") }
        XCTAssertTrue(problem.losesStore)
        XCTAssertTrue(phone.app.hasWallet)
        try await startOver(phone)
        await phone.choosePasscode()
    }

    /// The phone lost the key that the store is sealed with, as when its screen lock was removed.
    @MainActor
    func testBadInputKeyOfThePhoneGone() async throws {
        let folder = try Folder()
        let phone = try Phone(folder: folder.path("phone"), service: Story.nobody())
        await phone.choosePasscode()
        await phone.restart()
        phone.sealer.forget()
        let unlock = UnlockModel(store: phone.app.store)
        Story.type(Story.passcode) { unlock.type($0) }
        _ = await unlock.unlock()
        XCTAssertEqual(unlock.problem?.view.id, "key-invalidated")
        XCTAssertEqual(unlock.problem?.losesStore, true)
        try await startOver(phone)
        await phone.choosePasscode()
    }

    /// Without the deliberate yes nothing happens, byte for byte, however often the button is pressed.
    @MainActor
    func testDecliningKeepsEverything() async throws {
        let folder = try Folder()
        let phone = try Phone(folder: folder.path("phone"), service: Story.nobody())
        await phone.choosePasscode()
        let identity = try await phone.app.store.wallet()
        let model = StartOverModel(side: .wallet, app: phone.app)
        XCTAssertFalse(model.ready)
        await model.startOver()
        model.meant = true
        model.meant = false
        await model.startOver()
        XCTAssertFalse(model.done)
        XCTAssertNil(model.problem)
        let still = try await phone.app.store.wallet()
        XCTAssertTrue(still === identity)
        XCTAssertEqual(phone.app.root, .activation)

        await phone.close()
        try damage(phone.file("wallet.db"))
        let before = try contents(phone)
        await phone.restart()
        let declined = StartOverModel(side: .wallet, app: phone.app)
        await declined.startOver()
        await phone.close()
        XCTAssertEqual(try contents(phone)["wallet.db"], before["wallet.db"])
        XCTAssertEqual(try contents(phone)["wallet.keys"], before["wallet.keys"])
    }

    /// From the settings, with a card being read: the reading is stopped, the wallet is new, the service gives a new account.
    @MainActor
    func testStartOverWhileWorkIsUnderWay() async throws {
        try await Story.withCard { phone, card, folder, central in
            XCTAssertFalse(try phone.keys.list().isEmpty)
            let reading = CardReading(store: phone.app.store, events: phone.app.events)
            let slow = SlowCard(try SocketCard(port: card.port), seconds: 0.2)
            let work = Task { await reading.read(channel: slow, password: .can(can: Central.can)) }
            for _ in 0..<200 where slow.exchanges < 3 { try await Task.sleep(nanoseconds: 20_000_000) }
            try await startOver(phone)
            let read = await work.value
            XCTAssertFalse(read)
            try slow.cancel()
            await phone.choosePasscode()
            try await phone.activate(central: central, card: card, folder: folder)
        }
    }

    /// The key store does not let its keys go: the app says so before every screen; done again, it succeeds.
    @MainActor
    func testBadInputKeysThatStay() async throws {
        let folder = try Folder()
        let phone = try Phone(folder: folder.path("phone"), service: Story.nobody())
        await phone.choosePasscode()
        _ = try phone.keys.createKeys(purpose: .account, count: 1, challenge: Data([1]))
        phone.keys.become(.throwing)
        let model = StartOverModel(side: .wallet, app: phone.app)
        model.meant = true
        await model.startOver()
        XCTAssertFalse(model.done)
        XCTAssertEqual(model.problem?.view.id, "device-unavailable")
        XCTAssertEqual(phone.app.trouble, model.problem)
        phone.keys.become(.well)
        phone.app.dismissTrouble()
        await model.startOver()
        XCTAssertTrue(model.done)
        XCTAssertNil(phone.app.trouble)
        XCTAssertEqual(try phone.keys.list(), [])
        XCTAssertEqual(phone.app.root, .firstUse)
    }

    /// A staff device whose header is damaged, removed and enrolled again; the wallet beside it is not touched.
    @MainActor
    func testBadInputDamagedStaffDevice() async throws {
        let folder = try Folder()
        let central = try Story.central(folder)
        defer { central.stop() }
        let phone = try Phone(folder: folder.path("phone"), service: try Story.service(central))
        await phone.choosePasscode()
        _ = try await phone.enrol(central: central, role: "traffic-police", organisation: "Đội 1", place: "Quốc lộ 5")
        await phone.close()
        try damage(folder.path("phone").appendingPathComponent("staff").appendingPathComponent("keys.slots"))
        await phone.restart()
        await phone.unlock()
        let broken = StaffModel(store: phone.app.staff)
        await broken.refresh()
        XCTAssertEqual(broken.problem?.losesStore, true, "\(String(describing: broken.problem))")
        let model = StartOverModel(side: .staff, app: phone.app)
        model.meant = true
        await model.startOver()
        XCTAssertTrue(model.done, "\(String(describing: model.problem))")
        XCTAssertEqual(try phone.staffKeys.list(), [])
        await broken.refresh()
        XCTAssertNil(broken.problem)
        XCTAssertNil(broken.staff)
        XCTAssertTrue(broken.loaded)
        _ = try await phone.enrol(central: central, role: "traffic-police", organisation: "Đội 1", place: "Quốc lộ 5")
        XCTAssertEqual(phone.app.root, .activation)
    }

    // MARK: -

    /// Says that it is meant, and sees that everything is gone but the folder, which is the one that backups leave out.
    @MainActor
    private func startOver(_ phone: Phone) async throws {
        let model = StartOverModel(side: .wallet, app: phone.app)
        model.meant = true
        await model.startOver()
        XCTAssertTrue(model.done, "\(String(describing: model.problem))")
        XCTAssertEqual(phone.app.root, .firstUse)
        XCTAssertFalse(phone.app.hasWallet)
        XCTAssertEqual(try phone.keys.list(), [])
        let files = try FileManager.default.contentsOfDirectory(atPath: phone.folder.appendingPathComponent("wallet").path)
        // What the new wallet made when it was opened, which is empty.
        XCTAssertEqual(Set(files).subtracting(["lock", "trust"]), [])
    }

    /// Overwrites the middle of a file.
    private func damage(_ file: URL) throws {
        var bytes = try Data(contentsOf: file)
        let middle = bytes.count / 4..<bytes.count * 3 / 4
        bytes.replaceSubrange(middle, with: Data(repeating: 0x5a, count: middle.count))
        try bytes.write(to: file)
    }

    @MainActor
    private func contents(_ phone: Phone) throws -> [String: Data] {
        let folder = phone.folder.appendingPathComponent("wallet")
        var found: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            found[name] = try? Data(contentsOf: folder.appendingPathComponent(name))
        }
        return found
    }
}
#endif
