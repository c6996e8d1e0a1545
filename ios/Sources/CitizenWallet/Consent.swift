import CitizenWalletCore
import Foundation

/// One field of a request, with the citizen's choice.
public struct ConsentItem: Equatable, Identifiable, Sendable {
    /// What the core says of the field.
    public let item: RequestItem
    /// The citizen shows it.
    public var chosen: Bool

    /// Document and field.
    public var id: String { item.document + "/" + item.field }
    /// The field can be chosen at all: the wallet has it and the role may have it.
    public var selectable: Bool { item.available && !item.overAsk }
}

/// A request that waits for the citizen's yes or no.
@MainActor
public final class ConsentModel: WorkModel {
    /// The fields asked for, in the core's order.
    public private(set) var items: [ConsentItem] { willSet { changed() } }
    /// The answer, to be shown as a QR code.
    public private(set) var answer: Answer? { willSet { changed() } }
    /// The citizen said no.
    public private(set) var declined = false { willSet { changed() } }

    /// Who asks, where, why, and what speaks against it.
    public let display: DisplayView
    /// What the wallet found about the request.
    public let verdict: VerdictView
    /// This request had its one answer already.
    public let answeredBefore: Bool

    private let request: PendingRequest
    private let document: String

    /// For a request that the core read and judged.
    public init(request: PendingRequest) {
        self.request = request
        display = request.display()
        verdict = request.verdict()
        answeredBefore = request.answeredBefore()
        let proposed = request.defaultSelection()
        let asked = request.items()
        document = proposed?.document ?? asked.first?.document ?? ""
        let fields = Set(proposed?.fields ?? [])
        let proposedDocument = proposed?.document ?? ""
        items = asked.map { ConsentItem(item: $0, chosen: $0.document == proposedDocument && fields.contains($0.field)) }
    }

    /// Something is chosen that can be answered.
    public var canAnswer: Bool {
        !busy && answer == nil && !declined && !answeredBefore && items.contains { $0.chosen }
    }

    /// Chooses a field, or does not.
    public func choose(_ id: String, _ chosen: Bool) {
        guard let place = items.firstIndex(where: { $0.id == id }), items[place].selectable, items[place].item.document == document else { return }
        items[place].chosen = chosen
    }

    /// Answers with what is chosen: one act of the citizen, one copy spent, one answer.
    public func accept() async {
        guard canAnswer else { return }
        let fields = items.filter { $0.chosen }.map { $0.item.field }
        // The phone asks for finger, face or passcode meanwhile.
        await work { handle in
            self.answer = try await self.request.answer(document: self.document, fields: fields, cancel: handle)
        }
    }

    /// Says no. It stays in the consent log.
    public func decline() async {
        guard answer == nil, !declined else { return }
        await work { _ in
            try await self.request.decline()
            self.declined = true
        }
    }
}
