#if canImport(SwiftUI) && canImport(UIKit)
import CitizenWallet
import CitizenWalletCore
import SwiftUI

/// Language, passcode, sync, locking, the staff side, and what the app is.
@MainActor
struct SettingsScreen: View {
    @EnvironmentObject private var app: AppModel
    @EnvironmentObject private var language: LanguageModel
    @State private var hasStaff = false

    var body: some View {
        let words = language.words
        Page(words("app.settings.title")) {
            LanguageChoice()
            if app.root == .documents || app.root == .activation {
                Row(words("app.passcode.title")) { ChangePasscodeScreen(store: app.store) }
                SyncBlock(store: app.store)
                WideButton(words("app.settings.lock"), .secondary) { Task { await app.lock() } }
                Text(words("app.settings.lock-remark")).foregroundColor(Palette.quiet)
            }
            Row(words("app.first.staff")) { StaffScreen(store: app.staff) }
            if app.hasWallet { Row(words("app.remove.title")) { RemoveScreen(.wallet, app: app) } }
            if hasStaff { Row(words("app.remove.staff-title")) { RemoveScreen(.staff, app: app) } }
            if app.hasWallet || hasStaff { Text(words("app.settings.remove-remark")).foregroundColor(Palette.quiet) }
            Card {
                Text(words("app.about.title")).font(.headline).accessibilityAddTraits(.isHeader)
                Text(words("app.about.version", "version", libraryVersion()))
                Text(words("app.about.kept-title")).font(.headline).accessibilityAddTraits(.isHeader)
                Text(words("app.about.kept"))
                Text(words("app.about.permissions-title")).font(.headline).accessibilityAddTraits(.isHeader)
                Text(words("app.about.permissions"))
            }
        }
        .onAppear { hasStaff = app.staff.isUsed }
    }
}

/// Fetches what is new, and says what came of it.
@MainActor
struct SyncBlock: View {
    @EnvironmentObject private var language: LanguageModel
    @StateObject private var model: DocumentsModel

    init(store: WalletStore) {
        _model = StateObject(wrappedValue: DocumentsModel(store: store))
    }

    var body: some View {
        let words = language.words
        if let problem = model.problem { ProblemCard(problem, .wallet) { Task { await model.again() } } }
        if model.busy {
            Busy(model)
        } else {
            WideButton(words("app.settings.sync"), .secondary) { Task { await model.sync() } }
            Text(words("app.settings.sync-remark")).foregroundColor(Palette.quiet)
        }
        if let outcome = model.outcome { DisplayCards(RenderedDisplay(outcome, words: words)) }
    }
}
#endif
