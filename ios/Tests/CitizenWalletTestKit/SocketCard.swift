import CitizenWalletCore
import Foundation
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A simulated card behind a loopback socket (`citizen-wallet chip sim`): frames of a 16-bit big-endian length and an APDU; length 0 resets the field.
public final class SocketCard: CardChannelPort, @unchecked Sendable {
    private static let most = 65_000

    // Guarded by `lock`; an exchange holds no lock, so that `cancel` can end it.
    private var descriptor: Int32 = -1
    private var port: UInt16
    private var loseAfter: Int?
    private var swapTo: UInt16?
    private var count = 0
    private let lock = NSLock()

    /// A card behind a port of 127.0.0.1. With `loseAfter`, the card is pulled away once after so many commands; with `swapTo`, the card that is
    /// then held again is the one behind that port.
    public init(port: UInt16, loseAfter: Int? = nil, swapTo: UInt16? = nil) throws {
        self.port = port
        self.loseAfter = loseAfter
        self.swapTo = swapTo
        try reconnect()
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Commands sent so far.
    public var exchanges: Int {
        lock.lock()
        defer { lock.unlock() }
        return count
    }

    /// Sends a command, gives the answer.
    public func transceive(command: Data) throws -> Data {
        guard command.count <= SocketCard.most else { throw ChannelFault.Other }
        let socket = take()
        guard socket >= 0 else { throw ChannelFault.CardLost }
        var frame = [UInt8(command.count >> 8), UInt8(command.count & 0xff)]
        frame.append(contentsOf: command)
        guard SocketCard.write(socket, frame), let head = SocketCard.read(socket, 2),
            let body = SocketCard.read(socket, Int(head[0]) << 8 | Int(head[1]))
        else {
            drop()
            throw ChannelFault.CardLost
        }
        return Data(body)
    }

    /// Extended length, as many cards have.
    public func capacity() throws -> ChannelCapacity {
        ChannelCapacity(maxCommand: UInt32(SocketCard.most), extended: true)
    }

    /// Ends a running exchange.
    public func cancel() throws {
        drop()
    }

    /// Holds a card again: it starts from its power-on state.
    public func reconnect() throws {
        drop()
        let socket = SocketCard.connect(to: currentPort())
        guard socket >= 0 else { throw ChannelFault.CardLost }
        guard SocketCard.write(socket, [0, 0]) else {
            close(socket)
            throw ChannelFault.CardLost
        }
        lock.lock()
        descriptor = socket
        lock.unlock()
    }

    private func currentPort() -> UInt16 {
        lock.lock()
        defer { lock.unlock() }
        return port
    }

    /// The socket for one exchange; -1 when the card is away.
    private func take() -> Int32 {
        lock.lock()
        count += 1
        var lose = false
        if let left = loseAfter, count > left {
            loseAfter = nil
            lose = true
            if let other = swapTo { port = other }
        }
        lock.unlock()
        if lose { drop() }
        lock.lock()
        defer { lock.unlock() }
        return descriptor
    }

    private func drop() {
        lock.lock()
        let old = descriptor
        descriptor = -1
        lock.unlock()
        if old >= 0 {
            // A reader in another thread wakes by the shutdown.
            _ = shutdown(old, Int32(SHUT_RDWR))
            close(old)
        }
    }

    private static func connect(to port: UInt16) -> Int32 {
        #if canImport(Glibc)
        let kind = Int32(SOCK_STREAM.rawValue)
        #else
        let kind = SOCK_STREAM
        #endif
        let made = socket(AF_INET, kind, 0)
        guard made >= 0 else { return -1 }
        #if canImport(Darwin)
        // There is no flag of `send` for it there.
        var on: Int32 = 1
        _ = setsockopt(made, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let done = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { system_connect(made, $0, size) }
        }
        if done != 0 {
            close(made)
            return -1
        }
        return made
    }

    private static func write(_ socket: Int32, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let part = bytes[sent...].withUnsafeBytes { send(socket, $0.baseAddress, $0.count, noSignal) }
            if part <= 0 { return false }
            sent += part
        }
        return true
    }

    private static func read(_ socket: Int32, _ count: Int) -> [UInt8]? {
        var out: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while out.count < count {
            let wanted = min(buffer.count, count - out.count)
            let part = buffer.withUnsafeMutableBytes { recv(socket, $0.baseAddress, wanted, 0) }
            if part <= 0 { return nil }
            out.append(contentsOf: buffer[0..<part])
        }
        return out
    }
}

#if os(Linux)
// MSG_NOSIGNAL, whose type in Swift differs between C libraries: a card that is gone is an error here, not a signal.
private let noSignal: Int32 = 0x4000
#else
private let noSignal: Int32 = 0
#endif

/// The system's `connect`, out of the reach of methods of the same name.
private func system_connect(_ socket: Int32, _ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> Int32 {
    connect(socket, address, size)
}
