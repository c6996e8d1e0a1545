#if canImport(Security) && canImport(LocalAuthentication) && canImport(CryptoKit)
import CitizenWalletCore
import CryptoKit
import Foundation
import Security

/// Seals shares of the database keys with keys of the Secure Enclave: ECIES for each purpose, and a MAC by ECDH. Nothing here prompts.
///
/// `user` keys exist only while the phone has a screen lock and serve only while it is unlocked; `background` keys serve once it was unlocked since
/// its start.
public final class KeychainSealer: DeviceSealerPort, @unchecked Sendable {
    private static let uses = ["user", "background", "mac"]
    private static let algorithm = SecKeyAlgorithm.eciesEncryptionCofactorX963SHA256AESGCM
    private static let version: UInt8 = 1

    private let name: String
    // Held while a key is looked up or made, so that two threads never make two.
    private let lock = NSLock()

    /// The sealer called `name`: a wallet and a staff device have one each.
    public init(name: String) {
        self.name = name
    }

    /// Seals a share.
    public func seal(purpose: SealPurpose, share: Data) throws -> Data {
        let key = try self.key(KeychainSealer.word(purpose), make: true)
        guard let shown = SecKeyCopyPublicKey(key) else { throw PortFault.Unavailable }
        var failure: Unmanaged<CFError>?
        let plain = Data([KeychainSealer.version]) + share
        guard let sealed = SecKeyCreateEncryptedData(shown, KeychainSealer.algorithm, plain as CFData, &failure) as Data? else {
            throw AppleFault.port(failure)
        }
        return sealed
    }

    /// Opens what `seal` made. What was not sealed here, or under a key that is gone, is `KeyInvalidated`.
    public func unseal(purpose: SealPurpose, sealed: Data) throws -> Data {
        let key = try self.key(KeychainSealer.word(purpose), make: false)
        var failure: Unmanaged<CFError>?
        guard let plain = SecKeyCreateDecryptedData(key, KeychainSealer.algorithm, sealed as CFData, &failure) as Data? else {
            let error = failure?.takeRetainedValue() as Error?
            let locked = (error as NSError?)?.code == Int(errSecInteractionNotAllowed)
            throw locked ? PortFault.Unavailable : PortFault.KeyInvalidated
        }
        guard plain.first == KeychainSealer.version else { throw PortFault.KeyInvalidated }
        return Data(plain.dropFirst())
    }

    /// A MAC that only this phone can compute: the input is hashed to a point of the curve (trying one counter after the other), and the enclave
    /// multiplies it by a key that never leaves it.
    public func mac(input: Data) throws -> Data {
        let key = try self.key("mac", make: true)
        for counter in UInt8.min...UInt8.max {
            let x = Data(SHA256.hash(data: Data("wallet-mac-point".utf8) + Data([counter]) + input))
            guard let point = try? CryptoKit.P256.KeyAgreement.PublicKey(compactRepresentation: x) else { continue }
            let shared = try SecureEnclaveKeys.agree(key, peer: point.x963Representation)
            return Data(SHA256.hash(data: Data("wallet-mac".utf8) + shared + input))
        }
        throw PortFault.Unavailable
    }

    /// Removes the keys: what was sealed cannot be opened any more.
    public func forget() throws {
        lock.lock()
        defer { lock.unlock() }
        for use in KeychainSealer.uses {
            let status = SecItemDelete([kSecClass: kSecClassKey, kSecAttrApplicationTag: tag(use)] as [CFString: Any] as CFDictionary)
            guard status == errSecSuccess || status == errSecItemNotFound else { throw AppleFault.port(status) }
        }
    }

    private func tag(_ use: String) -> Data {
        Data("\(name)/seal-\(use)".utf8)
    }

    private static func word(_ purpose: SealPurpose) -> String {
        switch purpose {
        case .user: return "user"
        case .background: return "background"
        }
    }

    private func key(_ use: String, make: Bool) throws -> SecKey {
        lock.lock()
        defer { lock.unlock() }
        let tag = self.tag(use)
        let query: [CFString: Any] = [
            kSecClass: kSecClassKey,
            kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
            kSecAttrApplicationTag: tag,
            kSecReturnRef: true,
        ]
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        if status == errSecSuccess, let item = found, CFGetTypeID(item) == SecKeyGetTypeID() { return item as! SecKey }
        guard status == errSecItemNotFound, make else { throw AppleFault.port(status) }
        return try KeychainSealer.create(tag, user: use == "user")
    }

    private static func create(_ tag: Data, user: Bool) throws -> SecKey {
        let protection = user ? kSecAttrAccessibleWhenPasscodeSetThisDeviceOnly : kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
        guard let access = SecAccessControlCreateWithFlags(nil, protection, [.privateKeyUsage], nil) else { throw PortFault.Unavailable }
        let attributes: [CFString: Any] = [
            kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
            kSecAttrKeySizeInBits: 256,
            kSecAttrTokenID: kSecAttrTokenIDSecureEnclave,
            kSecPrivateKeyAttrs: [kSecAttrIsPermanent: true, kSecAttrApplicationTag: tag, kSecAttrAccessControl: access] as [CFString: Any],
        ]
        if user { try AppleFault.requireScreenLock() }
        var failure: Unmanaged<CFError>?
        guard let key = SecKeyCreateRandomKey(attributes as CFDictionary, &failure) else { throw AppleFault.port(failure) }
        return key
    }
}
#endif
