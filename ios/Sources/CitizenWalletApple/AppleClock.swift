#if canImport(Darwin)
import CitizenWalletCore
import Darwin
import Foundation

/// The phone's clocks.
public final class AppleClock: ClockPort, @unchecked Sendable {
    /// The clocks.
    public init() {}

    /// Seconds since 1970-01-01 UTC.
    public func wallSeconds() throws -> Int64 {
        Int64(Date().timeIntervalSince1970)
    }

    /// Milliseconds of `CLOCK_MONOTONIC`, which on Apple's systems goes on while the phone sleeps.
    public func monotonicMillis() throws -> UInt64 {
        var now = timespec()
        guard clock_gettime(CLOCK_MONOTONIC, &now) == 0 else { throw PortFault.Unavailable }
        return UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
    }

    /// The system's own name of this start.
    public func bootId() throws -> String {
        var size = 0
        guard sysctlbyname("kern.bootsessionuuid", nil, &size, nil, 0) == 0, size > 1 else { throw PortFault.Unavailable }
        var name = [CChar](repeating: 0, count: size)
        guard sysctlbyname("kern.bootsessionuuid", &name, &size, nil, 0) == 0 else { throw PortFault.Unavailable }
        return String(cString: name)
    }
}
#endif
