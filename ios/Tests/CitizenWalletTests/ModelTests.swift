// A phone starts no other programs: these run on Linux and on a Mac.
#if !os(iOS)
import CitizenWallet
import CitizenWalletCore
import CitizenWalletTestKit
import XCTest

/// Models that need no service.
final class ModelTests: XCTestCase {
    private let languages = ["vi", "en"]

    private func sample() -> DisplayView {
        let items = [
            DisplayItemView(field: "full_name", label: "field.full_name", value: .text(text: "Nguyễn Văn An"), role: .title),
            DisplayItemView(field: "sex", label: "field.sex", value: .key(key: "value.sex.male"), role: .plain),
            DisplayItemView(field: "religion", label: "field.religion", value: .text(text: "a secret"), role: .secret),
            DisplayItemView(field: "", label: "", value: .key(key: "warning.expired"), role: .warning),
            DisplayItemView(field: "portrait", label: "field.portrait", value: .image(mediaType: "image/png", bytes: Data([1, 2])), role: .portrait),
        ]
        return DisplayView(id: "citizen-identity", title: "document.citizen-identity", groups: [DisplayGroupView(title: "group.person", items: items)])
    }

    func testDisplayIsRenderedInBothLanguages() {
        let vi = RenderedDisplay(sample(), words: Words(language: "vi"))
        let en = RenderedDisplay(sample(), words: Words(language: "en"))
        XCTAssertEqual(en.title, "Citizen identity")
        XCTAssertNotEqual(vi.title, en.title)
        XCTAssertEqual(en.groups.first?.title, "Holder")
        XCTAssertEqual(en.items.map { $0.role }, [.title, .plain, .secret, .warning, .portrait])
        XCTAssertEqual(en.items[1].text, "Male")
        XCTAssertEqual(vi.items[1].text, "Nam")
        XCTAssertEqual(Set(en.items.map { $0.id }).count, en.items.count)
        XCTAssertEqual(en.items[4].value, .image(mediaType: "image/png", bytes: Data([1, 2])))
    }

    func testSecretIsNotSpokenBeforeItWasUncovered() {
        let secret = RenderedDisplay(sample(), words: Words(language: "en")).items[2]
        XCTAssertFalse(secret.spoken.contains("a secret"))
        XCTAssertTrue(secret.spoken.contains("Religion"))
        XCTAssertTrue(secret.spokenUncovered.contains("a secret"))
    }

    func testRolesAndVerdictsAreToldByShapeAsWellAsColour() {
        let marks = [DisplayRole.warning, .done, .current, .todo].map { $0.mark }
        XCTAssertEqual(Set(marks).count, 4)
        XCTAssertFalse(marks.contains(""))
        XCTAssertEqual(Set([VerdictColour.green, .amber, .red].map { $0.mark }).count, 3)
        XCTAssertEqual(VerdictColour(word: "violet"), .amber)
        XCTAssertTrue(RenderedDisplay(sample(), words: Words(language: "en")).items[3].spoken.hasPrefix("Attention"))
    }

    func testEveryErrorIsExplainedInBothLanguages() {
        let errors: [WalletError] = [
            .WrongPasscode(triesLeft: 4), .LockedUntil(at: "2026-01-01T00:00:00Z"), .CardMoved, .WrongCardKey, .DifferentCard, .Network,
            .Untrusted(fact: "chip.chain"), .Untrusted(fact: "clock"), .Invalid(reason: "service-clock"), .Expired, .Declined, .Storage(reason: "full"), .Storage(reason: "corrupt"), .Unsupported,
            .Invalid(reason: "not-enrolled"), .Invalid(reason: "a word of tomorrow"), .Closed, .Internal,
        ]
        for error in errors {
            guard let problem = Problem(error) else {
                XCTFail("\(error) is not explained")
                continue
            }
            for language in languages {
                let shown = problem.rendered(Words(language: language))
                XCTAssertFalse(shown.title.isEmpty, "\(error)")
                for text in [shown.title] + shown.items.map({ $0.text }) { assertIsWords(text, "\(error)") }
                assertIsWords(Words(language: language)(problem.actionKey), "\(error)")
            }
        }
        // No app can open the page of date and time here: the button is for coming back from it.
        XCTAssertEqual(Problem(WalletError.Untrusted(fact: "clock"))?.actionKey, "action.retry")
        XCTAssertNil(Problem(WalletError.Cancelled))
        XCTAssertNil(Problem(CancellationError()))
        XCTAssertNotNil(Problem(TestFailure("a stranger")))
    }

    func testPasscodeEntryIsWiped() {
        var entry = PasscodeEntry()
        for digit in [1, 2, 3, 4, 12, -1] { entry.type(digit) }
        XCTAssertEqual(entry.count, 4)
        entry.deleteLast()
        XCTAssertEqual(entry.take(), Data("123".utf8))
        XCTAssertEqual(entry.count, 0)
    }

