import CitizenWalletCore
import Foundation

/// How a port behaves from now on.
public enum Mood: Sendable {
    /// As it should.
    case well
    /// It throws something that the core has never heard of.
    case throwing
    /// It does not come back for so many seconds.
    case hanging(Double)
}

/// Something that no port may throw.
struct Stranger: Error {}

/// The mood of a port, and how it is acted out.
final class Moods: @unchecked Sendable {
    private var mood = Mood.well
    private let lock = NSLock()

    func set(_ mood: Mood) {
        lock.lock()
        self.mood = mood
        lock.unlock()
    }

    func act() throws {
        lock.lock()
        let now = mood
        lock.unlock()
        switch now {
        case .well: return
        case .throwing: throw Stranger()
        case let .hanging(seconds): Thread.sleep(forTimeInterval: seconds)
        }
    }
}

/// A key store with moods.
public final class MoodyKeys: KeyStorePort, @unchecked Sendable {
    private let inner = SwiftKeyStore()
    private let moods = Moods()

    /// A store that behaves well.
    public init() {}

    /// Changes the mood.
    public func become(_ mood: Mood) {
        moods.set(mood)
    }

    /// The person says no, or yes again.
    public func refuse(_ refuses: Bool) {
        inner.refuse(refuses)
    }

    /// In its mood.
    public func createKeys(purpose: KeyPurpose, count: UInt32, challenge: Data) throws -> NewKeys {
        try moods.act()
        return try inner.createKeys(purpose: purpose, count: count, challenge: challenge)
    }

    /// In its mood.
    public func authorise(reason: String, keys: [String], maxUses: UInt32, ttlMillis: UInt64) throws -> String {
        try moods.act()
        return try inner.authorise(reason: reason, keys: keys, maxUses: maxUses, ttlMillis: ttlMillis)
    }

    /// In its mood.
    public func sign(authorisation: String?, key: String, bytes: Data) throws -> Data {
        try moods.act()
        return try inner.sign(authorisation: authorisation, key: key, bytes: bytes)
    }

    /// Not offered.
    public func agree(authorisation: String?, key: String, peer: Data) throws -> Data {
        try inner.agree(authorisation: authorisation, key: key, peer: peer)
    }

    /// As it should.
    public func end(authorisation: String) throws {
        try inner.end(authorisation: authorisation)
    }

    /// In its mood.
    public func delete(keys: [String]) throws {
        try moods.act()
        try inner.delete(keys: keys)
    }

    /// As it should.
    public func list() throws -> [String] {
        try inner.list()
    }
}

/// A sealer with moods: sealing for the user waits for a prompt that nobody answers, for example.
public final class MoodySealer: DeviceSealerPort, @unchecked Sendable {
    private let inner = SwiftSealer()
    private let moods = Moods()

    /// A sealer that behaves well.
    public init() {}

    /// Changes the mood.
    public func become(_ mood: Mood) {
        moods.set(mood)
    }

    /// Another key from now on.
    public func forget() {
        inner.forget()
    }

    /// In its mood, for the user's own shares.
    public func seal(purpose: SealPurpose, share: Data) throws -> Data {
        if purpose == .user { try moods.act() }
        return try inner.seal(purpose: purpose, share: share)
    }

    /// In its mood, for the user's own shares.
    public func unseal(purpose: SealPurpose, sealed: Data) throws -> Data {
        if purpose == .user { try moods.act() }
        return try inner.unseal(purpose: purpose, sealed: sealed)
    }

    /// As it should.
    public func mac(input: Data) throws -> Data {
        try inner.mac(input: input)
    }
}

/// A card that takes its time for every command, and tells when it was asked first.
public final class SlowCard: CardChannelPort, @unchecked Sendable {
    private let inner: CardChannelPort
    private let seconds: Double
    private var count = 0
    private let lock = NSLock()

    /// `inner`, slower by `seconds` for each command.
    public init(_ inner: CardChannelPort, seconds: Double) {
        self.inner = inner
        self.seconds = seconds
    }

    /// Commands so far.
    public var exchanges: Int {
        lock.lock()
        defer { lock.unlock() }
        return count
    }

    /// Slowly.
    public func transceive(command: Data) throws -> Data {
        lock.lock()
        count += 1
        lock.unlock()
        Thread.sleep(forTimeInterval: seconds)
        return try inner.transceive(command: command)
    }

    /// As it should.
    public func capacity() throws -> ChannelCapacity {
        try inner.capacity()
    }

    /// As it should.
    public func cancel() throws {
        try inner.cancel()
    }

    /// As it should.
    public func reconnect() throws {
        try inner.reconnect()
    }
}

/// A system's sheet that the person closed.
public final class ClosedSheet: CardChannelPort, @unchecked Sendable {
    /// A closed one.
    public init() {}

    /// No card is there yet.
    public func transceive(command: Data) throws -> Data {
        throw ChannelFault.CardLost
    }

    /// A plain reader.
    public func capacity() throws -> ChannelCapacity {
        ChannelCapacity(maxCommand: 261, extended: false)
    }

    /// Nothing to end.
    public func cancel() throws {}

    /// Closed by the person.
    public func reconnect() throws {
        throw ChannelFault.Cancelled
    }
}

/// A card reader that the card never comes back to.
public final class LostCard: CardChannelPort, @unchecked Sendable {
    /// A reader without a card.
    public init() {}

    /// There is no card.
    public func transceive(command: Data) throws -> Data {
        throw ChannelFault.CardLost
    }

    /// A plain reader.
    public func capacity() throws -> ChannelCapacity {
        ChannelCapacity(maxCommand: 261, extended: false)
    }

    /// Nothing to end.
    public func cancel() throws {}

    /// It stays away.
    public func reconnect() throws {
        throw ChannelFault.CardLost
    }
}
