import CitizenWalletCore
import Foundation

/// The whole app: which screen is the first one now. Shared by all windows; what a window shows on top is its own.
@MainActor
public final class AppModel: Observed {
    /// The first screen of a window.
    public enum Root: Equatable, Sendable {
        /// Before the wallet was asked.
        case starting
        /// There is no wallet yet.
        case firstUse
        /// The wallet is locked.
        case unlock
        /// The wallet is open, its account not active yet.
        case activation
        /// The wallet is open.
        case documents
        /// The folder cannot be used.
        case failed(Problem)
    }

    /// The first screen now.
    public private(set) var root = Root.starting { willSet { changed() } }
    /// The language.
    public let language: LanguageModel
    /// The wallet's owner.
    public let store: WalletStore
    /// The staff side's owner.
    public let staff: StaffStore
    /// What the wallet tells.
    public let events: EventHub
    /// The account became active a moment ago: the documents are to be fetched.
    public private(set) var justActivated = false

    /// What went wrong with the app as a whole and stands before every screen until it was read.
    public private(set) var trouble: Problem? { willSet { changed() } }

    private var following: Task<Void, Never>?

    deinit {
        following?.cancel()
    }

    /// An app over its stores; `events` is the listener that the wallet's store was made with.
    public init(store: WalletStore, staff: StaffStore, events: EventHub, language: LanguageModel) {
        self.store = store
        self.staff = staff
        self.events = events
        self.language = language
    }

    /// Starts to follow the wallet: when it is locked in one window, it is in all.
    public func start() async {
        if following == nil {
            let heard = events.events()
            following = Task { [weak self] in
                for await event in heard {
                    guard case let .state(subject, _) = event, subject == "wallet" else { continue }
                    await self?.refresh()
                }
            }
        }
        await refresh()
    }

    /// Asks the wallet which screen is the first one.
    public func refresh() async {
        do {
            let wallet = try await store.wallet()
            switch wallet.state() {
            case .new:
                root = .firstUse
            case .locked, .closed:
                root = .unlock
            case .unlocked:
                let view = try await wallet.activation()
                // Locked while it was asked: the lock's own message must not be overtaken.
                guard wallet.state() == .unlocked else { return root = .unlock }
                root = view.next == ActivationStep.done.rawValue ? .documents : .activation
            }
        } catch {
            // Locked between two questions: no fault, the state says so.
            if let wallet = try? await store.wallet(), wallet.state() == .locked {
                root = .unlock
            } else {
                root = Problem(error).map { .failed($0) } ?? root
            }
        }
    }

    /// The activation is complete.
    public func activated() async {
        justActivated = true
        await refresh()
    }

    /// The documents of a new account were fetched.
    public func documentsFetched() {
        justActivated = false
    }

    /// Removes the wallet, for good, and shows the first use. See `WalletStore.remove`.
    public func removeWallet() async throws {
        do {
            try await store.remove()
            justActivated = false
            await refresh()
        } catch {
            // The screen that began it may be gone with the wallet.
            trouble = Problem(error)
            await refresh()
            throw error
        }
    }

    /// The trouble was read.
    public func dismissTrouble() {
        trouble = nil
    }

    /// There is a wallet on this phone, open, locked or broken.
    public var hasWallet: Bool {
        switch root {
        case .unlock, .activation, .documents, .failed: return true
        case .starting, .firstUse: return false
        }
    }

    /// A window came to the front.
    public func sceneEntered(_ scene: String) async {
        _ = try? await store.sceneEntered(scene)
        await refresh()
    }

    /// A window went to the back.
    public func sceneLeft(_ scene: String) async {
        await store.sceneLeft(scene)
    }

    /// The phone was locked, or the citizen locks the wallet.
    public func lock() async {
        await store.deviceLocked()
        await refresh()
    }

    /// Reads a scanned text as a request.
    public func openRequest(_ text: String) async throws -> ConsentModel {
        ConsentModel(request: try await store.wallet().openRequest(text: text))
    }
}
