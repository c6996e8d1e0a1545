#if canImport(Security) && canImport(LocalAuthentication)
import CitizenWalletCore
import Foundation
import LocalAuthentication
import Security

/// What Apple's errors mean to the core.
enum AppleFault {
    /// Without a screen lock the phone keeps no key that waits for its owner.
    static func requireScreenLock() throws {
        var failure: NSError?
        guard !LAContext().canEvaluatePolicy(.deviceOwnerAuthentication, error: &failure) else { return }
        if let failure, failure.code == LAError.Code.passcodeNotSet.rawValue { throw PortFault.NoSecureLock }
        throw PortFault.Unavailable
    }

    /// A status of the keychain.
    static func port(_ status: OSStatus) -> PortFault {
        switch status {
        case errSecItemNotFound: return .KeyInvalidated
        case errSecUserCanceled: return .Cancelled
        case errSecAuthFailed: return .NotAuthorised
        case errSecDiskFull: return .NoSpace
        default: return .Unavailable
        }
    }

    /// An error of a key's use.
    static func port(_ failure: Unmanaged<CFError>?) -> PortFault {
        guard let failure else { return .Unavailable }
        return port(failure.takeRetainedValue() as Error)
    }

    /// An error of a prompt.
    static func port(_ error: Error?) -> PortFault {
        guard let error = error as NSError? else { return .Unavailable }
        if error.domain == NSOSStatusErrorDomain, let status = OSStatus(exactly: error.code) { return port(status) }
        guard error.domain == LAError.errorDomain, let code = LAError.Code(rawValue: error.code) else { return .Unavailable }
        switch code {
        case .userCancel, .appCancel, .systemCancel, .userFallback: return .Cancelled
        case .passcodeNotSet: return .NoSecureLock
        case .authenticationFailed, .notInteractive: return .NotAuthorised
        default: return .Unavailable
        }
    }
}
#endif
