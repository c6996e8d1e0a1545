#if canImport(os)
import CitizenWalletCore
import Foundation
import os

/// The core's own log lines in the system's log. They hold no personal data; keep an object of this for as long as the app runs.
public final class SystemLog: ListenerPort, @unchecked Sendable {
    private let logger = os.Logger(subsystem: "vn.citizenwallet", category: "core")

    /// A sink for `traceTo`.
    public init() {}

    /// Not asked of a log.
    public func progress(progress: CitizenWalletCore.ProgressView) throws {}

    /// Not asked of a log.
    public func stateChanged(subject: String, state: String) throws {}

    /// Writes a line.
    public func log(level: String, target: String, text: String) throws {
        switch level {
        case "error": logger.error("\(target, privacy: .public) \(text, privacy: .public)")
        case "warn": logger.warning("\(target, privacy: .public) \(text, privacy: .public)")
        case "info": logger.info("\(target, privacy: .public) \(text, privacy: .public)")
        default: logger.debug("\(target, privacy: .public) \(text, privacy: .public)")
        }
    }
}
#endif
