// A phone starts no other programs: these run on Linux and on a Mac.
#if !os(iOS)
import CitizenWallet
import CitizenWalletCore
import CitizenWalletTestKit
import XCTest

/// What goes wrong in people's hands: each ends in a problem that says what happened and how to go on, and nothing is lost.
final class BadInputTests: XCTestCase {
    /// The app is killed after every step of an activation; started again, it goes on at that very step.
    @MainActor
    func testBadInputAppKilledAtAnyPoint() async throws {
        try await Story.withPhone { phone, card, folder, central in
            await phone.app.start()
            XCTAssertEqual(phone.app.root, .firstUse)
            await phone.restart()
            XCTAssertEqual(phone.app.root, .firstUse)
            await phone.choosePasscode()

            var flow = await killed(phone, expecting: .begin)
            await flow.begin()
            flow = await killed(phone, expecting: .readCard)
            let read = await CardReading(store: phone.app.store, events: phone.app.events)
                .read(channel: try SocketCard(port: card.port), password: .can(can: Central.can))
            XCTAssertTrue(read)
            // The chip's evidence needs no screen: going on sends it.
            flow = await killed(phone, expecting: .requestCode)
            await flow.requestCode()
            flow = await killed(phone, expecting: .enterCode)
            await flow.submit(code: try central.newestCode())
            flow = await killed(phone, expecting: .takeFace)
            await flow.submit(face: try Phone.selfie(folder))
            flow = await killed(phone, expecting: .done)
            XCTAssertEqual(phone.app.root, .documents)

            // In the middle of fetching documents: cut off, then gone on with.
            let cut = DocumentsModel(store: phone.app.store)
            let fetching = Task { await cut.obtain() }
            try await Task.sleep(nanoseconds: 300_000_000)
            cut.cancel()
            await fetching.value
            await phone.restart()
            await phone.unlock()
            let documents = DocumentsModel(store: phone.app.store)
            await documents.obtain()
            XCTAssertNil(documents.problem)
            XCTAssertEqual(documents.documents.count, 4)
            await phone.restart()
            await phone.unlock()
            let again = DocumentsModel(store: phone.app.store)
            await again.refresh()
            XCTAssertEqual(again.documents.map { $0.copies }, documents.documents.map { $0.copies })
        }
    }

    /// Starts the app again and looks where the activation is.
    @MainActor
    private func killed(_ phone: Phone, expecting step: ActivationStep) async -> ActivationFlow {
        await phone.restart()
        XCTAssertEqual(phone.app.root, .unlock)
        await phone.unlock()
        let flow = ActivationFlow(store: phone.app.store)
        await flow.resume()
        XCTAssertEqual(flow.step, step, "\(String(describing: flow.problem))")
        return flow
    }

    /// A window that is built anew (rotation, another size) finds everything where it was.
    @MainActor
    func testBadInputRotation() async throws {
        let folder = try Folder()
        let central = try Story.central(folder)
        defer { central.stop() }
        let phone = try Phone(folder: folder.path("phone"), service: try Story.service(central))
        await phone.choosePasscode()
        let before = ActivationFlow(store: phone.app.store)
        await before.resume()
        await before.begin()
        let after = ActivationFlow(store: phone.app.store)
        await after.resume()
        XCTAssertEqual(after.view, before.view)
        XCTAssertEqual(phone.app.root, .activation)
    }

    /// A short time in the background keeps the wallet open, a long one locks it; a clock that slept counts.
    @MainActor
    func testBadInputBackgroundAndBack() async throws {
        let folder = try Folder()
        let phone = try Phone(folder: folder.path("phone"), service: Story.nobody(), graceMillis: 20_000)
        await phone.choosePasscode()
        await phone.app.sceneEntered("one")
        await phone.app.sceneLeft("one")
        await phone.app.sceneEntered("one")
        XCTAssertEqual(phone.app.root, .activation)
        await phone.app.sceneLeft("one")
        phone.clock.sleep(millis: 21_000)
        await phone.app.sceneEntered("one")
        XCTAssertEqual(phone.app.root, .unlock)
        await phone.unlock()
        XCTAssertEqual(phone.app.root, .activation)
    }

    /// The grace ends while the app still runs in the background: the wallet is locked without anybody coming back.
    @MainActor
    func testBadInputBackgroundForLongerThanTheGrace() async throws {
        let folder = try Folder()
        let phone = try Phone(folder: folder.path("phone"), service: Story.nobody(), graceMillis: 300)
        await phone.choosePasscode()
        await phone.app.sceneEntered("one")
        await phone.app.sceneLeft("one")
        for _ in 0..<100 where phone.app.root != .unlock { try await Task.sleep(nanoseconds: 50_000_000) }
        // The wallet's own listener told the app.
        XCTAssertEqual(phone.app.root, .unlock)
    }

