// Stand-in of DeviceCheck: the names, labels and types that ios/ uses, and nothing behind them. For tests/ios/typecheck.sh only.
@_exported import Foundation
public final class DCAppAttestService { public static let shared = DCAppAttestService()
   public var isSupported: Bool { false }
   public func generateKey(completionHandler: @escaping (String?, Error?) -> Void) {}
   public func attestKey(_ k: String, clientDataHash: Data, completionHandler: @escaping (Data?, Error?) -> Void) {} }
