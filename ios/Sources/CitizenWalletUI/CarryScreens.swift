#if canImport(SwiftUI) && canImport(UIKit) && canImport(UniformTypeIdentifiers)
import CitizenWallet
import CitizenWalletCore
import SwiftUI
import UniformTypeIdentifiers

/// A carried file on its way to where a person wants it.
struct CarriedFile: FileDocument {
    static let readableContentTypes: [UTType] = [.data]
    private let bytes: Data

    init(_ bytes: Data) {
        self.bytes = bytes
    }

    init(configuration: ReadConfiguration) throws {
        bytes = configuration.file.regularFileContents ?? Data()
    }

    func fileWrapper(configuration: WriteConfiguration) throws -> FileWrapper {
        FileWrapper(regularFileWithContents: bytes)
    }
}

/// The signed lists of this device, into a file for one without a network. Nothing in it is secret or about anybody.
@MainActor
struct CarryScreen: View {
    @EnvironmentObject private var language: LanguageModel
    @ObservedObject private var model: StaffModel
    @State private var file: CarriedFile?
    @State private var saving = false
    @State private var saved = false

    init(model: StaffModel) {
        self.model = model
    }

    var body: some View {
        let words = language.words
        Page(words("app.carry.title")) {
            if let problem = model.problem { ProblemCard(problem, .staff) { model.dismiss() } }
            Text(words("app.carry.what"))
            Busy(model)
            if saved { Card(.green) { Text(words("app.carry.done")) } }
            WideButton(words("app.carry.do")) { carry() }.disabled(model.busy)
        }
        .fileExporter(isPresented: $saving, document: file, contentType: .data, defaultFilename: StaffModel.carriedName) { result in
            file = nil
            switch result {
            case .success: saved = true
            case let .failure(error): model.fileFailed(error)
            }
        }
    }

    private func carry() {
        saved = false
        Task {
            guard let bytes = await model.carry() else { return }
            file = CarriedFile(bytes)
            saving = true
        }
    }
}

/// A file of another device's lists, judged as if it came from the service.
@MainActor
struct TakeScreen: View {
    @EnvironmentObject private var language: LanguageModel
    @ObservedObject private var model: StaffModel
    @State private var choosing = false

    init(model: StaffModel) {
        self.model = model
    }

    var body: some View {
        let words = language.words
        Page(words("app.take.title")) {
            if let problem = model.problem { ProblemCard(problem, .staff) { model.dismiss() } }
            Text(words("app.take.what"))
            Busy(model)
            if let outcome = model.outcome { DisplayCards(RenderedDisplay(outcome, words: words)) }
            WideButton(words("app.take.do")) { choosing = true }.disabled(model.busy)
        }
        // Files that came by a cable or a card have no type that could be asked for.
        .fileImporter(isPresented: $choosing, allowedContentTypes: [.item]) { result in
            switch result {
            case let .success(url): Task { await model.take(from: url) }
            case let .failure(error): model.fileFailed(error)
            }
        }
    }
}
#endif
