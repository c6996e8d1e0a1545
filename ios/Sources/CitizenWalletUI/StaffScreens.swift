#if canImport(SwiftUI) && canImport(UIKit)
import CitizenWallet
import CitizenWalletCore
import SwiftUI

/// The staff side: enrolment, lists for the time without a network, asking.
@MainActor
struct StaffScreen: View {
    @EnvironmentObject private var language: LanguageModel
    @StateObject private var model: StaffModel
    @State private var code = ""

    init(store: StaffStore) {
        _model = StateObject(wrappedValue: StaffModel(store: store))
    }

    var body: some View {
        let words = language.words
        Page(words("app.staff.title")) {
            if let problem = model.problem { ProblemCard(problem, .staff) { Task { await model.refresh() } } }
            Busy(model)
            if let outcome = model.outcome { DisplayCards(RenderedDisplay(outcome, words: words)) }
            if let staff = model.staff {
                DisplayCards(RenderedDisplay(staff.display, words: words))
                Text(words("app.ask.which"))
                ForEach(model.choices) { choice in Row(words(choice.label)) { AskScreen(model: model, document: choice.document) } }
                if let cache = model.cache { DisplayCards(RenderedDisplay(cache.display, words: words)) }
                WideButton(words("app.settings.sync"), .secondary) { Task { await model.sync() } }
                Text(words("app.staff.sync-remark")).foregroundColor(Palette.quiet)
                Row(words("app.take.title")) { TakeScreen(model: model) }
                Text(words("app.take.remark")).foregroundColor(Palette.quiet)
                Row(words("app.carry.title")) { CarryScreen(model: model) }
                Text(words("app.carry.remark")).foregroundColor(Palette.quiet)
            } else if model.loaded {
                Text(words("app.enrol.why"))
                TextField(words("app.enrol.code"), text: $code)
                    .textFieldStyle(.roundedBorder)
                    .autocapitalization(.none)
                    .disableAutocorrection(true)
                    .accessibilityLabel(words("app.enrol.code"))
                WideButton(words("app.enrol.do")) {
                    let typed = code
                    code = ""
                    Task { await model.enrol(code: typed) }
                }
            }
        }
        .onAppear { Task { await model.refresh() } }
    }
}

/// What to ask for of one document.
@MainActor
struct AskScreen: View {
    @EnvironmentObject private var language: LanguageModel
    @ObservedObject private var model: StaffModel
    @State private var check: CheckModel?
    private let document: String

    init(model: StaffModel, document: String) {
        self.model = model
        self.document = document
    }

    var body: some View {
        if let check {
            CheckScreen(model: check) {
                check.close()
                self.check = nil
            }
        } else {
            question
        }
    }

    private var question: some View {
        let words = language.words
        let choice = model.choices.first { $0.document == document }
        return Page(words("document." + document)) {
            if let problem = model.problem { ProblemCard(problem, .staff) { model.dismiss() } }
            Busy(model)
            Card {
                Text(words("app.ask.purpose")).font(.headline).accessibilityAddTraits(.isHeader)
                Picker(words("app.ask.purpose"), selection: $model.purpose) {
                    Text(words("app.ask.usual")).tag("")
                    ForEach(model.purposes, id: \.self) { Text(words("purpose." + $0)).tag($0) }
                }
                .accessibilityLabel(words("app.ask.purpose"))
                TextField(words("app.ask.place"), text: $model.place)
                    .textFieldStyle(.roundedBorder)
                    .accessibilityLabel(words("app.ask.place"))
                if let standard = model.staff?.place, !standard.isEmpty {
                    Text(words("app.ask.standard", "place", standard)).foregroundColor(Palette.quiet)
                }
            }
            Card {
                Text(words("app.ask.fields")).font(.headline).accessibilityAddTraits(.isHeader)
                ForEach(choice?.fields ?? []) { field in
                    Toggle(
                        words(field.label),
                        isOn: Binding(get: { field.asked }, set: { model.choose(document: document, field: field.id, asked: $0) })
                    )
                    .frame(minHeight: 48)
                    .accessibilityLabel(words(field.label))
                }
            }
            if model.hasBoardingPasses {
                Card {
                    TextField(words("app.ask.boarding"), text: $model.boardingName)
                        .textFieldStyle(.roundedBorder)
                        .disableAutocorrection(true)
                        .accessibilityLabel(words("app.ask.boarding"))
                    Text(words("app.ask.boarding-remark")).foregroundColor(Palette.quiet)
                }
            }
            WideButton(words("app.ask.do")) { Task { check = await model.ask(document: document) } }
                .disabled(!model.canAsk(document: document))
        }
    }
}

/// The request as a code, then the answer read from the citizen's phone, then the verdict.
@MainActor
struct CheckScreen: View {
    @EnvironmentObject private var language: LanguageModel
    @ObservedObject private var model: CheckModel
    @State private var scan: ScanModel?
    private let leave: () -> Void

    init(model: CheckModel, leave: @escaping () -> Void) {
        self.model = model
        self.leave = leave
    }

    var body: some View {
        if let verdict = model.verdict {
            outcome(verdict)
        } else if let scan {
            scanning(scan)
        } else {
            question
        }
    }

    private var question: some View {
        let words = language.words
        return Page(words("app.request.title")) {
            Text(words("app.request.what"))
            ShownCode(model: model.question, label: words("app.request.code"), over: words("app.request.over"))
            WideButton(words("app.request.scan")) {
                let check = model
                scan = ScanModel { try await check.check(text: $0) }
            }
            WideButton(words("app.request.cancel"), .refusing, act: leave)
        }
    }

    private func scanning(_ scan: ScanModel) -> some View {
        let words = language.words
        return Page(words("app.scan.answer-title")) {
            Text(words("app.scan.answer"))
            ScanBlock(model: scan, side: .staff)
            WideButton(words("app.request.cancel"), .refusing, act: leave)
        }
    }

    private func outcome(_ verdict: VerdictView) -> some View {
        let words = language.words
        return Page(words("app.verdict.title")) {
            VerdictPanel(verdict)
            if let problem = model.problem { ProblemCard(problem, .staff) { model.dismiss() } }
            if let display = model.display { DisplayCards(RenderedDisplay(display, words: words)) }
            if model.asksForFace {
                Text(words("app.verdict.compare")).font(.headline)
                WideButton(words("app.verdict.same")) { model.confirmFace(same: true) }
                WideButton(words("app.verdict.different"), .refusing) { model.confirmFace(same: false) }
            }
            if !model.withheld.isEmpty {
                Card {
                    Text(words("app.verdict.withheld")).font(.headline).accessibilityAddTraits(.isHeader)
                    ForEach(model.withheld, id: \.self) { Text(words("field." + $0)) }
                }
            }
            WideButton(words("app.verdict.next"), act: leave)
        }
    }
}
#endif
