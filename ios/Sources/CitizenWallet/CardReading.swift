import CitizenWalletCore
import Foundation

/// Reading the chip card: where to hold it, how far it is, what came of it.
@MainActor
public final class CardReading: Observed {
    /// The six digits printed on the card.
    public var can = "" { willSet { changed() } }
    /// How far the reading is; nothing before the card answered.
    public private(set) var progress: DisplayView? { willSet { changed() } }
    /// 0 to 100.
    public private(set) var percent: UInt32 = 0 { willSet { changed() } }
    /// The card is being read.
    public private(set) var busy = false { willSet { changed() } }
    /// What is on the card and the wallet's verdict over it.
    public private(set) var report: CardReport? { willSet { changed() } }
    /// What went wrong.
    public private(set) var problem: Problem? { willSet { changed() } }

    private let store: WalletStore
    private let events: EventHub
    private var handle: CancelHandle?

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
    /// - Returns: true when the reading is complete; the verdict is in `report`.
    public func read(channel: CardChannelPort, password: CardPassword) async -> Bool {
        guard !busy else { return false }
        busy = true
        problem = nil
        report = nil
        progress = nil
        percent = 0
        let running = CancelHandle()
        handle = running
        let heard = events.events()
        let following = Task { [weak self] in
            for await event in heard {
                guard case let .progress(step) = event else { continue }
                self?.moved(step)
            }
        }
        defer {
            following.cancel()
            busy = false
            handle = nil
        }
        do {
            let wallet = try await store.wallet()
            report = try await cancellable(handle: running) {
                try await wallet.readCard(channel: channel, password: password, cancel: $0)
            }
            can = ""
            return true
        } catch {
            problem = Problem(error)
            return false
        }
    }

    /// Stops the reading; what was read is kept for the next try.
    public func cancel() {
        handle?.cancel()
    }

    /// The phone cannot read cards now: `nfc-off`, `no-nfc`.
    public func phoneCannot(_ id: String) {
        problem = Problem(id: id)
    }

    /// The problem was read.
    public func dismiss() {
        problem = nil
    }

    private func moved(_ step: CitizenWalletCore.ProgressView) {
        guard busy else { return }
        progress = cardProgress(progress: step)
        percent = cardProgressPercent(progress: step)
    }
}
