import CitizenWalletCore
import Foundation

/// The words of one language. Every text for people comes from the core's catalogue, by key.
public struct Words: Equatable, Sendable {
    /// `vi` or `en`.
    public let language: String

    /// Words of a language or tag (`vi`, `en`, `vi-VN`).
    public init(language: String) {
        self.language = language
    }

    /// The text of a key; the key itself when the catalogue does not know it, nothing for an empty key.
    public func callAsFunction(_ key: String) -> String {
        key.isEmpty ? "" : word(key: key, language: language)
    }

    /// The text of a key with `{name}` replaced by a value.
    public func callAsFunction(_ key: String, _ name: String, _ value: String) -> String {
        self(key).replacingOccurrences(of: "{\(name)}", with: value)
    }
}

/// The language the app speaks: the phone's, until the citizen chose another one in the settings.
@MainActor
public final class LanguageModel: Observed {
    /// The languages of the catalogue, in the order of the settings screen.
    public nonisolated static let all = ["vi", "en"]

    private nonisolated static let setting = "language"
    private let defaults: UserDefaults

    /// The words to show now.
    public private(set) var words: Words { willSet { changed() } }

    /// Takes the chosen language, or the first of the phone's that the catalogue has, or Vietnamese.
    public init(defaults: UserDefaults = .standard, preferred: [String] = Locale.preferredLanguages) {
        self.defaults = defaults
        words = LanguageModel.chosen(defaults: defaults, preferred: preferred)
    }

    /// The same words for code that is not on the main thread, such as the prompt of a key.
    public nonisolated static func chosen(defaults: UserDefaults = .standard, preferred: [String] = Locale.preferredLanguages) -> Words {
        let wanted = [defaults.string(forKey: setting) ?? ""] + preferred.map { String($0.prefix(2)) }
        return Words(language: wanted.first { all.contains($0) } ?? "vi")
    }

    /// Speaks `language` from now on, also after the next start.
    public func choose(_ language: String) {
        guard LanguageModel.all.contains(language) else { return }
        defaults.set(language, forKey: LanguageModel.setting)
        words = Words(language: language)
    }
}
