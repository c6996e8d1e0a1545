#if canImport(SwiftUI) && canImport(UIKit)
import CitizenWallet
import CitizenWalletCore
import SwiftUI

/// Starting over: what is lost, what is not, and a deliberate yes. From the settings, or when what is stored here cannot be used any more. It stands open
/// without the passcode, since a wallet that cannot be opened has to be removable, too; whoever holds the phone can remove the app as well.
@MainActor
struct RemoveScreen: View {
    @EnvironmentObject private var language: LanguageModel
    @Environment(\.presentationMode) private var presentation
    @StateObject private var model: StartOverModel
    @State private var tooSoon = false
    private let damaged: Bool

    init(_ side: RemovedSide, app: AppModel, damaged: Bool = false) {
        _model = StateObject(wrappedValue: StartOverModel(side: side, app: app))
        self.damaged = damaged
    }

    var body: some View {
        let words = language.words
        let staff = model.side == .staff
        Page(words(staff ? "app.remove.staff-title" : "app.remove.title")) {
            if let problem = model.problem { ProblemCard(problem, model.side) { Task { await model.startOver() } } }
            if damaged { Text(words("app.remove.damaged")) }
            Card(.red) {
                Text(words("app.remove.lost-title")).font(.headline).accessibilityAddTraits(.isHeader)
                Text(words(staff ? "app.remove.staff-lost" : "app.remove.lost"))
            }
            Card {
                Text(words("app.remove.kept-title")).font(.headline).accessibilityAddTraits(.isHeader)
                Text(words(staff ? "app.remove.staff-kept" : "app.remove.kept"))
            }
            if model.busy {
                Working()
            } else {
                Card {
                    Toggle(words("app.remove.understood"), isOn: $model.meant)
                        .frame(minHeight: 48)
                        .accessibilityLabel(words("app.remove.understood"))
                }
                if tooSoon && !model.meant { Card(.amber) { Text(words("app.remove.first")) } }
                WideButton(words("app.remove.do"), .refusing) { remove() }
                WideButton(words("app.remove.cancel"), .secondary) { presentation.wrappedValue.dismiss() }
            }
        }
        .onChange(of: model.done) { done in
            // The wallet's screens go by themselves; the staff device's own screen is below this one.
            if done { presentation.wrappedValue.dismiss() }
        }
    }

    private func remove() {
        tooSoon = !model.meant
        Task { await model.startOver() }
    }
}
#endif
