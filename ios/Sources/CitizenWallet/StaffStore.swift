import CitizenWalletCore
import Foundation

/// The one owner of the staff side in a process: its own folder, its own keys.
public actor StaffStore {
    private let config: VerifierConfig
    private let ports: DevicePorts
    private let listener: ListenerPort?
    private var opened: Verifier?

    /// A staff device in a folder of its own.
    public init(config: VerifierConfig, ports: DevicePorts, listener: ListenerPort?) {
        self.config = config
        self.ports = ports
        self.listener = listener
    }

    /// The staff device; opened now when it is not open. Touches the disk, never the network.
    public func verifier() throws -> Verifier {
        if let opened { return opened }
        let made = try Verifier.open(config: config, keys: ports.keys, sealer: ports.sealer, clock: ports.clock, listener: listener)
        opened = made
        return made
    }

    /// Closes it with every open request; the next use opens it anew.
    public func close() {
        try? opened?.close()
        opened = nil
    }
}
