// Stand-in of Security: the names, labels and types that ios/ uses, and nothing behind them. For tests/ios/typecheck.sh only.
@_exported import Foundation
public typealias OSStatus = Int32
public typealias CFTypeRef = AnyObject
public class CFError: Error {}
public class CFString: Hashable { public static func == (a: CFString, b: CFString) -> Bool { a === b }
   public func hash(into h: inout Hasher) {} }
public class CFData {}
public class CFDictionary {}
public class SecKey {}
public class SecAccessControl {}
public let errSecSuccess: OSStatus = 0, errSecItemNotFound: OSStatus = -25300, errSecUserCanceled: OSStatus = -128, errSecDiskFull: OSStatus = -34, errSecAuthFailed: OSStatus = -25293, errSecInteractionNotAllowed: OSStatus = -25308
public let kSecClass = CFString(), kSecClassKey = CFString(), kSecAttrApplicationTag = CFString(), kSecAttrKeyType = CFString(), kSecAttrKeyTypeECSECPrimeRandom = CFString(), kSecMatchLimit = CFString(), kSecMatchLimitAll = CFString(), kSecReturnAttributes = CFString(), kSecReturnRef = CFString(), kSecAttrKeyClass = CFString(), kSecAttrKeyClassPublic = CFString(), kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly = CFString(), kSecAttrAccessibleWhenPasscodeSetThisDeviceOnly = CFString(), kSecAttrKeySizeInBits = CFString(), kSecAttrTokenID = CFString(), kSecAttrTokenIDSecureEnclave = CFString(), kSecPrivateKeyAttrs = CFString(), kSecAttrIsPermanent = CFString(), kSecAttrAccessControl = CFString(), kSecUseAuthenticationContext = CFString()
public struct SecAccessControlCreateFlags: OptionSet { public let rawValue: Int
   public init(rawValue: Int) { self.rawValue = rawValue }
   public static let privateKeyUsage = SecAccessControlCreateFlags(rawValue: 1), userPresence = SecAccessControlCreateFlags(rawValue: 2) }
public func SecAccessControlCreateWithFlags(_ a: Any?, _ p: CFTypeRef, _ f: SecAccessControlCreateFlags, _ e: UnsafeMutablePointer<Unmanaged<CFError>?>?) -> SecAccessControl? { nil }
public enum SecKeyAlgorithm { case ecdsaSignatureMessageX962SHA256, ecdhKeyExchangeStandard, eciesEncryptionCofactorX963SHA256AESGCM }
public func SecKeyCreateSignature(_ k: SecKey, _ a: SecKeyAlgorithm, _ d: CFData, _ e: UnsafeMutablePointer<Unmanaged<CFError>?>?) -> CFData? { nil }
public func SecKeyCreateEncryptedData(_ k: SecKey, _ a: SecKeyAlgorithm, _ d: CFData, _ e: UnsafeMutablePointer<Unmanaged<CFError>?>?) -> CFData? { nil }
public func SecKeyCreateDecryptedData(_ k: SecKey, _ a: SecKeyAlgorithm, _ d: CFData, _ e: UnsafeMutablePointer<Unmanaged<CFError>?>?) -> CFData? { nil }
public func SecKeyCopyKeyExchangeResult(_ k: SecKey, _ a: SecKeyAlgorithm, _ p: SecKey, _ d: CFDictionary, _ e: UnsafeMutablePointer<Unmanaged<CFError>?>?) -> CFData? { nil }
public func SecKeyCreateWithData(_ d: CFData, _ a: CFDictionary, _ e: UnsafeMutablePointer<Unmanaged<CFError>?>?) -> SecKey? { nil }
public func SecKeyCreateRandomKey(_ a: CFDictionary, _ e: UnsafeMutablePointer<Unmanaged<CFError>?>?) -> SecKey? { nil }
public func SecKeyCopyPublicKey(_ k: SecKey) -> SecKey? { nil }
public func SecKeyCopyExternalRepresentation(_ k: SecKey, _ e: UnsafeMutablePointer<Unmanaged<CFError>?>?) -> CFData? { nil }
public func SecItemCopyMatching(_ q: CFDictionary, _ r: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus { 0 }
public func SecItemDelete(_ q: CFDictionary) -> OSStatus { 0 }
public func CFGetTypeID(_ c: CFTypeRef) -> Int { 0 }
public func SecKeyGetTypeID() -> Int { 0 }
public func cf(_ d: Data) -> CFData { CFData() }
public func cf(_ d: [CFString: Any]) -> CFDictionary { CFDictionary() }
public func cf(_ d: [String: Any]) -> CFDictionary { CFDictionary() }
public func un(_ d: CFData?) -> Data? { nil }
