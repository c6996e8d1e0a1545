import CitizenWalletCore
import Foundation

/// What the core says is next in an activation. The order is the core's; the app only shows the screen of the step.
public enum ActivationStep: String, Sendable {
    case begin
    case readCard = "read-card"
    case submitChip = "submit-chip"
    case requestCode = "request-code"
    case enterCode = "enter-code"
    case takeFace = "take-face"
    case complete
    case done
}

/// The activation of an account, step by step, driven by `ActivationView.next`. It can be left and taken up again at any step, in another window
/// or after the app was killed.
@MainActor
public final class ActivationFlow: WorkModel {
    /// Where the activation is, as the core says it; nothing before the first answer.
    public private(set) var view: ActivationView? { willSet { changed() } }

    private let store: WalletStore

    /// An activation of the wallet of a store.
    public init(store: WalletStore) {
        self.store = store
    }

    /// The step whose screen is to be shown; nothing before the core answered, or for a step this build does not know.
    public var step: ActivationStep? {
        view.flatMap { ActivationStep(rawValue: $0.next) }
    }

    /// Looks where the activation is, and does what needs no screen.
    public func resume() async {
        await run { wallet, _ in try await wallet.activation() }
    }

    /// Opens an activation at the service.
    public func begin() async {
        await run { wallet, handle in try await wallet.beginActivation(cancel: handle) }
    }

    /// The card was read (by `CardReading`): goes on from there.
    public func cardWasRead() async {
        await resume()
    }

    /// Has the service send a one-time code; again when none came.
    public func requestCode() async {
        await run { wallet, handle in try await wallet.requestCode(cancel: handle) }
    }

    /// Gives the code that arrived.
    public func submit(code: String) async {
        await run { wallet, handle in try await wallet.submitCode(code: code, cancel: handle) }
    }

    /// Gives a picture of the holder's face, JPEG or PNG.
    public func submit(face: Data) async {
        await run { wallet, handle in try await wallet.submitFace(image: face, cancel: handle) }
    }

    private func run(_ step: (Wallet, CancelHandle) async throws -> ActivationView) async {
        guard !busy else { return }
        let done = await work { handle in
            let wallet = try await self.store.wallet()
            try await self.goOn(from: try await step(wallet, handle), wallet: wallet, handle: handle)
        }
        // What the service kept of a failed step, such as the tries left for a code, is shown, too.
        if !done, let wallet = try? await store.wallet(), let now = try? await wallet.activation() { view = now }
    }

    /// Calls the steps that need no screen, until one does.
    private func goOn(from first: ActivationView, wallet: Wallet, handle: CancelHandle) async throws {
        var current = first
        view = current
        while let next = ActivationStep(rawValue: current.next) {
            let following: ActivationView
            switch next {
            case .submitChip:
                following = try await wallet.submitChip(cancel: handle)
            case .complete:
                following = try await wallet.completeActivation(cancel: handle)
            case .begin, .readCard, .requestCode, .enterCode, .takeFace, .done:
                return
            }
            view = following
            // A step that stays where it is needs a person: its verdict says why.
            if following.next == current.next { return }
            current = following
        }
        problem = Problem(id: "update-needed")
    }
}
