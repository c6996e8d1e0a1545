import CitizenWalletCore
import Foundation

/// Reading the chip card: where to hold it, how far it is, what came of it.
@MainActor
public final class CardReading: WorkModel {
    /// The six digits printed on the card.
    public var can = "" { willSet { changed() } }
    /// How far the reading is; nothing before the card answered.
    public private(set) var progress: DisplayView? { willSet { changed() } }
    /// 0 to 100.
    public private(set) var percent: UInt32 = 0 { willSet { changed() } }
    /// The wallet's verdict over the card, and what is on it when it was accepted.
    public private(set) var report: CardReport? { willSet { changed() } }

    private static let canDigits = 6
    private let store: WalletStore
    private let events: EventHub

    /// A reading into the wallet of a store, whose listener is `events`.
    public init(store: WalletStore, events: EventHub) {
        self.store = store
        self.events = events
    }

    /// Reads the card with the digits typed.
    public func read(channel: CardChannelPort) async -> Bool {
        await read(channel: channel, password: .can(can: can))
    }

    /// Reads the card held to `channel`.
    ///
    /// - Returns: true when the card was read and accepted. A card that was read and is not accepted is no problem of the reading: its verdict in
    ///   `report` says why.
    public func read(channel: CardChannelPort, password: CardPassword) async -> Bool {
        guard !busy else { return false }
        report = nil
        progress = nil
        percent = 0
        let heard = events.events()
        let following = Task { [weak self] in
            for await event in heard {
                guard case let .progress(step) = event else { continue }
                self?.moved(step)
            }
        }
        defer { following.cancel() }
        let done = await work { handle in
            let wallet = try await self.store.wallet()
            do {
                self.report = try await wallet.readCard(channel: channel, password: password, cancel: handle)
            } catch WalletError.Declined {
                // The person closed the system's sheet, which ends like any other stop: what was read is kept for the next try.
                throw WalletError.Cancelled
            }
            self.can = ""
        }
        return done && !rejected
    }

    /// As many digits are typed as stand on a card: only then is the antenna worth opening.
    public var canIsComplete: Bool {
        can.count == CardReading.canDigits && can.allSatisfy { ("0"..."9").contains($0) }
    }

    /// A card was read and is not accepted.
    public var rejected: Bool {
        report.map { $0.display == nil } ?? false
    }

    /// The phone cannot read cards now: `nfc-off`, `no-nfc`.
    public func phoneCannot(_ id: String) {
        problem = Problem(id: id)
    }

    private func moved(_ step: CitizenWalletCore.ProgressView) {
        guard busy else { return }
        progress = cardProgress(progress: step)
        percent = cardProgressPercent(progress: step)
    }
}
