#if canImport(SwiftUI) && canImport(UIKit) && canImport(AVFoundation)
import AVFoundation
import CitizenWallet
import CitizenWalletApple
import CitizenWalletCore
import SwiftUI
import UIKit

/// What a camera sees, live.
struct CameraPicture: UIViewRepresentable {
    let session: AVCaptureSession

    /// A view whose layer is the camera's.
    final class Surface: UIView {
        override class var layerClass: AnyClass { AVCaptureVideoPreviewLayer.self }
    }

    func makeUIView(context: Context) -> Surface {
        let surface = Surface()
        if let layer = surface.layer as? AVCaptureVideoPreviewLayer {
            layer.session = session
            layer.videoGravity = .resizeAspectFill
        }
        return surface
    }

    func updateUIView(_ surface: Surface, context: Context) {}
}

/// The camera and what to do with a code that it sees.
@MainActor
struct ScanBlock: View {
    @EnvironmentObject private var language: LanguageModel
    @ObservedObject private var model: ScanModel
    @State private var camera: QRCamera?
    @State private var choosing = false
    private let side: RemovedSide

    init(model: ScanModel, side: RemovedSide) {
        self.model = model
        self.side = side
    }

    var body: some View {
        let words = language.words
        if let problem = model.problem {
            ProblemCard(problem, side) {
                model.again()
                start()
            }
            if model.needsPicture {
                Text(words(problem.opensSettings ? "app.scan.refused" : "app.scan.no-camera"))
                WideButton(words("app.scan.from-picture"), .secondary) { choosing = true }
                    .sheet(isPresented: $choosing) { PicturePicker { chosen($0) } }
                WideButton(words("app.scan.camera-again"), .secondary) {
                    model.again()
                    start()
                }
            }
        } else {
            ZStack {
                Color.black
                if let camera { CameraPicture(session: camera.session) }
            }
            .aspectRatio(3 / 4, contentMode: .fit)
            .cornerRadius(12)
            .accessibilityElement()
            .accessibilityLabel(words("app.scan.picture"))
            Text(words("app.scan.how")).foregroundColor(Palette.quiet)
        }
        Color.clear.frame(height: 1).accessibilityHidden(true)
            .onAppear { start() }
            .onDisappear { camera?.stop() }
    }

    private func chosen(_ png: Data?) {
        choosing = false
        if let png { Task { await model.chose(png: png) } }
    }

    private func start() {
        Task {
            if let missing = await CameraPermission.missing(front: false) {
                model.phoneCannot(missing)
                return
            }
            let scan = model
            let used = camera ?? QRCamera { frame in Task { await scan.saw(frame) } }
            camera = used
            used.start()
        }
    }
}

/// A checker's code is scanned; then who asks for what, and the citizen's yes or no; then the answer's code.
@MainActor
struct RequestScanScreen: View {
    @EnvironmentObject private var app: AppModel
    @EnvironmentObject private var language: LanguageModel
    @Environment(\.presentationMode) private var presentation
    @StateObject private var holder = Holder()

    /// Keeps the scan and the request it found for as long as the screen is there.
    @MainActor
    final class Holder: Observed {
        var scan: ScanModel? { willSet { changed() } }
        var consent: ConsentModel? { willSet { changed() } }

        func begin(_ app: AppModel) {
            guard scan == nil else { return }
            scan = ScanModel { [weak self] text in
                let found = try await app.openRequest(text)
                self?.consent = found
            }
        }

        func again() {
            consent = nil
            scan?.again()
        }
    }

    var body: some View {
        let words = language.words
        ZStack {
            if let consent = holder.consent {
                // Back to the documents, as the buttons say; the next scan begins anew.
                ConsentScreen(model: consent) { presentation.wrappedValue.dismiss() }
            } else {
                Page(words("app.scan.title")) {
                    Text(words("app.scan.request"))
                    if let scan = holder.scan { ScanBlock(model: scan, side: .wallet) }
                }
            }
        }
        .onAppear { holder.begin(app) }
        .onDisappear { holder.again() }
    }
}

/// Who asks for what, and the citizen's yes or no.
@MainActor
struct ConsentScreen: View {
    @EnvironmentObject private var language: LanguageModel
    @ObservedObject private var model: ConsentModel
    private let leave: () -> Void

    init(model: ConsentModel, leave: @escaping () -> Void) {
        self.model = model
        self.leave = leave
    }

