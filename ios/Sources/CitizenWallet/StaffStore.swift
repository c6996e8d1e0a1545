import CitizenWalletCore
import Foundation

/// The one owner of the staff side in a process: its own folder, its own keys.
public actor StaffStore {
    private let config: VerifierConfig
    private let ports: DevicePorts
    private let listener: ListenerPort?
    private var opened: Verifier?
    private var removing: Task<Void, Error>?

    /// A staff device in a folder of its own.
    public init(config: VerifierConfig, ports: DevicePorts, listener: ListenerPort?) {
        self.config = config
        self.ports = ports
        self.listener = listener
    }

    /// Something is stored here: the staff side was looked at, or is in use.
    public nonisolated var isUsed: Bool {
        let names = try? FileManager.default.contentsOfDirectory(atPath: config.directory)
        return !(names ?? []).isEmpty
    }

    /// The staff device; opened now when it is not open. Touches the disk, never the network.
    public func verifier() async throws -> Verifier {
        // Nobody comes upon a folder that is being emptied.
        while let removing { _ = await removing.result }
        if let opened { return opened }
        let made = try open(listener: listener)
        opened = made
        return made
    }

    /// Removes the staff device with its certificate, its lists and its keys, for good; the next `verifier()` is a new one. Otherwise as `WalletStore.remove`.
    public func remove() async throws {
        if let removing { return try await removing.value }
        try? opened?.close()
        opened = nil
        let directory = URL(fileURLWithPath: config.directory)
        let ports = self.ports
        let work = Task {
            do {
                try await Removal.remove(directory, ports: ports) { try self.open(listener: nil).close() }
            } catch {
                removing = nil
                throw error
            }
            removing = nil
        }
        removing = work
        try await work.value
    }

    /// Closes it with every open request; the next use opens it anew.
    public func close() {
        try? opened?.close()
        opened = nil
    }

    private nonisolated func open(listener: ListenerPort?) throws -> Verifier {
        try Verifier.open(config: config, keys: ports.keys, sealer: ports.sealer, clock: ports.clock, listener: listener)
    }
}
