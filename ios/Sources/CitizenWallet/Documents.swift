import CitizenWalletCore
import Foundation

/// The list of documents.
@MainActor
public final class DocumentsModel: WorkModel {
    /// The documents in the core's order.
    public private(set) var documents: [DocumentSummaryView] = [] { willSet { changed() } }
    /// What the last fetching came to.
    public private(set) var outcome: DisplayView? { willSet { changed() } }

    private enum Act { case refresh, obtain, sync }

    private let store: WalletStore
    private var last = Act.refresh

    /// The documents of the wallet of a store.
    public init(store: WalletStore) {
        self.store = store
    }

    /// Does again what came to no end.
    public func again() async {
        switch last {
        case .refresh: await refresh()
        case .obtain: await obtain()
        case .sync: await sync()
        }
    }

    /// Reads the list again. Needs no network.
    public func refresh() async {
        await run(.refresh) { _, _ in nil }
    }

    /// Gets every document the service offers; goes on where an earlier try stopped.
    public func obtain() async {
        await run(.obtain) { wallet, handle in try await wallet.obtainDocuments(cancel: handle).display }
    }

    /// Trust, changed documents, new copies.
    public func sync() async {
        await run(.sync) { wallet, handle in try await wallet.sync(cancel: handle).display }
    }

    /// The problem or outcome was read.
    override public func dismiss() {
        super.dismiss()
        outcome = nil
    }

    private func run(_ what: Act, _ act: (Wallet, CancelHandle) async throws -> DisplayView?) async {
        guard !busy else { return }
        last = what
        await work { handle in
            let wallet = try await self.store.wallet()
            do {
                self.outcome = try await act(wallet, handle)
            } catch {
                // What was done before it went wrong is there to be seen.
                self.documents = (try? await wallet.documents()) ?? self.documents
                throw error
            }
            self.documents = try await wallet.documents()
        }
    }
}

/// One document.
@MainActor
public final class DocumentModel: WorkModel {
    /// Document type id.
    public let id: String
    /// The document; nothing before it was read.
    public private(set) var document: DocumentView? { willSet { changed() } }

    private let store: WalletStore

    /// A document of the wallet of a store.
    public init(id: String, store: WalletStore) {
        self.id = id
        self.store = store
    }

    /// Reads the document. Needs no network.
    public func load() async {
        await work { _ in self.document = try await self.store.wallet().document(id: self.id) }
    }

    /// What to draw: the document, or its line in the list before its first copy came.
    public var display: DisplayView? {
        document.map { $0.display ?? $0.summary.display }
    }
}

/// The consent log and what the service told: two lists of displays.
@MainActor
public final class LogModel: WorkModel {
    /// Who was shown what, newest first.
    public private(set) var consents: [ConsentEntryView] = [] { willSet { changed() } }
    /// What the service told of the documents, newest first.
    public private(set) var notices: [ChangeView] = [] { willSet { changed() } }
    /// The lists were read.
    public private(set) var loaded = false { willSet { changed() } }

    private let store: WalletStore

    /// The log of the wallet of a store.
    public init(store: WalletStore) {
        self.store = store
    }

    /// Reads both lists. Needs no network.
    public func load() async {
        await work { _ in
            let wallet = try await self.store.wallet()
            self.consents = try await wallet.consentLog()
            self.notices = try await wallet.notices()
            self.loaded = true
        }
    }
}
