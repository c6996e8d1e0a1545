#if canImport(Darwin)
import CitizenWalletCore
import Foundation

/// Waits on a worker thread of the core for an answer that Apple's frameworks give on a queue of their own.
final class Waiting<Value>: @unchecked Sendable {
    private let ready = DispatchSemaphore(value: 0)
    // Guarded by `lock`; only the first answer counts.
    private var answer: Result<Value, Error>?
    private let lock = NSLock()

    /// The answer came.
    func give(_ result: Result<Value, Error>) {
        lock.lock()
        let first = answer == nil
        if first { answer = result }
        lock.unlock()
        if first { ready.signal() }
    }

    /// Waits for the answer; `TimedOut` when none comes.
    func take(seconds: Double) throws -> Value {
        guard ready.wait(timeout: .now() + seconds) == .success else { throw PortFault.TimedOut }
        lock.lock()
        let given = answer
        lock.unlock()
        guard let given else { throw PortFault.Unavailable }
        return try given.get()
    }
}
#endif
