import CitizenWalletCore
import Foundation

/// A text shown as a QR code for its time.
@MainActor
public final class ShowQRModel: Observed {
    /// The symbol; nothing when the text does not fit into one.
    public let symbol: QrSymbol?
    /// The last moment somebody takes it.
    public let expires: Date?
    /// Whole seconds left; 0 when it is over, nothing when it has no end.
    public private(set) var secondsLeft: Int? { willSet { changed() } }
    /// What went wrong.
    public let problem: Problem?

    /// Draws `text`; `expiresAt` is RFC 3339 as the core gives it.
    public init(text: String, expiresAt: String?, now: Date = Date()) {
        do {
            symbol = try qrDraw(text: text)
            problem = nil
        } catch {
            symbol = nil
            problem = Problem(error)
        }
        expires = expiresAt.flatMap { ShowQRModel.moment($0) }
        secondsLeft = ShowQRModel.left(until: expires, from: now)
    }

    /// The code is of no use any more.
    public var over: Bool { secondsLeft == 0 }

    /// To be called every second while the code is on the screen.
    public func tick(now: Date = Date()) {
        secondsLeft = ShowQRModel.left(until: expires, from: now)
    }

    /// A time of the core (RFC 3339, UTC).
    public static func moment(_ text: String) -> Date? {
        ISO8601DateFormatter().date(from: text)
    }

    private static func left(until expires: Date?, from now: Date) -> Int? {
        expires.map { max(0, Int($0.timeIntervalSince(now).rounded(.up))) }
    }
}
