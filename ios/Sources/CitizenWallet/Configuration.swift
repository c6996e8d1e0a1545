import CitizenWalletCore
import Foundation

/// The central service an app is built for: its address and the two roots it is believed by. Nothing here is secret.
public struct ServiceConfiguration: Equatable, Sendable {
    /// `https://host[:port]`.
    public let serviceUrl: String
    /// DER of the one TLS root the service is trusted by.
    public let tlsRoot: Data
    /// `root.json` of the trust repository.
    public let trustRoot: Data
    /// Lowest trust snapshot version this build accepts.
    public let trustFloor: UInt64

    /// A service by its parts.
    public init(serviceUrl: String, tlsRoot: Data, trustRoot: Data, trustFloor: UInt64) {
        self.serviceUrl = serviceUrl
        self.tlsRoot = tlsRoot
        self.trustRoot = trustRoot
        self.trustFloor = trustFloor
    }

    private struct File: Decodable {
        let service_url: String
        let trust_floor: UInt64
    }

    /// Reads `service.json` (`service_url`, `trust_floor`), `tls-root.der` and `root.json` of a folder.
    public init(folder: URL) throws {
        let file = try JSONDecoder().decode(File.self, from: Data(contentsOf: folder.appendingPathComponent("service.json")))
        self.init(
            serviceUrl: file.service_url,
            tlsRoot: try Data(contentsOf: folder.appendingPathComponent("tls-root.der")),
            trustRoot: try Data(contentsOf: folder.appendingPathComponent("root.json")),
            trustFloor: file.trust_floor
        )
    }

    /// The configuration of a wallet in `directory`.
    public func wallet(in directory: URL) -> WalletConfig {
        WalletConfig(directory: directory.path, serviceUrl: serviceUrl, tlsRoot: tlsRoot, trustRoot: trustRoot, trustFloor: trustFloor)
    }

    /// The configuration of a staff device in `directory`.
    public func verifier(in directory: URL) -> VerifierConfig {
        VerifierConfig(directory: directory.path, serviceUrl: serviceUrl, tlsRoot: tlsRoot, trustRoot: trustRoot, trustFloor: trustFloor)
    }
}

/// The ports of one side of the app. A wallet and a staff device have a key store each: a store serves one of them.
public struct DevicePorts: Sendable {
    /// Keys that never leave the device.
    public let keys: KeyStorePort
    /// Seals shares of the database keys.
    public let sealer: DeviceSealerPort
    /// The phone's clocks.
    public let clock: ClockPort
    /// Removes the keys that `sealer` made: what it sealed cannot be opened any more.
    public let forgetSeals: @Sendable () throws -> Void

    /// Ports by their parts.
    public init(keys: KeyStorePort, sealer: DeviceSealerPort, clock: ClockPort, forgetSeals: @escaping @Sendable () throws -> Void) {
        self.keys = keys
        self.sealer = sealer
        self.clock = clock
        self.forgetSeals = forgetSeals
    }
}
