#if canImport(SwiftUI) && canImport(UIKit)
import CitizenWallet
import SwiftUI
import UIKit

/// One window of the app. All windows share one `AppModel`; what a window shows on top of the first screen is its own.
@MainActor
public struct RootScreen: View {
    @ObservedObject private var app: AppModel
    @ObservedObject private var language: LanguageModel
    @Environment(\.scenePhase) private var phase
    // A name for this window, made anew with it; the stored value never leaves memory.
    @State private var scene = UUID().uuidString

    /// A window over the app.
    public init(app: AppModel) {
        self.app = app
        language = app.language
    }

    /// The window.
    public var body: some View {
        ZStack {
            NavigationView {
                if let trouble = app.trouble {
                    Page(language.words("app.name")) { ProblemCard(trouble, .wallet) { app.dismissTrouble() } }
                } else {
                    first
                }
            }
            .navigationViewStyle(.stack)
            // A locked wallet leaves nothing of an open one on the screen.
            .id(identity)
            // What is covered is not read out either.
            .accessibilityHidden(phase != .active)
            if phase != .active { cover }
        }
        .environmentObject(app)
        .environmentObject(language)
        .environment(\.locale, Locale(identifier: language.words.language))
        .tint(Palette.accent)
        .onAppear {
            let name = scene
            Task {
                await app.start()
                await app.sceneEntered(name)
            }
        }
        .onChange(of: phase) { now in follow(now) }
        .onReceive(NotificationCenter.default.publisher(for: UIApplication.protectedDataWillBecomeUnavailableNotification)) { _ in
            Task { await app.lock() }
        }
    }

    @ViewBuilder private var first: some View {
        switch app.root {
        case .starting:
            Page(language.words("app.name")) { Text(language.words("app.start.opening")) }
        case .firstUse:
            FirstUseScreen(store: app.store)
        case .unlock:
            UnlockScreen(store: app.store)
        case .activation:
            ActivationScreen(store: app.store)
        case .documents:
            DocumentsScreen(store: app.store)
        case let .failed(problem):
            Page(language.words("app.name")) { ProblemCard(problem, .wallet) { Task { await app.refresh() } } }
        }
    }

    private var identity: String {
        if app.trouble != nil { return "trouble" }
        switch app.root {
        case .starting, .failed: return "start"
        case .firstUse: return "first"
        case .unlock: return "lock"
        case .activation: return "activation"
        case .documents: return "documents"
        }
    }

    /// What the app switcher and the lock screen see instead of documents.
    private var cover: some View {
        ZStack {
            Palette.ground.ignoresSafeArea()
            Text(language.words("app.name")).font(.title.bold()).foregroundColor(Palette.text)
        }
    }

    private func follow(_ now: ScenePhase) {
        switch now {
        case .active: Task { await app.sceneEntered(scene) }
        case .background: leave()
        default: break
        }
    }

    private func leave() {
        let name = scene
        let shared = app
        Stay(until: { await shared.lock() }).begin(seconds: 25)
        Task { await shared.sceneLeft(name) }
    }
}

/// Time of the system's for the grace, so that the wallet is locked even when the system would stop the app sooner.
@MainActor
private final class Stay {
    private var id = UIBackgroundTaskIdentifier.invalid
    private let over: @MainActor () async -> Void

    init(until over: @escaping @MainActor () async -> Void) {
        self.over = over
    }

    func begin(seconds: UInt64) {
        id = UIApplication.shared.beginBackgroundTask {
            // The system wants the time back: lock now.
            Task { @MainActor in
                await self.over()
                self.end()
            }
        }
        Task { @MainActor in
            try? await Task.sleep(nanoseconds: seconds * 1_000_000_000)
            self.end()
        }
    }

    private func end() {
        guard id != .invalid else { return }
        UIApplication.shared.endBackgroundTask(id)
        id = .invalid
    }
}
#endif
