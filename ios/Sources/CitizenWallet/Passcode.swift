import CitizenWalletCore
import Foundation

/// Digits as they are typed: bytes that are wiped, never a `String`, which Swift can neither wipe nor keep from being copied.
public struct PasscodeEntry: Sendable {
    private var digits: [UInt8] = []
    /// Digits that are kept at most; more are ignored.
    public static let most = 32

    /// Nothing typed.
    public init() {
        digits.reserveCapacity(PasscodeEntry.most)
    }

    /// How many digits were typed.
    public var count: Int { digits.count }

    /// Types a digit, 0 to 9.
    public mutating func type(_ digit: Int) {
        guard (0...9).contains(digit), digits.count < PasscodeEntry.most else { return }
        digits.append(UInt8(48 + digit))
    }

    /// Takes the last digit back.
    public mutating func deleteLast() {
        guard let last = digits.indices.last else { return }
        digits[last] = 0
        digits.removeLast()
    }

    /// Wipes everything typed.
    public mutating func wipe() {
        for place in digits.indices { digits[place] = 0 }
        digits.removeAll(keepingCapacity: true)
    }

    /// The digits for the core, which wipes its copy; the entry is wiped.
    public mutating func take() -> Data {
        let taken = Data(digits)
        wipe()
        return taken
    }

    /// The same digits as another entry.
    public func matches(_ other: PasscodeEntry) -> Bool {
        digits == other.digits
    }
}

extension Data {
    /// Overwrites the bytes; for copies of secrets that this code owns alone.
    mutating func wipe() {
        resetBytes(in: startIndex..<endIndex)
    }
}

/// First use: choosing a passcode twice makes the wallet.
@MainActor
public final class FirstUseModel: WorkModel {
    /// Which of the two entries is typed.
    public enum Step: Equatable, Sendable { case choose, again }

    /// What is typed now.
    public private(set) var entry = PasscodeEntry() { willSet { changed() } }
    /// First or second entry.
    public private(set) var step = Step.choose { willSet { changed() } }
    /// The two entries differed.
    public private(set) var differed = false { willSet { changed() } }

    private var first = PasscodeEntry()
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

    /// Ends the entry that is typed. Afterwards the app asks the wallet where it is (`AppModel.refresh`), whatever came of it: a making that was
    /// stopped halfway is completed at the lock.
    ///
    /// - Returns: true when the wallet was made.
    public func next() async -> Bool {
        guard !busy, entry.count > 0 else { return false }
        if step == .choose {
            first = entry
            entry.wipe()
            step = .again
            return false
        }
        let same = entry.matches(first)
        first.wipe()
        step = .choose
        guard same else {
            entry.wipe()
            differed = true
            return false
        }
        var passcode = entry.take()
        defer { passcode.wipe() }
        return await work { handle in try await self.store.wallet().create(passcode: passcode, cancel: handle) }
    }
}

/// Opening a locked wallet. What goes wrong: a wrong passcode with its tries, a waiting time, a damaged store.
@MainActor
public final class UnlockModel: WorkModel {
    /// What is typed.
    public private(set) var entry = PasscodeEntry() { willSet { changed() } }

    private let store: WalletStore

    /// For the wallet of a store.
    public init(store: WalletStore) {
        self.store = store
    }

    /// Types a digit.
    public func type(_ digit: Int) {
        problem = nil
        entry.type(digit)
    }

    /// Takes a digit back.
    public func deleteLast() {
        entry.deleteLast()
    }

    /// Tries what is typed.
    ///
    /// - Returns: true when the wallet is open.
    public func unlock() async -> Bool {
        guard !busy, entry.count > 0 else { return false }
        var passcode = entry.take()
        defer { passcode.wipe() }
        return await work { handle in try await self.store.wallet().unlock(passcode: passcode, cancel: handle) }
    }
}