    @MainActor
    func testLanguageIsThePhonesUntilOneIsChosen() async {
        let defaults = UserDefaults(suiteName: "wallet-swift-language")
        defaults?.removePersistentDomain(forName: "wallet-swift-language")
        let model = LanguageModel(defaults: defaults ?? .standard, preferred: ["fr-FR", "en-GB"])
        XCTAssertEqual(model.words.language, "en")
        model.choose("xx")
        XCTAssertEqual(model.words.language, "en")
        model.choose("vi")
        XCTAssertEqual(LanguageModel(defaults: defaults ?? .standard, preferred: ["en"]).words.language, "vi")
        XCTAssertEqual(LanguageModel(defaults: UserDefaults(suiteName: "wallet-swift-none") ?? .standard, preferred: ["fr"]).words.language, "vi")
        defaults?.removePersistentDomain(forName: "wallet-swift-language")
    }

    @MainActor
    func testShownCodeCountsDownAndIsOver() async throws {
        let now = try XCTUnwrap(ShowQRModel.moment("2026-01-01T00:00:00Z"))
        let model = ShowQRModel(text: "CWQ1:ABC", expiresAt: "2026-01-01T00:02:00Z", now: now)
        XCTAssertNotNil(model.symbol)
        XCTAssertEqual(model.secondsLeft, 120)
        model.tick(now: now.addingTimeInterval(119.5))
        XCTAssertFalse(model.over)
        XCTAssertEqual(model.secondsLeft, 1)
        model.tick(now: now.addingTimeInterval(500))
        XCTAssertTrue(model.over)
        XCTAssertNotNil(ShowQRModel(text: String(repeating: "x", count: 9000), expiresAt: nil).problem)
    }

    @MainActor
    func testEventsArriveInOrder() async throws {
        let hub = EventHub()
        let stream = hub.events()
        for done in 0..<200 {
            try hub.progress(progress: ProgressView(step: "DG2", done: UInt64(done), total: 200, bytesDone: 0, bytesTotal: 0))
        }
        hub.finish()
        var heard: [UInt64] = []
        for await event in stream {
            if case let .progress(step) = event { heard.append(step.done) }
        }
        XCTAssertEqual(heard, Array(0..<200).map { UInt64($0) })
    }

    /// Nothing keeps itself alive: windows and models come and go while the process stays.
    @MainActor
    func testModelsAreLetGo() async throws {
        let folder = try Folder()
        weak var app: AppModel?
        weak var store: WalletStore?
        weak var staff: StaffStore?
        var models: [() -> AnyObject?] = []
        func live() async throws {
            let phone = try Phone(folder: folder.path("phone"), service: Story.nobody())
            await phone.choosePasscode()
            await phone.app.sceneEntered("one")
            await phone.app.sceneLeft("one")
            app = phone.app
            store = phone.app.store
            staff = phone.app.staff
            let flow = ActivationFlow(store: phone.app.store)
            await flow.begin()
            XCTAssertNotNil(flow.problem)
            let reading = CardReading(store: phone.app.store, events: phone.app.events)
            _ = await reading.read(channel: LostCard(), password: .can(can: "000123"))
            let documents = DocumentsModel(store: phone.app.store)
            await documents.obtain()
            let officer = StaffModel(store: phone.app.staff)
            await officer.refresh()
            let over = StartOverModel(side: .wallet, app: phone.app)
            await over.startOver()
            let all: [AnyObject] = [flow, reading, documents, officer, over]
            for one in all { models.append({ [weak one] in one }) }
            await phone.close()
        }
        try await live()
        for _ in 0..<100 where app != nil || store != nil || staff != nil || models.contains(where: { $0() != nil }) {
            try await Task.sleep(nanoseconds: 20_000_000)
        }
        XCTAssertNil(app)
        XCTAssertNil(store)
        XCTAssertNil(staff)
        XCTAssertEqual(models.map { $0() == nil }, Array(repeating: true, count: models.count))
    }

    func testCardProgressIsStepsWithAShapeForEach() {
        let progress = ProgressView(step: "DG2", done: 3, total: 6, bytesDone: 500, bytesTotal: 1000)
        let shown = RenderedDisplay(cardProgress(progress: progress), words: Words(language: "vi"))
        XCTAssertTrue(shown.items.contains { $0.role == .done })
        XCTAssertTrue(shown.items.contains { $0.role == .current })
        for item in shown.items {
            // The state in words is the step's own value: once on the screen, once for a screen reader.
            assertIsWords(item.text, item.label)
            XCTAssertEqual(item.spoken, item.label + ", " + item.text)
        }
        XCTAssertLessThanOrEqual(cardProgressPercent(progress: progress), 100)
    }

    func testServiceConfigurationIsReadFromAFolder() throws {
        let folder = try Folder()
        try Data(#"{"service_url": "https://a.example", "trust_floor": 7}"#.utf8).write(to: folder.path("service.json"))
        try Data([1]).write(to: folder.path("tls-root.der"))
        try Data([2]).write(to: folder.path("root.json"))
        let service = try ServiceConfiguration(folder: folder.url)
        XCTAssertEqual(service, ServiceConfiguration(serviceUrl: "https://a.example", tlsRoot: Data([1]), trustRoot: Data([2]), trustFloor: 7))
        XCTAssertThrowsError(try ServiceConfiguration(folder: folder.path("nowhere")))
    }

    /// A text for people: not empty, not a key of the catalogue that has no words.
    private func assertIsWords(_ text: String, _ about: String) {
        XCTAssertFalse(text.isEmpty, about)
        XCTAssertNil(text.range(of: "^[a-z]+(\\.[a-z-]+)+$", options: .regularExpression), "\(about): no words for \(text)")
    }
}
#endif
