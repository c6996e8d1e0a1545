#if canImport(Security) && canImport(LocalAuthentication)
import CitizenWallet
import CitizenWalletCore
import Foundation
import LocalAuthentication
import Security

/// Keys in the Secure Enclave. Account keys serve while the phone is unlocked since its start; holder and transaction keys need an act of the person
/// (face, finger or the phone's passcode), asked for once for each authorisation. A wallet and a staff device have a store each, by name.
public final class SecureEnclaveKeys: KeyStorePort, @unchecked Sendable {
    private struct Grant {
        let context: LAContext
        let keys: Set<String>
        var uses: UInt32
        let until: UInt64
    }

    private static let mostKeys: UInt32 = 64
    private static let longestMillis: UInt64 = 30_000

    private let name: String
    private let evidence: KeyEvidence
    private let clock = AppleClock()
    // Guarded by `lock`; no prompt and no signature happens while it is held.
    private var grants: [String: Grant] = [:]
    private let lock = NSLock()

    /// The store called `name`; `evidence` speaks for new keys.
    public init(name: String, evidence: KeyEvidence) {
        self.name = name
        self.evidence = evidence
    }

    /// Creates keys. Holder keys need a screen lock on the phone.
    public func createKeys(purpose: KeyPurpose, count: UInt32, challenge: Data) throws -> NewKeys {
        guard count >= 1, count <= SecureEnclaveKeys.mostKeys else { throw PortFault.Unsupported }
        if purpose != .account { try AppleFault.requireScreenLock() }
        var made: [NewKey] = []
        do {
            for _ in 0..<count { made.append(try create(purpose)) }
            return NewKeys(keys: made, evidence: try evidence.over(challenge: challenge, points: made.map { $0.publicKey }))
        } catch {
            try? delete(keys: made.map { $0.id })
            throw error
        }
    }

    /// Asks the person once, in the words of the catalogue for `reason`; the answer serves `maxUses` signatures of `keys` within the time.
    public func authorise(reason: String, keys: [String], maxUses: UInt32, ttlMillis: UInt64) throws -> String {
        guard ttlMillis <= SecureEnclaveKeys.longestMillis, maxUses > 0 else { throw PortFault.Unsupported }
        if maxUses > 1, keys.contains(where: { purpose(of: $0) == .transaction }) { throw PortFault.Unsupported }
        try AppleFault.requireScreenLock()
        for key in keys { _ = try find(key, context: nil) }
        let context = LAContext()
        try prompt(context, reason: LanguageModel.chosen()(reason))
        let id = UUID().uuidString
        let now = try clock.monotonicMillis()
        lock.lock()
        // An answer whose time is over serves nothing, and is not kept.
        let over = grants.filter { $0.value.until < now }
        for old in over.keys { grants[old] = nil }
        grants[id] = Grant(context: context, keys: Set(keys), uses: maxUses, until: now + ttlMillis)
        lock.unlock()
        for old in over.values { old.context.invalidate() }
        return id
    }

    /// ECDSA over SHA-256 of `bytes`: raw r and s.
    public func sign(authorisation: String?, key: String, bytes: Data) throws -> Data {
        let held = try use(authorisation, key)
        var failure: Unmanaged<CFError>?
        guard let der = SecKeyCreateSignature(held, .ecdsaSignatureMessageX962SHA256, bytes as CFData, &failure) as Data? else {
            throw AppleFault.port(failure)
        }
        guard let raw = EcdsaSignature.raw(der: der) else { throw PortFault.Unavailable }
        return raw
    }

    /// ECDH: the 32-byte x coordinate.
    public func agree(authorisation: String?, key: String, peer: Data) throws -> Data {
        let held = try use(authorisation, key)
        return try SecureEnclaveKeys.agree(held, peer: peer)
    }

    /// Ends an authorisation: its prompt serves nothing any more.
    public func end(authorisation: String) throws {
        lock.lock()
        let ended = grants.removeValue(forKey: authorisation)
        lock.unlock()
        ended?.context.invalidate()
    }

    /// Deletes keys; one that is gone already is no fault.
    public func delete(keys: [String]) throws {
        for key in keys {
            let status = SecItemDelete([kSecClass: kSecClassKey, kSecAttrApplicationTag: tag(key)] as [CFString: Any] as CFDictionary)
            guard status == errSecSuccess || status == errSecItemNotFound else { throw AppleFault.port(status) }
        }
    }

    /// Names of every key of this store.
    public func list() throws -> [String] {
        let query: [CFString: Any] = [
            kSecClass: kSecClassKey,
            kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
            kSecMatchLimit: kSecMatchLimitAll,
            kSecReturnAttributes: true,
        ]
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        if status == errSecItemNotFound { return [] }
        guard status == errSecSuccess, let items = found as? [[String: Any]] else { throw AppleFault.port(status) }
        let prefix = name + "/"
        return items.compactMap { item in
            guard let tag = item[kSecAttrApplicationTag as String] as? Data, let text = String(data: tag, encoding: .utf8), text.hasPrefix(prefix)
            else { return nil }
            return String(text.dropFirst(prefix.count))
        }
    }

