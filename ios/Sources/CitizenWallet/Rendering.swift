import CitizenWalletCore
import Foundation

extension DisplayRole {
    /// A mark that tells the role by shape, for eyes that do not tell colours apart. Empty when the role needs none.
    public var mark: String {
        switch self {
        case .warning: return "\u{26A0}\u{FE0E}"
        case .done: return "\u{2713}"
        case .current: return "\u{25B6}\u{FE0E}"
        case .todo: return "\u{25CB}"
        case .plain, .title, .secret, .portrait: return ""
        }
    }

    /// Catalogue key of what a screen reader says before the item; empty when the words themselves say it, as those of a step do.
    public var spokenKey: String {
        self == .warning ? "label.warning" : ""
    }
}

/// What stands in an item, ready to draw.
public enum RenderedValue: Equatable, Sendable {
    /// Text in the language of the rendering.
    case text(String)
    /// A picture: its media type and bytes.
    case image(mediaType: String, bytes: Data)
}

/// One line, ready to draw.
public struct RenderedItem: Equatable, Identifiable, Sendable {
    /// Place in the display: `group/item`, stable while the display is.
    public let id: String
    /// Field id, or empty for a remark.
    public let field: String
    /// Label in words; may be empty.
    public let label: String
    /// The value.
    public let value: RenderedValue
    /// How to show it.
    public let role: DisplayRole
    /// What a screen reader says: role, label and value; of a secret only its label.
    public let spoken: String
    /// The value of a secret as it is said once it was uncovered; the same as `spoken` otherwise.
    public let spokenUncovered: String

    /// The value when it is text.
    public var text: String {
        if case let .text(text) = value { return text }
        return ""
    }
}

/// Lines that belong together.
public struct RenderedGroup: Equatable, Identifiable, Sendable {
    /// Place in the display.
    public let id: Int
    /// Title in words; may be empty.
    public let title: String
    /// The lines, in order.
    public let items: [RenderedItem]
}

/// A display model of the core in the words of one language. The one thing every screen draws: a fifth document type needs no new screen.
public struct RenderedDisplay: Equatable, Sendable {
    /// Id of the display (a document type, a verdict's colour, a problem).
    public let id: String
    /// Title in words.
    public let title: String
    /// The groups, in order.
    public let groups: [RenderedGroup]

    /// Renders a display of the core.
    public init(_ display: DisplayView, words: Words) {
        id = display.id
        title = words(display.title)
        groups = display.groups.enumerated().map { place, group in
            RenderedGroup(
                id: place,
                title: words(group.title),
                items: group.items.enumerated().map { RenderedDisplay.item($1, id: "\(place)/\($0)", words: words) }
            )
        }
    }

    /// All items, group after group.
    public var items: [RenderedItem] {
        groups.flatMap { $0.items }
    }

    private static func item(_ item: DisplayItemView, id: String, words: Words) -> RenderedItem {
        let role = item.role
        let label = words(item.label)
        let value: RenderedValue
        let said: String
        switch item.value {
        case let .text(text):
            value = .text(text)
            said = text
        case let .key(key):
            value = .text(words(key))
            said = words(key)
        case let .image(mediaType, bytes):
            value = .image(mediaType: mediaType, bytes: bytes)
            said = ""
        }
        let open = [words(role.spokenKey), label, said].filter { !$0.isEmpty }.joined(separator: ", ")
        return RenderedItem(
            id: id,
            field: item.field,
            label: label,
            value: value,
            role: role,
            spoken: role == .secret ? label : open,
            spokenUncovered: open
        )
    }
}

/// A verdict's colour, told by word and shape as well.
public enum VerdictColour: String, Sendable {
    case green, amber, red

    /// The colour of a verdict of the core; a word this build does not know is amber, which never passes for verified.
    public init(word: String) {
        self = VerdictColour(rawValue: word) ?? .amber
    }

    /// A mark that tells the verdict by shape: tick, question mark, cross.
    public var mark: String {
        switch self {
        case .green: return "\u{2713}"
        case .amber: return "?"
        case .red: return "\u{2715}"
        }
    }
}
