// A phone starts no other programs: these run on Linux and on a Mac.
#if !os(iOS)
import CitizenWallet
import CitizenWalletCore
import CitizenWalletTestKit
import XCTest

/// The staff side's own screens: before enrolment, lists carried by hand, the name on a boarding pass.
final class StaffTests: XCTestCase {
    /// A device that was never enrolled asks for its code, and for nothing else.
    @MainActor
    func testNewDeviceAsksForItsCode() async throws {
        let folder = try Folder()
        let phone = try Phone(folder: folder.path("phone"), service: Story.nobody())
        XCTAssertFalse(phone.app.staff.isUsed)
        let model = StaffModel(store: phone.app.staff)
        await model.refresh()
        XCTAssertTrue(phone.app.staff.isUsed)
        XCTAssertNil(model.problem)
        XCTAssertTrue(model.loaded)
        XCTAssertNil(model.staff)
        XCTAssertEqual(model.choices, [])
    }

    /// What one device fetched another takes from a file, without a network; files that are none are explained and change nothing.
    @MainActor
    func testListsAreCarriedByHand() async throws {
        let folder = try Folder()
        let central = try Story.central(folder)
        defer { central.stop() }
        let service = try Story.service(central)
        let first = try Phone(folder: folder.path("first"), service: service)
        let second = try Phone(folder: folder.path("second"), service: service)
        let giving = try await first.enrol(central: central, role: "traffic-police", organisation: "Đội 1", place: "Hà Nội")
        let taking = try await second.enrol(central: central, role: "traffic-police", organisation: "Đội 2", place: "Lào Cai")
        try await Task.sleep(nanoseconds: 1_100_000_000)
        try central.republish()
        await giving.sync()
        XCTAssertNil(giving.problem)
        central.stop()
        let newer = try XCTUnwrap(giving.cache?.trust?.version)
        let older = try XCTUnwrap(taking.cache?.trust?.version)
        XCTAssertLessThan(older, newer)

        let carried = await giving.carry()
        let file = folder.path(StaffModel.carriedName)
        try XCTUnwrap(carried).write(to: file)
        await taking.take(from: file)
        XCTAssertNil(taking.problem)
        XCTAssertNotNil(taking.outcome)
        XCTAssertEqual(taking.cache?.trust?.version, newer)

        // No file, one that is no carried file, one that was cut, and one that is too large.
        let cut = folder.path("cut")
        try XCTUnwrap(carried).dropLast(100).write(to: cut)
        let foreign = folder.path("foreign")
        try Data("a picture".utf8).write(to: foreign)
        let large = folder.path("large")
        _ = FileManager.default.createFile(atPath: large.path, contents: nil)
        let handle = try FileHandle(forWritingTo: large)
        try handle.truncate(atOffset: 80 << 20)
        try handle.close()
        for wrong in [folder.path("nowhere"), cut, foreign, large] {
            await taking.take(from: wrong)
            XCTAssertNotNil(taking.problem, wrong.lastPathComponent)
            let expected = wrong.lastPathComponent == "nowhere" ? "not-found" : "carried-file"
            XCTAssertEqual(taking.problem?.view.id, expected, wrong.lastPathComponent)
            XCTAssertEqual(taking.cache?.trust?.version, newer)
        }
        taking.fileFailed(CocoaError(.userCancelled))
        taking.dismiss()
        taking.fileFailed(CocoaError(.fileWriteOutOfSpace))
        XCTAssertEqual(taking.problem?.view.id, "storage-disk")
    }

    /// At a gate: the name on the boarding pass is compared with the signed one, and kept for one passenger only.
    @MainActor
    func testNameOnABoardingPass() async throws {
        let folder = try Folder()
        let central = try Story.central(folder)
        defer { central.stop() }
        let card = try Story.card(folder)
        defer { card.stop() }
        let service = try Story.service(central)
        let gate = try Phone(folder: folder.path("gate"), service: service)
        let staff = try await gate.enrol(central: central, role: "flight", organisation: "Nội Bài", place: "Cửa 12")
        XCTAssertTrue(staff.hasBoardingPasses)
        let identity = try XCTUnwrap(staff.choices.first { $0.document == "citizen-identity" })
        for field in identity.fields { staff.choose(document: identity.document, field: field.id, asked: false) }
        XCTAssertFalse(staff.canAsk(document: identity.document))
        let nothing = await staff.ask(document: identity.document)
        XCTAssertNil(nothing)
        for field in identity.fields where field.asked { staff.choose(document: identity.document, field: field.id, asked: true) }
        let citizen = try Phone(folder: folder.path("citizen"), service: service)
        await citizen.choosePasscode()
        try await citizen.activate(central: central, card: card, folder: folder)
        let documents = DocumentsModel(store: citizen.app.store)
        await documents.obtain()
        for (name, expected) in [(" NGUYEN/VAN AN ", "passed"), ("TRAN/THI BINH", "not-checked"), ("", nil)] {
            staff.boardingName = name
            let asked = await staff.ask(document: "citizen-identity")
            XCTAssertEqual(staff.boardingName, "")
            let check = try XCTUnwrap(asked, "\(String(describing: staff.problem))")
            let question = try XCTUnwrap(check.question.symbol)
            let consent = try await citizen.app.openRequest(try XCTUnwrap(try qrDecodePng(bytes: question.png).first))
            await consent.accept()
            try await check.check(text: try byPicture(try XCTUnwrap(consent.answer, "\(String(describing: consent.problem))").text))
            let fact = check.verdict?.facts.first { $0.name == "name.match" }
            XCTAssertEqual(fact?.result, expected, "\(name): \(String(describing: check.verdict?.conclusion))")
        }
    }
}
#endif
