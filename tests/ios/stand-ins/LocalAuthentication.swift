// Stand-in of LocalAuthentication: the names, labels and types that ios/ uses, and nothing behind them. For tests/ios/typecheck.sh only.
@_exported import Foundation
import Security
public struct LAError: Error { public static let errorDomain = "x"
   public enum Code: Int { case authenticationFailed = -1, userCancel = -2, userFallback = -3, systemCancel = -4, passcodeNotSet = -5, appCancel = -9, invalidContext = -10, notInteractive = -1004 } }
public enum LAPolicy { case deviceOwnerAuthentication }
public enum LAAccessControlOperation { case useKeySign }
public final class LAContext { public init() {}
   public func invalidate() {}
   public func canEvaluatePolicy(_ p: LAPolicy, error: UnsafeMutablePointer<NSError?>?) -> Bool { false }
 public func evaluateAccessControl(_ a: SecAccessControl, operation: LAAccessControlOperation, localizedReason: String, reply: @escaping (Bool, Error?) -> Void) {} }