    /// The phone is locked in the middle of something.
    @MainActor
    func testBadInputScreenLock() async throws {
        try await Story.withCard { phone, card, _, _ in
            let flow = ActivationFlow(store: phone.app.store)
            let reading = CardReading(store: phone.app.store, events: phone.app.events)
            let slow = SlowCard(try SocketCard(port: card.port), seconds: 0.05)
            let work = Task { await reading.read(channel: slow, password: .can(can: Central.can)) }
            for _ in 0..<200 where slow.exchanges < 5 { try await Task.sleep(nanoseconds: 20_000_000) }
            await phone.app.lock()
            XCTAssertEqual(phone.app.root, .unlock)
            let done = await work.value
            if !done { assertExplained(reading.problem, "locked while reading") }
            try slow.cancel()
            await phone.unlock()
            await flow.resume()
            XCTAssertNotNil(flow.step)
            if flow.step == .readCard { try await phone.readCard(card) }
            await flow.resume()
            XCTAssertEqual(flow.step, .requestCode, "\(String(describing: flow.problem))")
        }
    }

    /// No antenna, or switched off.
    @MainActor
    func testBadInputNfcOffAndNoNfc() async throws {
        let folder = try Folder()
        let phone = try Phone(folder: folder.path("phone"), service: Story.nobody())
        for id in ["nfc-off", "no-nfc"] {
            let reading = CardReading(store: phone.app.store, events: phone.app.events)
            reading.phoneCannot(id)
            assertExplained(reading.problem, id)
            reading.dismiss()
            XCTAssertNil(reading.problem)
        }
        XCTAssertEqual(Problem(id: "nfc-off").view.action, .openNfcSettings)
        XCTAssertTrue(Problem(id: "nfc-off").opensSettings)
    }

    /// The card is pulled away: held again, the reading goes on; gone for good, it can be begun again.
    @MainActor
    func testBadInputCardPulledAway() async throws {
        try await Story.withCard { phone, card, _, _ in
            let reading = CardReading(store: phone.app.store, events: phone.app.events)
            let gone = await reading.read(channel: LostCard(), password: .can(can: Central.can))
            XCTAssertFalse(gone)
            self.assertExplained(reading.problem, "card lost for good")
            let read = await reading.read(channel: try SocketCard(port: card.port, loseAfter: 30), password: .can(can: Central.can))
            XCTAssertTrue(read, "\(String(describing: reading.problem))")
            XCTAssertNil(reading.problem)
        }
    }

    /// The sheet is open and nobody has laid the card there yet: the reading waits and then begins.
    @MainActor
    func testBadInputCardHeldLate() async throws {
        try await Story.withCard { phone, card, _, _ in
            let reading = CardReading(store: phone.app.store, events: phone.app.events)
            let read = await reading.read(channel: try SocketCard(port: card.port, loseAfter: 0), password: .can(can: Central.can))
            XCTAssertTrue(read, "\(String(describing: reading.problem))")
        }
    }

    /// A card that can be read and is not genuine: its verdict is shown, and another can be read.
    @MainActor
    func testBadInputCardThatIsNotAccepted() async throws {
        try await Story.withCard { phone, card, folder, _ in
            let forged = try Story.card(folder, arguments: ["--forged", "cloned-chip"])
            defer { forged.stop() }
            let reading = CardReading(store: phone.app.store, events: phone.app.events)
            let read = await reading.read(channel: try SocketCard(port: forged.port), password: .can(can: Central.can))
            XCTAssertFalse(read)
            XCTAssertNil(reading.problem)
            XCTAssertTrue(reading.rejected)
            XCTAssertEqual(reading.report?.verdict.conclusion, "rejected:chip.genuine")
            try await phone.readCard(card)
        }
    }

    /// The person closes the system's sheet: nothing to explain, the reading can go on later.
    @MainActor
    func testBadInputSheetClosed() async throws {
        try await Story.withCard { phone, card, _, _ in
            let reading = CardReading(store: phone.app.store, events: phone.app.events)
            let read = await reading.read(channel: ClosedSheet(), password: .can(can: Central.can))
            XCTAssertFalse(read)
            XCTAssertNil(reading.problem)
            try await phone.readCard(card)
        }
    }

