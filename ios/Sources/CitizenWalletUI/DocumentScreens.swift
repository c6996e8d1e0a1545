#if canImport(SwiftUI) && canImport(UIKit)
import CitizenWallet
import CitizenWalletCore
import SwiftUI

/// The documents of an open wallet.
@MainActor
struct DocumentsScreen: View {
    @EnvironmentObject private var app: AppModel
    @EnvironmentObject private var language: LanguageModel
    @StateObject private var model: DocumentsModel

    init(store: WalletStore) {
        _model = StateObject(wrappedValue: DocumentsModel(store: store))
    }

    var body: some View {
        let words = language.words
        Page(words("app.documents.title")) {
            if let problem = model.problem { ProblemCard(problem, .wallet) { Task { await model.again() } } }
            Busy(model)
            Row(words("app.documents.scan")) { RequestScanScreen() }
            if let outcome = model.outcome {
                DisplayCards(RenderedDisplay(outcome, words: words))
                WideButton(words("app.action.close"), .secondary) { model.dismiss() }
            }
            if model.documents.isEmpty && !model.busy {
                Text(words("app.documents.none"))
                WideButton(words("app.documents.obtain")) { obtain() }
            }
            ForEach(model.documents, id: \.id) { document in
                let shown = RenderedDisplay(document.display, words: words)
                NavigationLink(destination: DocumentScreen(id: document.id, store: app.store)) {
                    Card {
                        Text(words(document.title)).font(.title3.bold())
                        DisplayLines(shown)
                    }
                }
                .accessibilityElement(children: .ignore)
                .accessibilityLabel(([words(document.title)] + shown.items.map { $0.spoken }).joined(separator: ". "))
                .accessibilityAddTraits(.isButton)
            }
            Text(words("app.documents.more")).font(.headline).accessibilityAddTraits(.isHeader)
            Row(words("app.log.title")) { ConsentLogScreen(store: app.store) }
            Row(words("app.notices.title")) { NoticesScreen(store: app.store) }
            Row(words("app.settings.title")) { SettingsScreen() }
        }
        .onAppear {
            if app.justActivated { obtain() } else { look() }
        }
    }

    /// Back from a screen that may have synced: an account that moved to another phone leads to the activation.
    private func look() {
        Task {
            await model.refresh()
            await app.refresh()
        }
    }

    private func obtain() {
        app.documentsFetched()
        Task { await model.obtain() }
    }
}

/// One document.
@MainActor
struct DocumentScreen: View {
    @EnvironmentObject private var language: LanguageModel
    @StateObject private var model: DocumentModel

    init(id: String, store: WalletStore) {
        _model = StateObject(wrappedValue: DocumentModel(id: id, store: store))
    }

    var body: some View {
        let words = language.words
        let shown = model.display.map { RenderedDisplay($0, words: words) }
        Page(shown?.title ?? words("app.loading")) {
            if let problem = model.problem { ProblemCard(problem, .wallet) { Task { await model.load() } } }
            if let shown { DisplayCards(shown) }
            Text(words("app.document.screen")).foregroundColor(Palette.quiet)
            Row(words("app.document.show")) { RequestScanScreen() }
        }
        .onAppear { Task { await model.load() } }
    }
}

/// Who was shown what.
@MainActor
struct ConsentLogScreen: View {
    @EnvironmentObject private var language: LanguageModel
    @StateObject private var model: LogModel

    init(store: WalletStore) {
        _model = StateObject(wrappedValue: LogModel(store: store))
    }

    var body: some View {
        let words = language.words
        Page(words("app.log.title")) {
            Text(words("app.log.what"))
            if let problem = model.problem { ProblemCard(problem, .wallet) { Task { await model.load() } } }
            if model.loaded && model.consents.isEmpty { Text(words("app.log.none")) }
            ForEach(model.consents, id: \.id) { entry in ListedDisplay(RenderedDisplay(entry.display, words: words)) }
        }
        .onAppear { Task { await model.load() } }
    }
}

/// What the service told of the documents.
@MainActor
struct NoticesScreen: View {
    @EnvironmentObject private var language: LanguageModel
    @StateObject private var model: LogModel

    init(store: WalletStore) {
        _model = StateObject(wrappedValue: LogModel(store: store))
    }

    var body: some View {
        let words = language.words
        Page(words("app.notices.title")) {
            if let problem = model.problem { ProblemCard(problem, .wallet) { Task { await model.load() } } }
            if model.loaded && model.notices.isEmpty { Text(words("app.notices.none")) }
            ForEach(model.notices, id: \.seq) { change in ListedDisplay(RenderedDisplay(change.display, words: words)) }
        }
        .onAppear { Task { await model.load() } }
    }
}

/// A display as one entry of a list.
@MainActor
struct ListedDisplay: View {
    private let display: RenderedDisplay

    init(_ display: RenderedDisplay) {
        self.display = display
    }

    var body: some View {
        Card {
            if !display.title.isEmpty { Text(display.title).font(.headline).accessibilityAddTraits(.isHeader) }
            DisplayLines(display)
        }
    }
}
#endif
