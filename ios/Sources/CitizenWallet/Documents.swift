import CitizenWalletCore
import Foundation

/// The list of documents.
@MainActor
public final class DocumentsModel: Observed {
    /// The documents in the core's order.
    public private(set) var documents: [DocumentSummaryView] = [] { willSet { changed() } }
    /// What the last fetching came to.
    public private(set) var outcome: DisplayView? { willSet { changed() } }
    /// Something is under way.
    public private(set) var busy = false { willSet { changed() } }
    /// What went wrong.
    public private(set) var problem: Problem? { willSet { changed() } }

    private let store: WalletStore
    private var handle: CancelHandle?

    /// The documents of the wallet of a store.
    public init(store: WalletStore) {
        self.store = store
    }

    /// Reads the list again. Needs no network.
    public func refresh() async {
        await run { _, _ in nil }
    }

    /// Gets every document the service offers; goes on where an earlier try stopped.
    public func obtain() async {
        await run { wallet, handle in
            try await cancellable(handle: handle) { try await wallet.obtainDocuments(cancel: $0) }.display
        }
    }

    /// Trust, changed documents, new copies.
    public func sync() async {
        await run { wallet, handle in
            try await cancellable(handle: handle) { try await wallet.sync(cancel: $0) }.display
        }
    }

    /// Stops what is under way.
    public func cancel() {
        handle?.cancel()
    }

    /// The problem or outcome was read.
    public func dismiss() {
        problem = nil
        outcome = nil
    }

    private func run(_ work: (Wallet, CancelHandle) async throws -> DisplayView?) async {
        guard !busy else { return }
        busy = true
        problem = nil
        let running = CancelHandle()
        handle = running
        defer {
            busy = false
            handle = nil
        }
        do {
            let wallet = try await store.wallet()
            do {
                outcome = try await work(wallet, running)
            } catch {
                problem = Problem(error)
            }
            documents = try await wallet.documents()
        } catch {
            problem = Problem(error)
        }
    }
}

/// One document.
@MainActor
public final class DocumentModel: Observed {
    /// Document type id.
    public let id: String
    /// The document; nothing before it was read.
    public private(set) var document: DocumentView? { willSet { changed() } }
    /// What went wrong.
    public private(set) var problem: Problem? { willSet { changed() } }

    private let store: WalletStore

    /// A document of the wallet of a store.
    public init(id: String, store: WalletStore) {
        self.id = id
        self.store = store
    }

    /// Reads the document. Needs no network.
    public func load() async {
        do {
            document = try await store.wallet().document(id: id)
            problem = nil
        } catch {
            problem = Problem(error)
        }
    }

    /// What to draw: the document, or its line in the list before its first copy came.
    public var display: DisplayView? {
        document.map { $0.display ?? $0.summary.display }
    }
}

/// The consent log and what the service told: two lists of displays.
@MainActor
public final class LogModel: Observed {
    /// Who was shown what, newest first.
    public private(set) var consents: [ConsentEntryView] = [] { willSet { changed() } }
    /// What the service told of the documents, newest first.
    public private(set) var notices: [ChangeView] = [] { willSet { changed() } }
    /// The lists were read.
    public private(set) var loaded = false { willSet { changed() } }
    /// What went wrong.
    public private(set) var problem: Problem? { willSet { changed() } }

    private let store: WalletStore

    /// The log of the wallet of a store.
    public init(store: WalletStore) {
        self.store = store
    }

    /// Reads both lists. Needs no network.
    public func load() async {
        do {
            let wallet = try await store.wallet()
            consents = try await wallet.consentLog()
            notices = try await wallet.notices()
            loaded = true
            problem = nil
        } catch {
            problem = Problem(error)
        }
    }
}
