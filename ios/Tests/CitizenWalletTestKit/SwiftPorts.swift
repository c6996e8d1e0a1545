import CitizenWalletCore
import Foundation
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The ports of a phone in plain Swift: what an iPhone's hardware does, over software keys in memory. The central service takes their evidence only
/// when it was started with `--allow-software-keys`.
public final class SwiftKeyStore: KeyStorePort, @unchecked Sendable {
    private struct Grant {
        let keys: Set<String>
        var uses: UInt32
        let until: UInt64
    }

    private struct Key {
        let purpose: KeyPurpose
        let secret: P256.PrivateKey
    }

    private static let label = Array("wallet-software-evidence-v1".utf8)
    private static let longestMillis: UInt64 = 30_000
    private static let mostKeys: UInt32 = 64

    // Guarded by `lock`.
    private var keys: [String: Key] = [:]
    private var grants: [String: Grant] = [:]
    private var refused = false
    private let lock = NSLock()

    /// A store without keys.
    public init() {}

    /// The person says no to every prompt from now on, or yes again.
    public func refuse(_ refuses: Bool) {
        locked { refused = refuses }
    }

    /// Creates keys with evidence over the challenge, as the desktop's software store does.
    public func createKeys(purpose: KeyPurpose, count: UInt32, challenge: Data) throws -> NewKeys {
        guard count >= 1, count <= SwiftKeyStore.mostKeys else { throw PortFault.Unsupported }
        var made: [NewKey] = []
        var proofs: [String] = []
        var described: [[String: String]] = []
        for _ in 0..<count {
            let secret = P256.PrivateKey()
            let point = Array(secret.publicKey.dropFirst())
            let name = UUID().uuidString
            locked { keys[name] = Key(purpose: purpose, secret: secret) }
            made.append(NewKey(id: name, publicKey: Data(secret.publicKey)))
            proofs.append(base64url(secret.sign(SwiftKeyStore.label + Array(challenge) + point)))
            described.append(["kty": "EC", "crv": "P-256", "x": base64url(Array(point[0..<32])), "y": base64url(Array(point[32..<64]))])
        }
        let evidence: [String: Any] = [
            "fmt": "software", "challenge": base64url(Array(challenge)), "proofs": proofs, "keys": described,
        ]
        guard let json = try? JSONSerialization.data(withJSONObject: evidence) else { throw PortFault.Unavailable }
        return NewKeys(keys: made, evidence: json)
    }

    /// One act of the person, who always agrees here unless told to refuse.
    public func authorise(reason: String, keys wanted: [String], maxUses: UInt32, ttlMillis: UInt64) throws -> String {
        guard ttlMillis <= SwiftKeyStore.longestMillis, maxUses > 0 else { throw PortFault.Unsupported }
        return try locked {
            if refused { throw PortFault.Cancelled }
            let held = wanted.compactMap { keys[$0] }
            guard held.count == wanted.count else { throw PortFault.KeyInvalidated }
            if maxUses > 1, held.contains(where: { $0.purpose == .transaction }) { throw PortFault.Unsupported }
            let name = UUID().uuidString
            grants[name] = Grant(keys: Set(wanted), uses: maxUses, until: monotonicMillisNow() + ttlMillis)
            return name
        }
    }

    /// ECDSA over SHA-256, raw r and s.
    public func sign(authorisation: String?, key: String, bytes: Data) throws -> Data {
        let secret: P256.PrivateKey = try locked {
            guard let held = keys[key] else { throw PortFault.KeyInvalidated }
            guard let authorisation else {
                if held.purpose != .account { throw PortFault.NotAuthorised }
                return held.secret
            }
            guard var grant = grants[authorisation], grant.keys.contains(key), grant.uses > 0, monotonicMillisNow() <= grant.until else {
                throw PortFault.NotAuthorised
            }
            grant.uses -= 1
            grants[authorisation] = grant
            return held.secret
        }
        return Data(secret.sign(Array(bytes)))
    }

    /// Not offered: the core then signs instead.
    public func agree(authorisation: String?, key: String, peer: Data) throws -> Data {
        throw PortFault.Unsupported
    }

    /// Ends an authorisation.
    public func end(authorisation: String) throws {
        locked { grants[authorisation] = nil }
    }

    /// Deletes keys.
    public func delete(keys gone: [String]) throws {
        locked { for key in gone { keys[key] = nil } }
    }