    /// Another card is held in the middle of a reading.
    @MainActor
    func testBadInputAnotherCard() async throws {
        try await Story.withCard { phone, card, folder, _ in
            let other = try Story.card(folder, arguments: ["--citizen", try Story.otherCitizen()])
            defer { other.stop() }
            let reading = CardReading(store: phone.app.store, events: phone.app.events)
            let channel = try SocketCard(port: card.port, loseAfter: 30, swapTo: other.port)
            let mixed = await reading.read(channel: channel, password: .can(can: Central.can))
            try channel.cancel()
            XCTAssertFalse(mixed)
            self.assertExplained(reading.problem, "another card")
            try await phone.readCard(card)
        }
    }

    /// The number was not that of the card.
    @MainActor
    func testBadInputWrongCardNumber() async throws {
        try await Story.withCard { phone, card, _, _ in
            let reading = CardReading(store: phone.app.store, events: phone.app.events)
            for incomplete in ["", "00000", "0000000", "00000a", "٠٠٠٠٠٠"] {
                reading.can = incomplete
                XCTAssertFalse(reading.canIsComplete, incomplete)
            }
            reading.can = "000000"
            XCTAssertTrue(reading.canIsComplete)
            let channel = try SocketCard(port: card.port)
            let read = await reading.read(channel: channel)
            try channel.cancel()
            XCTAssertFalse(read)
            self.assertExplained(reading.problem, "wrong number")
            XCTAssertEqual(reading.problem?.view.action, .enterAgain)
            try await phone.readCard(card)
        }
    }

    /// The camera may not be used, or there is none.
    @MainActor
    func testBadInputPermissionRefused() async throws {
        let scan = ScanModel { _ in XCTFail("nothing was scanned") }
        for id in ["camera-refused", "no-camera"] {
            scan.phoneCannot(id)
            assertExplained(scan.problem, id)
            XCTAssertTrue(scan.paused)
            scan.again()
            XCTAssertFalse(scan.paused)
        }
        XCTAssertEqual(Problem(id: "camera-refused").view.action, .openAppSettings)
    }

    /// Without the camera a picture of a code serves as well; one without a code, and one that is no picture, are explained.
    @MainActor
    func testBadInputPictureInsteadOfTheCamera() async throws {
        var seen: [String] = []
        let scan = ScanModel { seen.append($0) }
        scan.phoneCannot("camera-refused")
        XCTAssertTrue(scan.needsPicture)
        await scan.chose(png: Data("no picture".utf8))
        assertExplained(scan.problem, "no picture")
        XCTAssertTrue(scan.paused)
        scan.phoneCannot("camera-refused")
        await scan.chose(png: try qrDraw(text: "CWQ1:ABC").png)
        XCTAssertEqual(seen, ["CWQ1:ABC"])
        XCTAssertNil(scan.problem)
    }

    /// The camera sees a code of somebody else.
    @MainActor
    func testBadInputCameraSeesAForeignQR() async throws {
        let folder = try Folder()
        let phone = try Phone(folder: folder.path("phone"), service: Story.nobody())
        await phone.choosePasscode()
        // Drawn and seen by a camera: a code of another app.
        let foreign = ["HTTPS://EXAMPLE.COM/PAY", "WIFI:T:WPA"]
        // As a camera reads them: damaged, not for a citizen, empty, and the code printed on every card.
        let ours = ["CWQ1:NOT A REQUEST", "CWA1:ABC", "", "001090000123|012345678|Nguyễn Văn An|01011990|Nam|Hà Nội|01012021"]
        for text in foreign + ours {
            let scan = ScanModel { found in _ = try await phone.app.openRequest(found) }
            if foreign.contains(text) { await scan.saw(try frame(of: text)) } else { await scan.found(text) }
            assertExplained(scan.problem, text)
            XCTAssertTrue(scan.paused)
            scan.again()
            XCTAssertNil(scan.problem)
        }
    }

    /// An adapter throws what it may not throw.
    @MainActor
    func testBadInputAdapterThatThrows() async throws {
        let folder = try Folder()
        let central = try Story.central(folder)
        defer { central.stop() }
        let phone = try Phone(folder: folder.path("phone"), service: try Story.service(central))
        await phone.choosePasscode()
        let flow = ActivationFlow(store: phone.app.store)
        await flow.resume()
        phone.keys.become(.throwing)
        await flow.begin()
        assertExplained(flow.problem, "a port that throws")
        phone.keys.become(.well)
        await flow.begin()
        XCTAssertEqual(flow.step, .readCard, "\(String(describing: flow.problem))")
    }

