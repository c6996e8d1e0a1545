#if canImport(SwiftUI) && canImport(UIKit)
import CitizenWallet
import CitizenWalletCore
import SwiftUI
import UIKit

/// Lines on a ground of their own.
@MainActor
struct Card<Content: View>: View {
    private let tone: Tone
    private let content: Content

    init(_ tone: Tone = .plain, @ViewBuilder content: () -> Content) {
        self.tone = tone
        self.content = content()
    }

    var body: some View {
        VStack(alignment: .leading, spacing: 10) { content }
            .frame(maxWidth: .infinity, alignment: .leading)
            .padding(16)
            .foregroundColor(tone.text)
            .background(tone.ground)
            .cornerRadius(12)
    }
}

/// A screen: a title, and blocks below each other that scroll. Text grows with the reader's setting and wraps; the title, too, which the system's bar would
/// cut off, and which therefore stands in the page. The bar knows it for the way back.
@MainActor
struct Page<Content: View>: View {
    private let title: String
    private let content: Content

    init(_ title: String, @ViewBuilder content: () -> Content) {
        self.title = title
        self.content = content()
    }

    var body: some View {
        ScrollView {
            VStack(alignment: .leading, spacing: 16) {
                Text(title).font(.largeTitle.bold()).accessibilityAddTraits(.isHeader)
                content
            }
            .frame(maxWidth: .infinity, alignment: .leading)
            .padding(16)
        }
        .background(Palette.ground.ignoresSafeArea())
        .foregroundColor(Palette.text)
        .navigationTitle(title)
        .navigationBarTitleDisplayMode(.inline)
        .toolbar { ToolbarItem(placement: .principal) { Text(" ").accessibilityHidden(true) } }
    }
}

/// How a button weighs.
enum Weight {
    case primary, secondary, refusing
}

/// A button as wide as the page and at least 48 points high, told by its words.
@MainActor
struct WideButton: View {
    @Environment(\.isEnabled) private var enabled
    private let words: String
    private let weight: Weight
    private let act: () -> Void

    init(_ words: String, _ weight: Weight = .primary, act: @escaping () -> Void) {
        self.words = words
        self.weight = weight
        self.act = act
    }

    var body: some View {
        Button(action: act) {
            Text(words)
                .font(.headline)
                .multilineTextAlignment(.center)
                .frame(maxWidth: .infinity, minHeight: 48)
                .padding(.horizontal, 12)
                .foregroundColor(front)
                .background(ground)
                .cornerRadius(12)
        }
        // What cannot be pressed looks so.
        .opacity(enabled ? 1 : 0.45)
        .accessibilityLabel(words)
    }

    private var front: Color {
        switch weight {
        case .primary: return Palette.onAccent
        case .secondary: return Palette.accent
        case .refusing: return Palette.onRedSoft
        }
    }

    private var ground: Color {
        switch weight {
        case .primary: return Palette.accent
        case .secondary: return Palette.surface
        case .refusing: return Palette.redSoft
        }
    }
}

/// What a model has under way: said while it lasts, and to be stopped once it takes long.
@MainActor
struct Busy: View {
    @ObservedObject private var model: WorkModel

    init(_ model: WorkModel) {
        self.model = model
    }

    var body: some View {
        if model.busy {
            if model.slow { Working { model.cancel() } } else { Working() }
        }
    }
}

/// Something is under way, and can be stopped.
@MainActor
struct Working: View {
    @EnvironmentObject private var language: LanguageModel
    private let stop: (() -> Void)?

    init(stop: (() -> Void)? = nil) {
        self.stop = stop
    }

    var body: some View {
        Card(.accent) {
            HStack(spacing: 12) {
                SwiftUI.ProgressView().accessibilityHidden(true)
                Text(language.words("app.working"))
            }
            if let stop { WideButton(language.words("app.stop"), .secondary, act: stop) }
        }
        .accessibilityElement(children: .contain)
    }
}

/// What went wrong and the one thing to do, as the core explains it.
@MainActor
struct ProblemCard: View {
    @EnvironmentObject private var app: AppModel
    @EnvironmentObject private var language: LanguageModel
    @Environment(\.openURL) private var openURL
    private let problem: Problem
    private let side: RemovedSide
    private let act: () -> Void

    /// `side` is what the problem is about, and what is removed when it can only be begun anew.
    init(_ problem: Problem, _ side: RemovedSide, act: @escaping () -> Void) {
        self.problem = problem
        self.side = side
        self.act = act
    }

    var body: some View {
        let shown = problem.rendered(language.words)
        Card(.red) {
            HStack(alignment: .firstTextBaseline, spacing: 10) {
                Text(DisplayRole.warning.mark).font(.title2).accessibilityHidden(true)
                Text(shown.title).font(.headline)
            }
            .accessibilityElement(children: .combine)
            .accessibilityAddTraits(.isHeader)
            DisplayLines(shown, tone: .red)
            if problem.losesStore {
                Row(language.words(problem.actionKey)) { RemoveScreen(side, app: app, damaged: true) }
            } else {
                WideButton(language.words(problem.actionKey)) { goOn() }
            }
        }
        .onAppear { UIAccessibility.post(notification: .announcement, argument: shown.title) }
    }

    private func goOn() {
        if problem.opensSettings, let settings = URL(string: UIApplication.openSettingsURLString) {
            openURL(settings)
            return
        }
        act()
        // Beginning anew (an account that moved) has its place among the first screens, which the wallet knows.
        if problem.view.action == .startOver { Task { await app.refresh() } }
    }
}

/// A line of the page that leads somewhere.
@MainActor
struct Row<Destination: View>: View {
    private let words: String
    private let destination: Destination

    init(_ words: String, @ViewBuilder destination: () -> Destination) {
        self.words = words
        self.destination = destination()
    }

    var body: some View {
        NavigationLink(destination: destination) {
            HStack {
                Text(words).multilineTextAlignment(.leading)
                Spacer()
                Image(systemName: "chevron.right").accessibilityHidden(true)
            }
            .frame(minHeight: 48)
            .padding(.horizontal, 16)
            .foregroundColor(Palette.accent)
            .background(Palette.surface)
            .cornerRadius(12)
        }
        .accessibilityLabel(words)
    }
}
#endif
