import CitizenWalletCore
import Foundation

/// What the core tells while it works.
public enum WalletEvent: Equatable, Sendable {
    /// Long work moved on.
    case progress(CitizenWalletCore.ProgressView)
    /// Something changed: what, and its state, both fixed words.
    case state(subject: String, state: String)
}

/// Hears the core on its own threads and hands everything on, in order, to whoever reads a stream.
///
/// The core calls a listener one message at a time and waits for it, so nothing here takes long, throws, or calls back.
public final class EventHub: ListenerPort, @unchecked Sendable {
    // Guarded by `lock`.
    private var readers: [Int: AsyncStream<WalletEvent>.Continuation] = [:]
    private var next = 0
    private let lock = NSLock()

    /// A hub nobody reads yet.
    public init() {}

    /// A stream of all that comes from now on; ends with `finish` or when its reader stops.
    ///
    /// Only the newest 256 messages wait for a slow reader: an older step of a reading is worth nothing.
    public func events() -> AsyncStream<WalletEvent> {
        AsyncStream(bufferingPolicy: .bufferingNewest(256)) { continuation in
            let id = add(continuation)
            continuation.onTermination = { [weak self] _ in self?.remove(id) }
        }
    }

    /// Ends all streams.
    public func finish() {
        lock.lock()
        let ended = Array(readers.values)
        readers = [:]
        lock.unlock()
        for reader in ended { reader.finish() }
    }

    /// Long work moved on.
    public func progress(progress: CitizenWalletCore.ProgressView) throws {
        tell(.progress(progress))
    }

    /// Something changed.
    public func stateChanged(subject: String, state: String) throws {
        tell(.state(subject: subject, state: state))
    }

    /// Log lines of one object go nowhere; `traceTo` gives those of the whole library.
    public func log(level: String, target: String, text: String) throws {}

    private func tell(_ event: WalletEvent) {
        lock.lock()
        let now = Array(readers.values)
        lock.unlock()
        for reader in now { reader.yield(event) }
    }

    private func add(_ reader: AsyncStream<WalletEvent>.Continuation) -> Int {
        lock.lock()
        defer { lock.unlock() }
        next += 1
        readers[next] = reader
        return next
    }

    private func remove(_ id: Int) {
        lock.lock()
        readers[id] = nil
        lock.unlock()
    }
}
