// A phone starts no service: for Linux and the Mac.
#if !os(iOS)
import Foundation
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A TCP port of 127.0.0.1 that was free a moment ago.
func freePort() throws -> UInt16 {
    #if canImport(Glibc)
    let kind = Int32(SOCK_STREAM.rawValue)
    #else
    let kind = SOCK_STREAM
    #endif
    let made = socket(AF_INET, kind, 0)
    guard made >= 0 else { throw TestFailure("no socket") }
    defer { close(made) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(made, $0, size) }
    }
    let named = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(made, $0, &size) }
    }
    guard bound == 0, named == 0 else { throw TestFailure("no free port") }
    return UInt16(bigEndian: address.sin_port)
}
#endif