    /// An adapter never comes back: the core waits for its deadline and not longer, and a person need not wait at all.
    @MainActor
    func testBadInputAdapterThatNeverReturns() async throws {
        try await Story.withCard { phone, card, _, _ in
            let reading = CardReading(store: phone.app.store, events: phone.app.events)
            let stuck = SlowCard(try SocketCard(port: card.port), seconds: 40)
            let begun = Date()
            let read = await reading.read(channel: stuck, password: .can(can: Central.can))
            let waited = Date().timeIntervalSince(begun)
            print("an adapter that never returns was given up after \(String(format: "%.1f", waited)) s")
            XCTAssertFalse(read)
            XCTAssertLessThan(waited, 30)
            self.assertExplained(reading.problem, "a port that never returns")
            try stuck.cancel()

            let second = SlowCard(try SocketCard(port: card.port), seconds: 40)
            let work = Task { await reading.read(channel: second, password: .can(can: Central.can)) }
            for _ in 0..<200 where second.exchanges < 1 { try await Task.sleep(nanoseconds: 20_000_000) }
            let stopped = Date()
            reading.cancel()
            _ = await work.value
            let took = Date().timeIntervalSince(stopped) * 1000
            print("cancelled while an adapter hangs: ended after \(Int(took)) ms")
            XCTAssertLessThan(took, 1000)
            XCTAssertNil(reading.problem)
            try second.cancel()
            try await phone.readCard(card)
        }
    }

    /// The phone asks for its owner while a wallet is made, opened or given another passcode, and nobody answers: it can be stopped, and done again.
    @MainActor
    func testBadInputStoppedWhileThePhoneAsks() async throws {
        let folder = try Folder()
        let phone = try Phone(folder: folder.path("phone"), service: Story.nobody())
        await phone.app.start()
        phone.sealer.become(.hanging(15))
        let first = FirstUseModel(store: phone.app.store)
        Story.type(Story.passcode) { first.type($0) }
        _ = await first.next()
        Story.type(Story.passcode) { first.type($0) }
        let made = Task { await first.next() }
        try await stopped(first, "create")
        let created = await made.value
        XCTAssertFalse(created)
        phone.sealer.become(.well)
        await phone.app.refresh()
        // Stopped before anything was made.
        XCTAssertEqual(phone.app.root, .firstUse)
        await phone.choosePasscode()

        await phone.app.lock()
        phone.sealer.become(.hanging(15))
        let unlock = UnlockModel(store: phone.app.store)
        Story.type(Story.passcode) { unlock.type($0) }
        let opened = Task { await unlock.unlock() }
        try await stopped(unlock, "unlock")
        let open = await opened.value
        XCTAssertFalse(open)
        phone.sealer.become(.well)
        await phone.unlock()

        phone.sealer.become(.hanging(15))
        let change = ChangePasscodeModel(store: phone.app.store)
        for digits in [Story.passcode, "939393", "939393"] {
            Story.type(digits) { change.type($0) }
            if digits == Story.passcode || change.step == .choose { await change.next() }
        }
        let changing = Task { await change.next() }
        try await stopped(change, "change the passcode")
        await changing.value
        XCTAssertFalse(change.done)
        phone.sealer.become(.well)
        await phone.app.lock()
        // The old one stays.
        await phone.unlock()
    }

    /// Waits until the screen offers to stop, stops, and sees the work end.
    @MainActor
    private func stopped(_ model: WorkModel, _ about: String) async throws {
        for _ in 0..<400 where !model.slow { try await Task.sleep(nanoseconds: 20_000_000) }
        XCTAssertTrue(model.busy && model.slow, "\(about): nothing offers to stop it")
        let begun = Date()
        model.cancel()
        for _ in 0..<400 where model.busy { try await Task.sleep(nanoseconds: 5_000_000) }
        let took = Date().timeIntervalSince(begun) * 1000
        print("\(about), stopped while the phone asks: ended after \(Int(took)) ms")
        XCTAssertLessThan(took, 1000, about)
        XCTAssertNil(model.problem, about)
        XCTAssertFalse(model.slow, about)
    }

    /// Work is stopped by its task (the screen is left) and by a button.
    @MainActor
    func testBadInputTaskCancelledMidCall() async throws {
        try await Story.withCard { phone, card, _, _ in
            for byTask in [true, false] {
                let reading = CardReading(store: phone.app.store, events: phone.app.events)
                let slow = SlowCard(try SocketCard(port: card.port), seconds: 0.02)
                let work = Task { await reading.read(channel: slow, password: .can(can: Central.can)) }
                for _ in 0..<200 where slow.exchanges < 5 { try await Task.sleep(nanoseconds: 20_000_000) }
                XCTAssertGreaterThanOrEqual(slow.exchanges, 5)
                let stopped = Date()
                if byTask { work.cancel() } else { reading.cancel() }
                let done = await work.value
                let took = Date().timeIntervalSince(stopped) * 1000
                print("cancelled \(byTask ? "by the task" : "by the button"): ended after \(Int(took)) ms")
                XCTAssertFalse(done)
                // Nothing to show: the person knows.
                XCTAssertNil(reading.problem)
                // 100 ms is the core's figure; this machine may be busy.
                XCTAssertLessThan(took, 1000)
                try slow.cancel()
            }
            try await phone.readCard(card)
        }
    }

