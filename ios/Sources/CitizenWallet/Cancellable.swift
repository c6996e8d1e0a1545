import CitizenWalletCore
import Foundation

/// Runs work of the core so that cancelling the Swift task, or the handle, ends it.
///
/// `Task.cancel()` alone does not reach Rust: the handle does. Cancelled work throws `WalletError.Cancelled`, for which there is nothing to show;
/// what was done durably is kept.
///
/// - Parameters:
///   - handle: a handle of the caller's own, when a button shall cancel, too.
///   - work: gets the handle to pass on to the core.
public func cancellable<Value>(
    handle: CancelHandle = CancelHandle(),
    _ work: (CancelHandle) async throws -> Value
) async throws -> Value {
    try await withTaskCancellationHandler {
        try await work(handle)
    } onCancel: {
        handle.cancel()
    }
}

/// Runs quick but blocking work (opening a folder, decoding a picture) away from the main thread.
public func awayFromMain<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await Task.detached(priority: .userInitiated) { try work() }.value
}
