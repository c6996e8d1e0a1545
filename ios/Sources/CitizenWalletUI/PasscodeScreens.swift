#if canImport(SwiftUI) && canImport(UIKit)
import CitizenWallet
import CitizenWalletCore
import SwiftUI
import UIKit

/// Digits as buttons: what is typed never becomes a text field's string, and never reaches a keyboard of somebody else.
@MainActor
struct Keypad: View {
    @EnvironmentObject private var language: LanguageModel
    private let count: Int
    private let prompt: String
    private let done: String
    private let type: (Int) -> Void
    private let deleteLast: () -> Void
    private let next: () -> Void

    init(prompt: String, count: Int, done: String, type: @escaping (Int) -> Void, deleteLast: @escaping () -> Void, next: @escaping () -> Void) {
        self.prompt = prompt
        self.count = count
        self.done = done
        self.type = type
        self.deleteLast = deleteLast
        self.next = next
    }

    var body: some View {
        Card {
            Text(prompt).font(.headline)
            Text(count == 0 ? " " : String(repeating: "\u{25CF} ", count: count))
                .font(.title3)
                .accessibilityLabel(language.words("app.passcode.typed", "count", String(count)))
            ForEach([[1, 2, 3], [4, 5, 6], [7, 8, 9]], id: \.self) { row in
                HStack(spacing: 12) { ForEach(row, id: \.self) { digit($0) } }
            }
            HStack(spacing: 12) {
                Button(action: deleteLast) { key(Text("\u{232B}")) }.accessibilityLabel(language.words("app.passcode.delete"))
                digit(0)
                Color.clear.frame(maxWidth: .infinity, minHeight: 52).accessibilityHidden(true)
            }
            WideButton(done, act: next).disabled(count == 0)
        }
    }

    private func digit(_ digit: Int) -> some View {
        Button(action: { type(digit) }, label: { key(Text(String(digit))) }).accessibilityLabel(String(digit))
    }

    private func key(_ text: Text) -> some View {
        text.font(.title2)
            .frame(maxWidth: .infinity, minHeight: 52)
            .foregroundColor(Palette.onAccentSoft)
            .background(Palette.accentSoft)
            .cornerRadius(10)
    }
}

/// First use: what the app is, the language, the passcode.
@MainActor
struct FirstUseScreen: View {
    @EnvironmentObject private var app: AppModel
    @EnvironmentObject private var language: LanguageModel
    @StateObject private var model: FirstUseModel

    init(store: WalletStore) {
        _model = StateObject(wrappedValue: FirstUseModel(store: store))
    }

    var body: some View {
        let words = language.words
        Page(words("app.name")) {
            Text(words("app.first.great")).font(.title2.bold()).accessibilityAddTraits(.isHeader)
            Text(words("app.first.what"))
            LanguageChoice()
            if let problem = model.problem { ProblemCard(problem, .wallet) { model.dismiss() } }
            Text(words("app.create.why"))
            Text(words("app.create.rule")).foregroundColor(Palette.quiet)
            if model.differed { Card(.amber) { Text(words("app.create.differ")) } }
            if model.busy {
                Busy(model)
            } else {
                Keypad(
                    prompt: words(model.step == .choose ? "app.create.first" : "app.create.second"),
                    count: model.entry.count,
                    done: words(model.step == .choose ? "app.activation.go-on" : "app.create.do"),
                    type: { model.type($0) },
                    deleteLast: { model.deleteLast() },
                    next: {
                        Task {
                            let twice = model.step == .again
                            _ = await model.next()
                            // Also when it was stopped: a wallet that was made halfway is completed at the lock.
                            if twice { await app.refresh() }
                        }
                    }
                )
            }
            Row(words("app.first.staff")) { StaffScreen(store: app.staff) }
        }
    }
}

/// The lock.
@MainActor
struct UnlockScreen: View {
    @EnvironmentObject private var app: AppModel
    @EnvironmentObject private var language: LanguageModel
    @StateObject private var model: UnlockModel

    init(store: WalletStore) {
        _model = StateObject(wrappedValue: UnlockModel(store: store))
    }

    var body: some View {
        let words = language.words
        Page(words("app.unlock.title")) {
            Text(words("app.unlock.why"))
            if let problem = model.problem { ProblemCard(problem, .wallet) { goOn() } }
            if model.busy {
                Busy(model)
            } else {
                Keypad(
                    prompt: words("app.unlock.passcode"),
                    count: model.entry.count,
                    done: words("app.unlock.do"),
                    type: { model.type($0) },
                    deleteLast: { model.deleteLast() },
                    next: { Task { if await model.unlock() { await app.refresh() } } }
                )
            }
            Row(words("app.settings.title")) { SettingsScreen() }
        }
    }

    private func goOn() {
        model.dismiss()
        Task { await app.refresh() }
    }
}

/// Another passcode.
@MainActor
struct ChangePasscodeScreen: View {
    @EnvironmentObject private var language: LanguageModel
    @Environment(\.presentationMode) private var presentation
    @StateObject private var model: ChangePasscodeModel

    init(store: WalletStore) {
        _model = StateObject(wrappedValue: ChangePasscodeModel(store: store))
    }

    var body: some View {
        let words = language.words
        Page(words("app.passcode.title")) {
            if let problem = model.problem { ProblemCard(problem, .wallet) { model.dismiss() } }
            if model.done {
                Card(.green) { Text(words("app.passcode.changed")) }
                WideButton(words("app.passcode.back")) { presentation.wrappedValue.dismiss() }
            } else if model.busy {
                Busy(model)
            } else {
                Text(words("app.create.rule")).foregroundColor(Palette.quiet)
                if model.differed { Card(.amber) { Text(words("app.create.differ")) } }
                Keypad(
                    prompt: words(prompt),
                    count: model.entry.count,
                    done: words(model.step == .again ? "app.passcode.do" : "app.activation.go-on"),
                    type: { model.type($0) },
                    deleteLast: { model.deleteLast() },
                    next: { Task { await model.next() } }
                )
            }
        }
    }

    private var prompt: String {
        switch model.step {
        case .old: return "app.passcode.old"
        case .choose: return "app.create.first"
        case .again: return "app.create.second"
        }
    }
}

/// Vietnamese or English.
@MainActor
struct LanguageChoice: View {
    @EnvironmentObject private var language: LanguageModel

    var body: some View {
        Card {
            Text(language.words("app.language.title")).font(.headline).accessibilityAddTraits(.isHeader)
            ForEach(LanguageModel.all, id: \.self) { code in
                let chosen = code == language.words.language
                Button(action: { language.choose(code) }, label: {
                    HStack {
                        Text(language.words("app.language." + code))
                        Spacer()
                        Text(chosen ? DisplayRole.done.mark : " ").accessibilityHidden(true)
                    }
                    .frame(minHeight: 48)
                })
                .accessibilityLabel(language.words("app.language." + code))
                .accessibilityAddTraits(chosen ? [.isSelected] : [])
            }
        }
    }
}
#endif
