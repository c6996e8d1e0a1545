import CitizenWalletCore
import Foundation

/// What a screen does one thing at a time: it says that it is busy, says what went wrong, and can be stopped. Every model with work is one.
@MainActor
public class WorkModel: Observed {
    /// Something is under way.
    public private(set) var busy = false { willSet { changed() } }
    /// It takes so long that a person may want to stop it: the screen offers that now.
    public private(set) var slow = false { willSet { changed() } }
    /// What went wrong; nothing when a person stopped the work.
    public internal(set) var problem: Problem? { willSet { changed() } }

    private static let patienceNanoseconds: UInt64 = 500_000_000
    private static var running: [ObjectIdentifier: CancelHandle] = [:]
    private var handle: CancelHandle?

    /// Stops what is under way; what was done durably is kept.
    public func cancel() {
        handle?.cancel()
    }

    /// The problem was read.
    public func dismiss() {
        problem = nil
    }

    /// Stops all work of the app but the one of this handle.
    static func stopAll(but own: CancelHandle) {
        for (id, handle) in running where id != ObjectIdentifier(own) { handle.cancel() }
    }

    /// Does `act`, which passes its handle on to the core. While other work is under way nothing happens: pressing twice does nothing twice.
    ///
    /// - Returns: true when it came to its end; otherwise `problem` says why, or a person stopped it.
    @discardableResult
    func work(_ act: (CancelHandle) async throws -> Void) async -> Bool {
        guard !busy else { return false }
        busy = true
        problem = nil
        let running = CancelHandle()
        handle = running
        WorkModel.running[ObjectIdentifier(running)] = running
        let waiting = Task { [weak self] in
            try? await Task.sleep(nanoseconds: WorkModel.patienceNanoseconds)
            guard !Task.isCancelled else { return }
            self?.slow = true
        }
        defer {
            waiting.cancel()
            slow = false
            busy = false
            handle = nil
            WorkModel.running[ObjectIdentifier(running)] = nil
        }
        do {
            try await cancellable(handle: running, act)
            return true
        } catch {
            problem = Problem(error)
            return false
        }
    }
}
