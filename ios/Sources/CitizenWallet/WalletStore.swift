import CitizenWalletCore
import Foundation

/// The one owner of the wallet in a process. All windows share it.
///
/// It opens the folder at the first use, locks the wallet when no window was in front for longer than the grace, at once when the phone is locked,
/// and closes it at the end.
public actor WalletStore {
    private let config: WalletConfig
    private let ports: DevicePorts
    private let listener: ListenerPort?
    private let graceMillis: UInt64
    private var opened: Wallet?
    private var ended = false
    private var inFront: Set<String> = []
    private var leftAt: UInt64?
    private var waiting: Task<Void, Never>?
    private var removing: Task<Void, Error>?

    /// A store of a folder.
    ///
    /// - Parameters:
    ///   - graceMillis: how long the app may be away before the wallet is locked.
    public init(config: WalletConfig, ports: DevicePorts, listener: ListenerPort?, graceMillis: UInt64 = 20_000) {
        self.config = config
        self.ports = ports
        self.listener = listener
        self.graceMillis = graceMillis
    }

    /// The wallet; opened now when it is not open. Touches the disk, never the network. `Closed` after `close`.
    public func wallet() async throws -> Wallet {
        // Nobody comes upon a folder that is being emptied.
        while let removing { _ = await removing.result }
        if ended { throw WalletError.Closed }
        if let opened, opened.state() != .closed { return opened }
        let made = try open(listener: listener)
        opened = made
        return made
    }

    /// Removes the wallet with its documents, its log and its keys, for good; the next `wallet()` is a new one. Works whatever state the folder is in and
    /// is not stopped halfway. `Storage` when files could not be removed, `Invalid` when keys could not; what could be removed is.
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

    /// A window came to the front. Locks first when the app was away for too long.
    ///
    /// - Returns: the state of the wallet that the window now shows.
    public func sceneEntered(_ scene: String) async throws -> WalletState {
        waiting?.cancel()
        waiting = nil
        if let left = leftAt, elapsed(since: left) >= graceMillis { lockNow() }
        leftAt = nil
        inFront.insert(scene)
        return try await wallet().state()
    }

    /// A window went to the back or was closed. The last one starts the grace.
    public func sceneLeft(_ scene: String) {
        inFront.remove(scene)
        guard inFront.isEmpty, leftAt == nil else { return }
        leftAt = now()
        let grace = graceMillis
        // The system may stop the process before the grace is over; then `sceneEntered` locks.
        waiting = Task { [weak self] in
            try? await Task.sleep(nanoseconds: grace * 1_000_000)
            guard !Task.isCancelled else { return }
            await self?.graceEnded()
        }
    }

    /// The phone itself was locked: so is the wallet, at once.
    public func deviceLocked() {
        lockNow()
    }

    /// Locks the wallet, also one that is just being opened. Work under way ends by itself with an error that says so; what was done durably is kept.
    public func lockNow() {
        try? opened?.lock()
    }

    /// Closes the wallet for good: the process ends, or another owner takes the folder.
    public func close() {
        ended = true
        waiting?.cancel()
        waiting = nil
        try? opened?.close()
        opened = nil
    }

    private nonisolated func open(listener: ListenerPort?) throws -> Wallet {
        try Wallet.open(config: config, keys: ports.keys, sealer: ports.sealer, clock: ports.clock, listener: listener)
    }

    private func graceEnded() {
        guard inFront.isEmpty, leftAt != nil else { return }
        lockNow()
    }

    /// Milliseconds of a clock that counts sleep; a clock that fails counts as endless time away.
    private func now() -> UInt64? {
        try? ports.clock.monotonicMillis()
    }

    private func elapsed(since left: UInt64) -> UInt64 {
        guard let now = now(), now >= left else { return UInt64.max }
        return now - left
    }
}