    var body: some View {
        let words = language.words
        if let answer = model.answer {
            AnswerScreen(answer: answer, leave: leave)
        } else {
            Page(words("app.consent.title")) {
                if let problem = model.problem { ProblemCard(problem, .wallet) { model.dismiss() } }
                Busy(model)
                DisplayCards(RenderedDisplay(model.display, words: words))
                Card { ForEach(model.items) { field($0) } }
                Text(words("app.consent.once")).foregroundColor(Palette.quiet)
                if model.declined || model.answeredBefore {
                    WideButton(words("app.consent.leave"), .secondary, act: leave)
                } else {
                    WideButton(words("app.consent.yes")) { Task { await model.accept() } }.disabled(!model.canAnswer)
                    WideButton(words("app.consent.no"), .refusing) {
                        Task {
                            await model.decline()
                            if model.declined { leave() }
                        }
                    }
                }
            }
            // Who goes away while the phone asks, does not agree.
            .onDisappear { model.cancel() }
        }
    }

    @ViewBuilder private func field(_ row: ConsentItem) -> some View {
        let words = language.words
        let label = words(row.item.label)
        if row.selectable {
            Toggle(isOn: Binding(get: { row.chosen }, set: { model.choose(row.id, $0) })) {
                VStack(alignment: .leading, spacing: 2) {
                    Text(label)
                    if row.item.sensitive { Text(words("app.consent.sensitive")).font(.subheadline).foregroundColor(Palette.quiet) }
                }
            }
            .frame(minHeight: 48)
            .accessibilityLabel(row.item.sensitive ? label + ", " + words("app.consent.sensitive") : label)
        } else {
            let why = words(row.item.overAsk ? "app.consent.over-asked" : "app.consent.not-held")
            HStack(alignment: .firstTextBaseline, spacing: 10) {
                Text(row.item.overAsk ? DisplayRole.warning.mark : DisplayRole.todo.mark)
                VStack(alignment: .leading, spacing: 2) {
                    Text(label)
                    Text(why).font(.subheadline)
                }
            }
            .frame(minHeight: 48)
            .accessibilityElement(children: .ignore)
            .accessibilityLabel(label + ", " + why)
        }
    }
}

/// The answer as a code, bright, for its time.
@MainActor
struct AnswerScreen: View {
    @EnvironmentObject private var language: LanguageModel
    @StateObject private var model: ShowQRModel
    private let leave: () -> Void

    init(answer: Answer, leave: @escaping () -> Void) {
        _model = StateObject(wrappedValue: ShowQRModel(text: answer.text, expiresAt: answer.expiresAt))
        self.leave = leave
    }

    var body: some View {
        let words = language.words
        Page(words("app.show.title")) {
            Text(words("app.show.what"))
            ShownCode(model: model, label: words("app.show.code"), over: words("app.show.over"))
            WideButton(words("app.show.done"), act: leave)
        }
    }
}

/// A code on the screen with its seconds; the screen is bright and stays on meanwhile.
@MainActor
struct ShownCode: View {
    @EnvironmentObject private var language: LanguageModel
    @ObservedObject private var model: ShowQRModel
    @Environment(\.scenePhase) private var phase
    @State private var before: CGFloat?
    private let label: String
    private let over: String

    init(model: ShowQRModel, label: String, over: String) {
        self.model = model
        self.label = label
        self.over = over
    }

    var body: some View {
        VStack(alignment: .leading, spacing: 12) {
            if let problem = model.problem {
                ProblemCard(problem, .wallet) {}
            } else if model.over {
                Card(.amber) { Text(over) }
            } else if let symbol = model.symbol {
                QRPicture(symbol, label: label)
                if let seconds = model.secondsLeft { Text(language.words("app.show.seconds", "seconds", String(seconds))) }
            }
        }
        .task {
            while !Task.isCancelled {
                model.tick()
                try? await Task.sleep(nanoseconds: 1_000_000_000)
            }
        }
        .onAppear { brighten() }
        .onDisappear { dim() }
        // The phone's brightness is not the app's: it comes back with the next app, and goes up again with this one.
        .onChange(of: phase) { now in
            if now == .active { brighten() } else { dim() }
        }
    }

    private func brighten() {
        guard before == nil else { return }
        before = UIScreen.main.brightness
        UIScreen.main.brightness = 1
        UIApplication.shared.isIdleTimerDisabled = true
    }

    private func dim() {
        guard let was = before else { return }
        before = nil
        UIScreen.main.brightness = was
        UIApplication.shared.isIdleTimerDisabled = false
    }
}
#endif
