#if canImport(Darwin)
import CitizenWalletCore
import Foundation
#if canImport(CryptoKit)
import CryptoKit
#endif
#if canImport(DeviceCheck)
import DeviceCheck
#endif

/// What speaks for new keys towards the central service. Opaque to the core.
public protocol KeyEvidence: AnyObject, Sendable {
    /// Evidence over a challenge and the points (SEC 1 uncompressed) of all new keys.
    func over(challenge: Data, points: [Data]) throws -> Data
}

#if canImport(CryptoKit) && canImport(DeviceCheck)
/// App Attest: Apple says that this very app on a genuine device made the statement. The statement is the SHA-256 over label, challenge and points.
///
/// The reference service does not judge this format yet; it refuses it by name.
public final class AppAttestEvidence: KeyEvidence, @unchecked Sendable {
    private static let label = Data("wallet-app-attest-evidence-v1".utf8)

    private struct Statement: Encodable {
        let fmt = "apple-app-attest"
        let challenge: String
        let points: [String]
        let key_id: String
        let attestation: String
    }

    /// Evidence by the phone's App Attest service.
    public init() {}

    /// Asks Apple's service; needs a network, as all work that makes keys does.
    public func over(challenge: Data, points: [Data]) throws -> Data {
        let service = DCAppAttestService.shared
        guard service.isSupported else { throw PortFault.Unsupported }
        var hash = SHA256()
        hash.update(data: AppAttestEvidence.label)
        hash.update(data: challenge)
        for point in points { hash.update(data: point) }
        let digest = Data(hash.finalize())

        let named = Waiting<String>()
        service.generateKey { key, error in
            if let key { named.give(.success(key)) } else { named.give(.failure(error ?? PortFault.Unavailable)) }
        }
        let key = try AppAttestEvidence.port { try named.take(seconds: 4) }
        let attested = Waiting<Data>()
        service.attestKey(key, clientDataHash: digest) { statement, error in
            if let statement { attested.give(.success(statement)) } else { attested.give(.failure(error ?? PortFault.Unavailable)) }
        }
        let attestation = try AppAttestEvidence.port { try attested.take(seconds: 5) }
        return try JSONEncoder().encode(
            Statement(
                challenge: challenge.base64EncodedString(),
                points: points.map { $0.base64EncodedString() },
                key_id: key,
                attestation: attestation.base64EncodedString()
            )
        )
    }

    /// Only faults that the core knows cross the border.
    private static func port<Value>(_ work: () throws -> Value) throws -> Value {
        do {
            return try work()
        } catch let fault as PortFault {
            throw fault
        } catch {
            throw PortFault.Unavailable
        }
    }
}
#endif
#endif
