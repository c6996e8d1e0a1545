import CitizenWalletCore
import Foundation

/// What a role may ask of one document, with the choice made on the screen.
public struct AskChoice: Equatable, Identifiable, Sendable {
    /// Document type id.
    public let document: String
    /// Field ids that may be asked for, each with whether it is.
    public var fields: [Field]

    /// A field that may be asked for.
    public struct Field: Equatable, Identifiable, Sendable {
        /// Field id.
        public let id: String
        /// It is asked for.
        public var asked: Bool
        /// Catalogue key of its label.
        public var label: String { "field." + id }
        /// A field without a name for people cannot be asked for by a person.
        var hasName: Bool { word(key: label, language: "vi") != label }
    }

    /// The document.
    public var id: String { document }
    /// Catalogue key of its name.
    public var label: String { "document." + document }
}

/// A staff device: enrolment, its data for the time without a network, and asking.
@MainActor
public final class StaffModel: WorkModel {
    /// Who this device is to citizens; nothing before it is enrolled.
    public private(set) var staff: StaffView? { willSet { changed() } }
    /// What it holds.
    public private(set) var cache: CacheView? { willSet { changed() } }
    /// The own role's documents with the fields to ask for.
    public private(set) var choices: [AskChoice] = [] { willSet { changed() } }
    /// The own role's purposes.
    public private(set) var purposes: [String] = [] { willSet { changed() } }
    /// The purpose that is named; empty takes the role's first.
    public var purpose = "" { willSet { changed() } }
    /// The place that is named; empty takes the one of the enrolment.
    public var place = "" { willSet { changed() } }
    /// The name on a boarding pass to compare the signed one with; empty for none.
    public var boardingName = "" { willSet { changed() } }
    /// What the last sync, or the last file that was taken, came to.
    public private(set) var outcome: DisplayView? { willSet { changed() } }
    /// The first look is over.
    public private(set) var loaded = false { willSet { changed() } }

    /// One byte more than the core takes: it says itself that a file is too large.
    private nonisolated static let mostCarried = (64 << 20) + 1
    private let store: StaffStore

    /// For the staff device of a store.
    public init(store: StaffStore) {
        self.store = store
    }

    /// Looks what this device is and holds. Needs no network.
    public func refresh() async {
        await run { _, _ in }
    }

    /// Enrols this device with a one-time code, and fetches trust and lists.
    public func enrol(code: String) async {
        await run { verifier, handle in
            _ = try await verifier.enrol(code: code, cancel: handle)
            self.outcome = try await verifier.sync(cancel: handle).display
        }
    }

    /// Fetches trust and status lists.
    public func sync() async {
        await run { verifier, handle in self.outcome = try await verifier.sync(cancel: handle).display }
    }

    /// One file of all signed public data of this device, for one without a network.
    public func carry() async -> Data? {
        var file: Data?
        await run { verifier, _ in file = try await verifier.carry() }
        return file
    }

    /// Takes such a file of another device; it is judged as if it came from the service.
    public func take(file: Data) async {
        await run { verifier, _ in self.outcome = try await verifier.take(file: file).display }
    }

    /// Takes such a file from where a person chose it: a drive, a cloud folder, another app's documents.
    public func take(from url: URL) async {
        await run { verifier, _ in
            let file = try await awayFromMain { try StaffModel.read(url) }
            self.outcome = try await verifier.take(file: file).display
        }
    }

    /// The system could not write or read the file; a person who changed their mind is told nothing.
    public func fileFailed(_ error: Error) {
        if (error as? CocoaError)?.code == .userCancelled { return }
        problem = Problem(id: "storage-disk")
    }

    /// The name such a file gets.
    public nonisolated static let carriedName = "citizen-wallet-lists.bin"

    /// The own role has boarding passes to compare names with.
    public private(set) var hasBoardingPasses = false { willSet { changed() } }

    /// Asks for a field, or does not.
    public func choose(document: String, field: String, asked: Bool) {
        guard let row = choices.firstIndex(where: { $0.document == document }),
            let column = choices[row].fields.firstIndex(where: { $0.id == field })
        else { return }
        choices[row].fields[column].asked = asked
    }

    /// Something is chosen to be asked for.
    public func canAsk(document: String) -> Bool {
        !busy && !asked(document).isEmpty
    }

