#if canImport(SwiftUI) && canImport(UIKit)
import CitizenWallet
import CitizenWalletApple
import CitizenWalletCore
import SwiftUI
import UIKit

/// The activation: its steps, and the screen of the step that is next.
@MainActor
struct ActivationScreen: View {
    @EnvironmentObject private var app: AppModel
    @EnvironmentObject private var language: LanguageModel
    @StateObject private var flow: ActivationFlow
    @State private var code = ""

    init(store: WalletStore) {
        _flow = StateObject(wrappedValue: ActivationFlow(store: store))
    }

    var body: some View {
        let words = language.words
        Page(words("app.activation.title")) {
            Text(words("app.activation.what"))
            if let problem = flow.problem { ProblemCard(problem, .wallet) { resume() } }
            if flow.busy { Busy(flow) } else { step }
            if let view = flow.view { DisplayCards(RenderedDisplay(view.display, words: words)) }
            Row(words("app.settings.title")) { SettingsScreen() }
        }
        .onAppear { resume() }
        .onChange(of: flow.step) { next in
            if next == .done { Task { await app.activated() } }
        }
    }

    @ViewBuilder private var step: some View {
        let words = language.words
        switch flow.step {
        case .begin:
            WideButton(words("app.activation.begin")) { Task { await flow.begin() } }
        case .readCard:
            CardBlock(store: app.store, events: app.events) { Task { await flow.cardWasRead() } }
        case .requestCode:
            Text(words("app.code.request-why"))
            WideButton(words("app.code.request")) { Task { await flow.requestCode() } }
        case .enterCode:
            Text(words("app.code.why"))
            TextField(words("app.code.field"), text: $code)
                .keyboardType(.numberPad)
                .textContentType(.oneTimeCode)
                .textFieldStyle(.roundedBorder)
                .accessibilityLabel(words("app.code.field"))
            if let tries = flow.view?.triesLeft { Text(words("app.code.tries", "tries", String(tries))).foregroundColor(Palette.quiet) }
            WideButton(words("app.code.do")) {
                let typed = code
                code = ""
                Task { await flow.submit(code: typed) }
            }
            WideButton(words("app.code.again"), .secondary) { Task { await flow.requestCode() } }
        case .takeFace:
            FaceBlock { picture in Task { await flow.submit(face: picture) } }
        case .submitChip, .complete:
            WideButton(words("app.activation.go-on")) { resume() }
        case .done, .none:
            Text(words("app.loading"))
        }
    }

    private func resume() {
        Task { await flow.resume() }
    }
}

/// The card's number, and the reading over the phone's antenna.
@MainActor
struct CardBlock: View {
    @EnvironmentObject private var language: LanguageModel
    @StateObject private var reading: CardReading
    private let read: () -> Void

    init(store: WalletStore, events: EventHub, read: @escaping () -> Void) {
        _reading = StateObject(wrappedValue: CardReading(store: store, events: events))
        self.read = read
    }

    var body: some View {
        let words = language.words
        if let problem = reading.problem { ProblemCard(problem, .wallet) { reading.dismiss() } }
        if reading.rejected, let report = reading.report {
            Text(words("app.read-card.rejected"))
            VerdictPanel(report.verdict)
        }
        Card {
            Text(words("app.card-number.title")).font(.headline).accessibilityAddTraits(.isHeader)
            Text(words("app.card-number.why"))
            TextField(words("app.card-number.field"), text: $reading.can)
                .keyboardType(.numberPad)
                .textFieldStyle(.roundedBorder)
                .accessibilityLabel(words("app.card-number.field"))
            if !reading.can.isEmpty && !reading.canIsComplete { Text(words("app.card-number.digits")) }
            Text(words("app.card-number.where")).foregroundColor(Palette.quiet)
        }
        Card {
            Text(words("app.read-card.hold")).font(.headline).accessibilityAddTraits(.isHeader)
            Text(words("app.read-card.where"))
            Text(words("app.read-card.still")).foregroundColor(Palette.quiet)
        }
        if reading.busy {
            Busy(reading)
            Text(words("app.read-card.percent", "percent", String(reading.percent))).font(.title3.bold())
            if let progress = reading.progress { DisplayCards(RenderedDisplay(progress, words: words)) }
        } else {
            WideButton(words(reading.rejected ? "app.read-card.again" : "app.card-number.do")) { start() }
                .disabled(!reading.canIsComplete)
        }
    }

    private func start() {
        guard NFCCardChannel.available else {
            reading.phoneCannot("no-nfc")
            return
        }
        let words = language.words
        let opened = NFCCardChannel()
        opened.begin(text: words("app.read-card.hold"))
        let telling = Task {
            // The system's sheet covers this screen, so it tells the progress, too.
            while !Task.isCancelled {
                try? await Task.sleep(nanoseconds: 300_000_000)
                if reading.busy { opened.say(words("app.read-card.percent", "percent", String(reading.percent))) }
            }
        }
        Task {
            let done = await reading.read(channel: opened)
            telling.cancel()
            opened.finish(problem: reading.problem.map { $0.rendered(words).title })
            if done { read() }
        }
    }
}

/// A picture of the holder's face.
@MainActor
struct FaceBlock: View {
    @EnvironmentObject private var language: LanguageModel
    @State private var camera: FaceCamera?
    @State private var problem: Problem?
    @State private var taking = false
    private let taken: (Data) -> Void

    init(taken: @escaping (Data) -> Void) {
        self.taken = taken
    }

    var body: some View {
        let words = language.words
        Text(words("app.face.why"))
        if let problem {
            ProblemCard(problem, .wallet) { start() }
            if problem.view.id == "no-camera" { Text(words("app.face.no-camera")) }
        } else {
            ZStack {
                Color.black
                if let camera { CameraPicture(session: camera.session) }
            }
            .aspectRatio(3 / 4, contentMode: .fit)
            .cornerRadius(12)
            .accessibilityElement()
            .accessibilityLabel(words("app.face.picture"))
            .onAppear { start() }
            .onDisappear { camera?.stop() }
            Text(words("app.face.how")).foregroundColor(Palette.quiet)
            WideButton(words("app.face.do")) { take() }.disabled(taking)
        }
    }

    private func start() {
        problem = nil
        Task {
            if let missing = await CameraPermission.missing(front: true) {
                problem = Problem(id: missing)
            } else {
                let used = camera ?? FaceCamera()
                camera = used
                used.start()
            }
        }
    }

    private func take() {
        guard let camera else { return }
        taking = true
        camera.take { picture in
            Task { @MainActor in
                taking = false
                if let picture { taken(picture) } else { problem = Problem(id: "no-camera") }
            }
        }
    }
}
#endif
