#if canImport(SwiftUI) && canImport(UIKit)
import CitizenWallet
import CitizenWalletCore
import SwiftUI
import UIKit

/// Draws any display of the core: a card for each group. It knows no document, no fact and no problem.
@MainActor
struct DisplayCards: View {
    private let display: RenderedDisplay
    private let tone: Tone

    init(_ display: RenderedDisplay, tone: Tone = .plain) {
        self.display = display
        self.tone = tone
    }

    var body: some View {
        ForEach(display.groups) { group in
            Card(tone(of: group)) {
                if !group.title.isEmpty {
                    Text(group.title).font(.headline).accessibilityAddTraits(.isHeader)
                }
                ForEach(group.items) { DisplayItem($0, tone: tone(of: group)) }
            }
        }
    }

    private func tone(of group: RenderedGroup) -> Tone {
        tone == .plain && group.items.contains { $0.role == .warning } ? .amber : tone
    }
}

/// Draws any display of the core without cards, for a card of its own.
@MainActor
struct DisplayLines: View {
    private let display: RenderedDisplay
    private let tone: Tone

    init(_ display: RenderedDisplay, tone: Tone = .plain) {
        self.display = display
        self.tone = tone
    }

    var body: some View {
        ForEach(display.groups) { group in
            VStack(alignment: .leading, spacing: 8) {
                if !group.title.isEmpty {
                    Text(group.title).font(.subheadline).foregroundColor(tone.quiet).accessibilityAddTraits(.isHeader)
                }
                ForEach(group.items) { DisplayItem($0, tone: tone) }
            }
        }
    }
}

/// One line by its role.
@MainActor
struct DisplayItem: View {
    @EnvironmentObject private var language: LanguageModel
    @State private var uncovered = false
    private let item: RenderedItem
    private let tone: Tone

    init(_ item: RenderedItem, tone: Tone) {
        self.item = item
        self.tone = tone
    }

    var body: some View {
        if case let .image(_, bytes) = item.value {
            picture(bytes)
        } else if item.role == .secret {
            secret
        } else {
            HStack(alignment: .firstTextBaseline, spacing: 10) {
                if !item.role.mark.isEmpty { Text(item.role.mark).font(.body.bold()) }
                VStack(alignment: .leading, spacing: 2) {
                    if !item.label.isEmpty { Text(item.label).font(.subheadline).foregroundColor(tone.quiet) }
                    if !item.text.isEmpty { Text(item.text).font(item.role == .title ? .title3.bold() : .body) }
                }
            }
            .accessibilityElement(children: .ignore)
            .accessibilityLabel(item.spoken)
        }
    }

    @ViewBuilder private func picture(_ bytes: Data) -> some View {
        if let image = UIImage(data: bytes) {
            Image(uiImage: image)
                .resizable()
                .scaledToFit()
                .frame(maxHeight: 220)
                .cornerRadius(8)
                .accessibilityLabel(item.label)
        } else {
            Text(language.words("app.display.no-picture")).foregroundColor(tone.quiet)
        }
    }

    private var secret: some View {
        Button(action: { uncovered.toggle() }, label: {
            VStack(alignment: .leading, spacing: 2) {
                Text(item.label).font(.subheadline).foregroundColor(tone.quiet)
                Text(uncovered ? item.text : language.words("app.secret.covered")).foregroundColor(tone.text)
            }
            .frame(maxWidth: .infinity, minHeight: 48, alignment: .leading)
        })
        .accessibilityLabel(uncovered ? item.spokenUncovered : item.spoken)
        .accessibilityHint(language.words(uncovered ? "app.secret.hide" : "app.secret.show"))
    }
}

/// A verdict: word, shape and colour; then its facts.
@MainActor
struct VerdictPanel: View {
    @EnvironmentObject private var language: LanguageModel
    private let verdict: VerdictView

    init(_ verdict: VerdictView) {
        self.verdict = verdict
    }

    var body: some View {
        let colour = VerdictColour(word: verdict.colour)
        let shown = RenderedDisplay(verdict.display, words: language.words)
        Card(Tone(colour)) {
            HStack(spacing: 16) {
                Text(colour.mark).font(.largeTitle.bold()).accessibilityHidden(true)
                Text(shown.title).font(.largeTitle.bold())
            }
            .accessibilityElement(children: .combine)
            .accessibilityAddTraits(.isHeader)
        }
        .onAppear { UIAccessibility.post(notification: .announcement, argument: shown.title) }
        DisplayCards(shown)
    }
}

/// A QR code drawn from its modules, dark on white in any mode, as large as the page allows.
@MainActor
struct QRPicture: View {
    @Environment(\.displayScale) private var scale
    private let symbol: QrSymbol
    private let label: String

    init(_ symbol: QrSymbol, label: String) {
        self.symbol = symbol
        self.label = label
    }

    var body: some View {
        Canvas { context, size in
            // Four modules of quiet zone on each side.
            let modules = Int(symbol.width)
            let side = min(size.width, size.height) / CGFloat(modules + 8)
            // Every edge lies between two points of the display, so that no seam and no grey shows between dark modules.
            let points = scale
            func edge(_ place: Int) -> CGFloat { (CGFloat(place + 4) * side * points).rounded() / points }
            for row in 0..<modules {
                for column in 0..<modules where symbol.modules[row * modules + column] {
                    let corner = CGPoint(x: edge(column), y: edge(row))
                    let extent = CGSize(width: edge(column + 1) - corner.x, height: edge(row + 1) - corner.y)
                    context.fill(Path(CGRect(origin: corner, size: extent)), with: .color(.black))
                }
            }
        }
        .background(Color.white)
        .aspectRatio(1, contentMode: .fit)
        .accessibilityElement()
        .accessibilityLabel(label)
        .accessibilityAddTraits(.isImage)
    }
}
#endif