    /// ECDH of a private key with a point (SEC 1 uncompressed).
    static func agree(_ key: SecKey, peer: Data) throws -> Data {
        let attributes: [CFString: Any] = [kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom, kSecAttrKeyClass: kSecAttrKeyClassPublic]
        guard let point = SecKeyCreateWithData(peer as CFData, attributes as CFDictionary, nil) else { throw PortFault.Unsupported }
        var failure: Unmanaged<CFError>?
        let parameters: [String: Any] = [:]
        guard let shared = SecKeyCopyKeyExchangeResult(key, .ecdhKeyExchangeStandard, point, parameters as CFDictionary, &failure) as Data? else {
            throw AppleFault.port(failure)
        }
        return shared
    }

    private func create(_ purpose: KeyPurpose) throws -> NewKey {
        let id = SecureEnclaveKeys.word(purpose) + "-" + UUID().uuidString
        let free = purpose == .account
        let protection = free ? kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly : kSecAttrAccessibleWhenPasscodeSetThisDeviceOnly
        let flags: SecAccessControlCreateFlags = free ? [.privateKeyUsage] : [.privateKeyUsage, .userPresence]
        guard let access = SecAccessControlCreateWithFlags(nil, protection, flags, nil) else { throw PortFault.Unavailable }
        let attributes: [CFString: Any] = [
            kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
            kSecAttrKeySizeInBits: 256,
            kSecAttrTokenID: kSecAttrTokenIDSecureEnclave,
            kSecPrivateKeyAttrs: [
                kSecAttrIsPermanent: true, kSecAttrApplicationTag: tag(id), kSecAttrAccessControl: access,
            ] as [CFString: Any],
        ]
        var failure: Unmanaged<CFError>?
        guard let key = SecKeyCreateRandomKey(attributes as CFDictionary, &failure) else { throw AppleFault.port(failure) }
        guard let shown = SecKeyCopyPublicKey(key), let point = SecKeyCopyExternalRepresentation(shown, nil) as Data? else {
            throw PortFault.Unavailable
        }
        return NewKey(id: id, publicKey: point)
    }

    /// The private key for one use, when this use is allowed; counts it.
    private func use(_ authorisation: String?, _ key: String) throws -> SecKey {
        guard let authorisation else {
            let held = try find(key, context: nil)
            if purpose(of: key) != .account { throw PortFault.NotAuthorised }
            return held
        }
        let now = try clock.monotonicMillis()
        lock.lock()
        var context: LAContext?
        if var grant = grants[authorisation], grant.keys.contains(key), grant.uses > 0, now <= grant.until {
            grant.uses -= 1
            grants[authorisation] = grant
            context = grant.context
        }
        lock.unlock()
        guard let context else {
            _ = try find(key, context: nil)
            throw PortFault.NotAuthorised
        }
        return try find(key, context: context)
    }

    private func find(_ key: String, context: LAContext?) throws -> SecKey {
        var query: [CFString: Any] = [
            kSecClass: kSecClassKey,
            kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
            kSecAttrApplicationTag: tag(key),
            kSecReturnRef: true,
        ]
        if let context { query[kSecUseAuthenticationContext] = context }
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        guard status == errSecSuccess, let item = found, CFGetTypeID(item) == SecKeyGetTypeID() else { throw AppleFault.port(status) }
        return item as! SecKey
    }

    private func prompt(_ context: LAContext, reason: String) throws {
        let protection = kSecAttrAccessibleWhenPasscodeSetThisDeviceOnly
        guard let access = SecAccessControlCreateWithFlags(nil, protection, [.privateKeyUsage, .userPresence], nil) else {
            throw PortFault.Unavailable
        }
        let answer = Waiting<Bool>()
        context.evaluateAccessControl(access, operation: .useKeySign, localizedReason: reason) { agreed, error in
            if agreed { answer.give(.success(true)) } else { answer.give(.failure(AppleFault.port(error))) }
        }
        do {
            _ = try answer.take(seconds: 115)
        } catch {
            context.invalidate()
            throw error
        }
    }

    private func tag(_ key: String) -> Data {
        Data((name + "/" + key).utf8)
    }

    private static func word(_ purpose: KeyPurpose) -> String {
        switch purpose {
        case .account: return "account"
        case .holder: return "holder"
        case .transaction: return "transaction"
        }
    }

    /// The purpose that a key's name begins with; what cannot be read needs an authorisation.
    private func purpose(of key: String) -> KeyPurpose {
        if key.hasPrefix("account-") { return .account }
        return key.hasPrefix("transaction-") ? .transaction : .holder
    }
}
#endif