    /// A second window shares the wallet; it is locked when the last of them has gone.
    @MainActor
    func testBadInputSecondWindow() async throws {
        let folder = try Folder()
        let phone = try Phone(folder: folder.path("phone"), service: Story.nobody(), graceMillis: 20_000)
        await phone.choosePasscode()
        await phone.app.sceneEntered("one")
        await phone.app.sceneEntered("two")
        await phone.app.sceneLeft("one")
        phone.clock.sleep(millis: 60_000)
        await phone.app.sceneEntered("one")
        XCTAssertEqual(phone.app.root, .activation)

        async let first = phone.app.store.wallet()
        async let second = phone.app.store.wallet()
        let both = try await [first, second]
        XCTAssertTrue(both[0] === both[1])

        await phone.app.sceneLeft("one")
        await phone.app.sceneLeft("two")
        phone.clock.sleep(millis: 60_000)
        await phone.app.sceneEntered("two")
        XCTAssertEqual(phone.app.root, .unlock)

        // A second process has no business in the folder.
        let intruder = WalletStore(
            config: Story.nobody().wallet(in: folder.path("phone").appendingPathComponent("wallet")),
            ports: DevicePorts(keys: SwiftKeyStore(), sealer: SwiftSealer(), clock: SwiftClock(), forgetSeals: {}), listener: nil)
        do {
            _ = try await intruder.wallet()
            XCTFail("opened twice")
        } catch {
            assertExplained(Problem(error), "opened twice")
        }
    }

    /// The service is away, in the middle of an activation and of fetching.
    @MainActor
    func testBadInputNoNetwork() async throws {
        let folder = try Folder()
        let central = try Story.central(folder)
        defer { central.stop() }
        let phone = try Phone(folder: folder.path("phone"), service: try Story.service(central))
        await phone.choosePasscode()
        central.stop()
        let flow = ActivationFlow(store: phone.app.store)
        await flow.resume()
        await flow.begin()
        assertExplained(flow.problem, "no network")
        XCTAssertEqual(flow.problem?.view.action, .retry)
        try central.start()
        await flow.begin()
        XCTAssertEqual(flow.step, .readCard)
    }

    /// The passcode: two that differ, a wrong one, and too many wrong ones.
    @MainActor
    func testBadInputPasscode() async throws {
        let folder = try Folder()
        let phone = try Phone(folder: folder.path("phone"), service: Story.nobody())
        await phone.app.start()
        let first = FirstUseModel(store: phone.app.store)
        for digit in [1, 2, 3, 4, 5, 6] { first.type(digit) }
        _ = await first.next()
        for digit in [6, 5, 4, 3, 2, 1] { first.type(digit) }
        let made = await first.next()
        XCTAssertFalse(made)
        XCTAssertTrue(first.differed)
        await phone.choosePasscode()
        await phone.app.lock()
        let unlock = UnlockModel(store: phone.app.store)
        for attempt in 1...5 {
            for digit in [0, 0, 0, 0, 0, 0] { unlock.type(digit) }
            let open = await unlock.unlock()
            XCTAssertFalse(open)
            assertExplained(unlock.problem, "wrong passcode, try \(attempt)")
        }
        for digit in Story.passcode { unlock.type(digit.wholeNumberValue ?? 0) }
        let open = await unlock.unlock()
        XCTAssertFalse(open, "five wrong ones cost a waiting time")
        XCTAssertEqual(unlock.problem?.view.action, .wait)
    }

    // MARK: -

    /// The problem has words in both languages and something to do.
    private func assertExplained(_ problem: Problem?, _ about: String) {
        guard let problem else {
            XCTFail("\(about): no problem is shown")
            return
        }
        for language in LanguageModel.all {
            let words = Words(language: language)
            let shown = problem.rendered(words)
            XCTAssertFalse(shown.title.isEmpty, about)
            XCTAssertFalse(words(problem.actionKey).isEmpty, about)
            XCTAssertNotEqual(words(problem.actionKey), problem.actionKey, about)
        }
        XCTAssertNotEqual(problem.view.id, "internal", about)
    }
}
#endif
