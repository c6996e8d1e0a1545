// Stand-in of CryptoKit: the names, labels and types that ios/ uses, and nothing behind them. For tests/ios/typecheck.sh only.
@_exported import Foundation
public struct SHA256Digest: Sequence { public func makeIterator() -> IndexingIterator<[UInt8]> { [].makeIterator() } }
public struct SHA256 { public init() {}
   public mutating func update<D: DataProtocol>(data: D) {}
   public func finalize() -> SHA256Digest { SHA256Digest() }
   public static func hash<D: DataProtocol>(data: D) -> SHA256Digest { SHA256Digest() } }
public enum P256 { public enum KeyAgreement { public struct PublicKey { public init<B: ContiguousBytes>(compactRepresentation: B) throws {}
   public var x963Representation: Data { Data() } } } }
