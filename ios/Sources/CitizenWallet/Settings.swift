import CitizenWalletCore
import Foundation

/// Changing the passcode: the old one, the new one, the new one again.
@MainActor
public final class ChangePasscodeModel: WorkModel {
    /// Which of the three entries is typed.
    public enum Step: Equatable, Sendable { case old, choose, again }

    /// What is typed now.
    public private(set) var entry = PasscodeEntry() { willSet { changed() } }
    /// Which entry it is.
    public private(set) var step = Step.old { willSet { changed() } }
    /// The two new entries differed.
    public private(set) var differed = false { willSet { changed() } }
    /// The passcode was changed.
    public private(set) var done = false { willSet { changed() } }

    private var old = PasscodeEntry()
    private var chosen = PasscodeEntry()
    private let store: WalletStore

    /// For the wallet of a store.
    public init(store: WalletStore) {
        self.store = store
    }

    /// Types a digit.
    public func type(_ digit: Int) {
        differed = false
        problem = nil
        entry.type(digit)
    }

    /// Takes a digit back.
    public func deleteLast() {
        entry.deleteLast()
    }

    /// Ends the entry that is typed.
    public func next() async {
        guard !busy, entry.count > 0 else { return }
        switch step {
        case .old:
            old = entry
            entry.wipe()
            step = .choose
        case .choose:
            chosen = entry
            entry.wipe()
            step = .again
        case .again:
            let same = entry.matches(chosen)
            entry.wipe()
            guard same else {
                chosen.wipe()
                differed = true
                step = .choose
                return
            }
            await change()
        }
    }

    private func change() async {
        var before = old.take()
        var after = chosen.take()
        defer {
            before.wipe()
            after.wipe()
        }
        step = .old
        done = await work { handle in try await self.store.wallet().changePasscode(old: before, new: after, cancel: handle) }
    }
}
