import CitizenWalletCore
import Foundation

/// Removing one side of the app from the phone, for good: its keys, and all its files.
enum Removal {
    // Longer than a port may hang.
    private static let attempts = 130
    private static let pauseNanoseconds: UInt64 = 100_000_000

    /// Removes keys and files of a side whose object is closed already.
    ///
    /// The keys first: without them the files say nothing, even those that flash memory keeps after their removal. When keys cannot be removed the files
    /// are, all the same, and the error says so afterwards. The folder itself stays, since it is the one that is left out of backups.
    ///
    /// - Parameters:
    ///   - probe: opens the folder and closes it again; as long as work of the old object goes on, that is `Storage("busy")`.
    static func remove(_ directory: URL, ports: DevicePorts, probe: @Sendable () throws -> Void) async throws {
        try await waitUntilFree(probe)
        var failed: Error?
        do {
            try forget(ports)
        } catch {
            failed = error
        }
        do {
            let files = FileManager.default
            if files.fileExists(atPath: directory.path) {
                for name in try files.contentsOfDirectory(atPath: directory.path) { try files.removeItem(at: directory.appendingPathComponent(name)) }
            }
        } catch {
            throw WalletError.Storage(reason: "disk")
        }
        if failed != nil { throw WalletError.Invalid(reason: "device-unavailable") }
    }

    private static func forget(_ ports: DevicePorts) throws {
        do {
            let names = try ports.keys.list()
            if !names.isEmpty { try ports.keys.delete(keys: names) }
        } catch PortFault.Unsupported {
            // A store that cannot list its keys cannot be asked to remove them; nobody knows their names any more.
        }
        try ports.forgetSeals()
    }

    /// Work that was under way ends at its next step with an error; until then it keeps the folder.
    private static func waitUntilFree(_ probe: @Sendable () throws -> Void) async throws {
        for _ in 0..<attempts {
            do {
                try probe()
                return
            } catch WalletError.Storage(reason: "busy") {
                try? await Task.sleep(nanoseconds: pauseNanoseconds)
            } catch {
                // Whatever else is wrong with it, it is free.
                return
            }
        }
        throw WalletError.Storage(reason: "busy")
    }
}