    /// Names of all keys.
    public func list() throws -> [String] {
        locked { Array(keys.keys) }
    }

    private func locked<Value>(_ work: () throws -> Value) rethrows -> Value {
        lock.lock()
        defer { lock.unlock() }
        return try work()
    }
}

/// Seals by a key stream of HMACs and a tag, under one key for each purpose.
public final class SwiftSealer: DeviceSealerPort, @unchecked Sendable {
    // Guarded by `lock`.
    private var key = SwiftSealer.fresh()
    private let lock = NSLock()

    /// A sealer with a key of its own.
    public init() {}

    /// Another key from now on: what was sealed cannot be opened any more.
    public func forget() {
        lock.lock()
        key = SwiftSealer.fresh()
        lock.unlock()
    }

    private var secret: [UInt8] {
        lock.lock()
        defer { lock.unlock() }
        return key
    }

    private static func fresh() -> [UInt8] {
        (0..<32).map { _ in UInt8.random(in: 0...255) }
    }

    /// Seals a share.
    public func seal(purpose: SealPurpose, share: Data) throws -> Data {
        let nonce = (0..<16).map { _ in UInt8.random(in: 0...255) }
        let body = stream(purpose, nonce, Array(share))
        return Data(nonce + body + tag(purpose, nonce + body))
    }

    /// Opens what `seal` made.
    public func unseal(purpose: SealPurpose, sealed: Data) throws -> Data {
        let bytes = Array(sealed)
        guard bytes.count >= 48 else { throw PortFault.KeyInvalidated }
        let covered = Array(bytes[0..<(bytes.count - 32)])
        guard tag(purpose, covered) == Array(bytes[(bytes.count - 32)...]) else { throw PortFault.KeyInvalidated }
        return Data(stream(purpose, Array(covered[0..<16]), Array(covered[16...])))
    }

    /// A MAC that never changes for the same input.
    public func mac(input: Data) throws -> Data {
        Data(Hashing.hmac(key: secret, Array("mac".utf8) + Array(input)))
    }

    private func derived(_ purpose: SealPurpose, _ use: String) -> [UInt8] {
        let name = purpose == .user ? "user" : "background"
        return Hashing.hmac(key: secret, Array((use + "/" + name).utf8))
    }

    private func tag(_ purpose: SealPurpose, _ bytes: [UInt8]) -> [UInt8] {
        Hashing.hmac(key: derived(purpose, "tag"), bytes)
    }

    private func stream(_ purpose: SealPurpose, _ nonce: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        let secret = derived(purpose, "stream")
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        for start in stride(from: 0, to: bytes.count, by: 32) {
            let block = Hashing.hmac(key: secret, nonce + Array("\(start)".utf8))
            for place in start..<min(start + 32, bytes.count) { out.append(bytes[place] ^ block[place - start]) }
        }
        return out
    }
}

/// The machine's clocks; the boot id is this object's own. Hands can move its monotonic clock on, as a night of sleep would.
public final class SwiftClock: ClockPort, @unchecked Sendable {
    private let boot = UUID().uuidString
    // Guarded by `lock`.
    private var ahead: UInt64 = 0
    private let lock = NSLock()

    /// The clocks.
    public init() {}

    /// Moves the monotonic clock on.
    public func sleep(millis: UInt64) {
        lock.lock()
        ahead += millis
        lock.unlock()
    }

    /// Seconds since 1970.
    public func wallSeconds() throws -> Int64 {
        Int64(Date().timeIntervalSince1970)
    }

    /// Milliseconds that count sleep.
    public func monotonicMillis() throws -> UInt64 {
        lock.lock()
        defer { lock.unlock() }
        return monotonicMillisNow() + ahead
    }

    /// A name of this start.
    public func bootId() throws -> String {
        boot
    }
}

func monotonicMillisNow() -> UInt64 {
    var now = timespec()
    #if os(Linux)
    clock_gettime(CLOCK_BOOTTIME, &now)
    #else
    // On Apple's systems this clock counts sleep.
    clock_gettime(CLOCK_MONOTONIC, &now)
    #endif
    return UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
}

func base64url(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString()
        .replacingOccurrences(of: "+", with: "-")
        .replacingOccurrences(of: "/", with: "_")
        .replacingOccurrences(of: "=", with: "")
}
