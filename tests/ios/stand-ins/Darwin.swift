// Stand-in of Darwin: the names, labels and types that ios/ uses, and nothing behind them. For tests/ios/typecheck.sh only.
@_exported import Glibc
public func sysctlbyname(_ n: String, _ a: UnsafeMutableRawPointer?, _ s: UnsafeMutablePointer<Int>?, _ b: UnsafeMutableRawPointer?, _ c: Int) -> Int32 { 0 }
