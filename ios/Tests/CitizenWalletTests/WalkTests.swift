// A phone starts no other programs: these run on Linux and on a Mac.
#if !os(iOS)
import CitizenWallet
import CitizenWalletCore
import CitizenWalletTestKit
import XCTest

/// From a chip card to an offline check, through the app's own models: real library, real service over loopback TLS, simulated card over a socket.
final class WalkTests: XCTestCase {
    /// What the officer saw.
    private struct Outcome {
        let verdict: VerdictView
        let display: DisplayView?
    }

    @MainActor
    func testWalkFromFirstUseToASuspensionSeen() async throws {
        let folder = try Folder()
        let central = try Story.central(folder)
        defer { central.stop() }
        let card = try Story.card(folder)
        defer { card.stop() }
        let service = try Story.service(central)

        let officer = try Phone(folder: folder.path("officer"), service: service)
        let staff = try await officer.enrol(
            central: central, role: "traffic-police", organisation: "Đội CSGT số 1", place: "Quốc lộ 5, km 32")
        XCTAssertTrue(staff.choices.contains { $0.document == "driving-licence" })

        let citizen = try Phone(folder: folder.path("citizen"), service: service)
        XCTAssertEqual(citizen.app.root, .starting)
        await citizen.choosePasscode()
        XCTAssertEqual(citizen.app.root, .activation)
        try await citizen.activate(central: central, card: card, folder: folder)

        let documents = DocumentsModel(store: citizen.app.store)
        await documents.obtain()
        XCTAssertNil(documents.problem)
        XCTAssertEqual(documents.documents.count, 4)
        XCTAssertNotNil(documents.outcome)
        try await everyDocumentIsRendered(documents.documents, citizen)

        // Both sides offline from here on.
        central.stop()
        let first = try await check(citizen, staff)
        XCTAssertEqual(first.verdict.conclusion, "undetermined:portrait.match")
        let shown = try XCTUnwrap(first.display)
        XCTAssertTrue(RenderedDisplay(shown, words: Words(language: "vi")).items.contains { $0.field == "full_name" })

        let log = LogModel(store: citizen.app.store)
        await log.load()
        let entry = try XCTUnwrap(log.consents.first)
        XCTAssertEqual(entry.outcome, "shown")
        let words = RenderedDisplay(entry.display, words: Words(language: "vi")).items.map { $0.text }
        XCTAssertTrue(words.contains { $0.contains("Đội CSGT số 1") }, "\(words)")

        // Suspended at the service, seen at the next check after a sync.
        try await Task.sleep(nanoseconds: 1_100_000_000)
        try central.suspend("driving-licence")
        try central.start()
        await staff.sync()
        XCTAssertNil(staff.problem)
        central.stop()
        let second = try await check(citizen, staff)
        XCTAssertEqual(second.verdict.conclusion, "rejected:credential.status")
        XCTAssertNil(second.display)

        // And the citizen's own phone is told.
        try central.start()
        await documents.sync()
        XCTAssertEqual(documents.documents.first { $0.id == "driving-licence" }?.state, "suspended")
        await log.load()
        XCTAssertTrue(log.notices.contains { $0.kind == "suspended" })
    }

    /// The account moved to another phone: the next sync says so, the documents are gone, and the activation is what comes next.
    @MainActor
    func testBadInputTheAccountMovedToAnotherPhoneAndComesBack() async throws {
        let folder = try Folder()
        let central = try Story.central(folder)
        defer { central.stop() }
        let card = try Story.card(folder)
        defer { card.stop() }
        let service = try Story.service(central)
        let old = try Phone(folder: folder.path("old"), service: service)
        await old.choosePasscode()
        try await old.activate(central: central, card: card, folder: folder)
        let documents = DocumentsModel(store: old.app.store)
        await documents.obtain()
        XCTAssertEqual(documents.documents.count, 4)

        let new = try Phone(folder: folder.path("new"), service: service)
        await new.choosePasscode()
        try await new.activate(central: central, card: card, folder: folder)

        await documents.sync()
        XCTAssertNil(documents.problem)
        let told = RenderedDisplay(try XCTUnwrap(documents.outcome), words: Words(language: "en")).items.map { $0.text }
        XCTAssertTrue(told.contains(Words(language: "en")("problem.account-ended")), "\(told)")
        XCTAssertEqual(documents.documents.filter { $0.state == "ended" && $0.copies == 0 }.count, 4)
        await old.app.refresh()
        XCTAssertEqual(old.app.root, .activation)
        try await old.activate(central: central, card: card, folder: folder)
        await documents.obtain()
        XCTAssertNil(documents.problem)
        XCTAssertEqual(documents.documents.filter { $0.state == "issued" && $0.copies > 0 }.count, 4)
    }

    @MainActor
    private func everyDocumentIsRendered(_ documents: [DocumentSummaryView], _ phone: Phone) async throws {
        for summary in documents {
            let model = DocumentModel(id: summary.id, store: phone.app.store)
            await model.load()
            for language in LanguageModel.all {
                let shown = RenderedDisplay(try XCTUnwrap(model.display), words: Words(language: language))
                XCTAssertFalse(shown.title.isEmpty)
                XCTAssertFalse(shown.items.isEmpty, summary.id)
                XCTAssertFalse(Words(language: language)(summary.stateLabel).isEmpty)
            }
        }
    }

    /// One check by two pictures: the request read from its symbol, the answer from its own.
    @MainActor
    private func check(_ citizen: Phone, _ staff: StaffModel) async throws -> Outcome {
        let asked = await staff.ask(document: "driving-licence")
        let check = try XCTUnwrap(asked, "\(String(describing: staff.problem))")
        XCTAssertNotNil(check.question.symbol)

        var found: ConsentModel?
        let scan = ScanModel { text in found = try await citizen.app.openRequest(text) }
        await scan.saw(LumaFrame(width: 40, height: 40, luma: Data(repeating: 200, count: 1600)))
        XCTAssertFalse(scan.paused)
        await scan.saw(try frame(of: try openText(check)))
        let consent = try XCTUnwrap(found, "\(String(describing: scan.problem))")
        XCTAssertEqual(consent.verdict.conclusion, "verified")
        let who = RenderedDisplay(consent.display, words: Words(language: "vi")).items.map { $0.text }
        XCTAssertTrue(who.contains { $0.contains("Quốc lộ 5, km 32") }, "\(who)")
        XCTAssertTrue(consent.canAnswer)
        await consent.accept()
        let answer = try XCTUnwrap(consent.answer, "\(String(describing: consent.problem))")
        XCTAssertFalse(consent.canAnswer)
        XCTAssertFalse(ShowQRModel(text: answer.text, expiresAt: answer.expiresAt).over)
        try await check.check(text: try byPicture(answer.text))
        let verdict = try XCTUnwrap(check.verdict)
        XCTAssertEqual(verdict.display.title, "verdict.\(verdict.colour)")

        // The same answer again belongs to no open request.
        let outcome = Outcome(verdict: verdict, display: check.display)
        try await check.check(text: answer.text)
        XCTAssertEqual(check.verdict?.conclusion, "rejected:exchange.nonce")
        XCTAssertNil(check.display)
        return outcome
    }

    /// The text of the request that a check model shows, read from its symbol as a camera would.
    @MainActor
    private func openText(_ check: CheckModel) throws -> String {
        let symbol = try XCTUnwrap(check.question.symbol)
        return try XCTUnwrap(try qrDecodePng(bytes: symbol.png).first)
    }
}
#endif