    /// Makes a signed request for the chosen fields of a document.
    public func ask(document: String) async -> CheckModel? {
        guard canAsk(document: document) else { return nil }
        var made: CheckModel?
        let fields = asked(document)
        let purpose = self.purpose
        let place = self.place
        await run { verifier, _ in
            let request = try await verifier.ask(document: document, fields: fields, purpose: purpose, place: place)
            made = CheckModel(verifier: verifier, request: request, boardingName: self.boardingName)
            self.boardingName = ""
        }
        return made
    }

    /// The problem or outcome was read.
    override public func dismiss() {
        super.dismiss()
        outcome = nil
    }

    private func asked(_ document: String) -> [String] {
        choices.first { $0.document == document }?.fields.filter { $0.asked }.map { $0.id } ?? []
    }

    /// A file of a person's choice.
    private nonisolated static func read(_ url: URL) throws -> Data {
        #if canImport(Darwin)
        let granted = url.startAccessingSecurityScopedResource()
        defer { if granted { url.stopAccessingSecurityScopedResource() } }
        #endif
        do {
            let file = try FileHandle(forReadingFrom: url)
            defer { try? file.close() }
            return try file.read(upToCount: mostCarried) ?? Data()
        } catch {
            throw WalletError.Invalid(reason: "not-found")
        }
    }

    private func run(_ act: (Verifier, CancelHandle) async throws -> Void) async {
        guard !busy else { return }
        outcome = nil
        await work { handle in
            let verifier = try await self.store.verifier()
            do {
                try await act(verifier, handle)
            } catch {
                // What was done before it went wrong is there to be seen.
                try? await self.look(at: verifier)
                throw error
            }
            try await self.look(at: verifier)
        }
    }

    private func look(at verifier: Verifier) async throws {
        staff = try await verifier.staff()
        cache = try await verifier.cache()
        loaded = true
        // Before its enrolment a device has neither a role nor the table of roles.
        guard staff != nil else {
            purposes = []
            hasBoardingPasses = false
            choices = []
            return
        }
        let own = try await verifier.policies().first { $0.own }
        purposes = own?.purposes ?? []
        hasBoardingPasses = own?.boardingPass ?? false
        let documents = own?.documents ?? []
        if choices.map({ $0.document }) != documents.map({ $0.document }) {
            choices = documents.map { document in
                AskChoice(
                    document: document.document,
                    fields: document.allowed.map { AskChoice.Field(id: $0, asked: document.defaults.contains($0)) }.filter { $0.hasName }
                )
            }
        }
    }
}

/// One check: the request shown, the answer read, the verdict.
@MainActor
public final class CheckModel: WorkModel {
    /// The request as a QR code.
    public let question: ShowQRModel
    /// Document type id that is asked for.
    public let document: String
    /// The verdict; nothing before an answer was checked.
    public private(set) var verdict: VerdictView? { willSet { changed() } }
    /// What may be shown of the document; nothing with a red verdict.
    public private(set) var display: DisplayView? { willSet { changed() } }
    /// A signed portrait was shown, so that the face can be compared, and nobody did yet.
    public private(set) var asksForFace = false { willSet { changed() } }
    /// Field ids that were asked for and not shown.
    public private(set) var withheld: [String] = [] { willSet { changed() } }

    private let verifier: Verifier
    private let request: OpenRequest
    private let boardingName: String
    private var result: CheckResult?

    /// For a request that was just made; `boardingName` is compared with the signed name when it is not empty.
    public init(verifier: Verifier, request: OpenRequest, boardingName: String = "") {
        self.verifier = verifier
        self.request = request
        self.boardingName = boardingName.trimmingCharacters(in: .whitespacesAndNewlines)
        document = request.document()
        question = ShowQRModel(text: request.text(), expiresAt: request.expires())
    }

    /// Checks the text of an answer. Throws what the scanning screen shows; a verdict, red ones included, is no error.
    public func check(text: String) async throws {
        let made: CheckResult
        if boardingName.isEmpty {
            made = try await verifier.check(text: text)
        } else {
            made = try await verifier.checkWithBoardingName(text: text, name: boardingName)
        }
        result = made
        verdict = made.verdict()
        display = made.display()
        withheld = made.withheld()
        asksForFace = made.hasPortrait()
    }

    /// A person compared the face with the signed portrait.
    public func confirmFace(same: Bool) {
        guard let result else { return }
        do {
            verdict = try result.confirmFace(same: same)
            display = result.display()
            asksForFace = false
        } catch {
            problem = Problem(error)
        }
    }

    /// The request is not to be answered any more.
    public func close() {
        try? request.cancel()
    }
}
