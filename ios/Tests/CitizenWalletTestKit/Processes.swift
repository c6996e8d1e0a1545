// A phone starts no other programs: these run on Linux and on a Mac.
#if !os(iOS)
import Foundation

/// What a test could not do, in words.
public struct TestFailure: Error, CustomStringConvertible {
    /// The words.
    public let description: String

    /// A failure in words.
    public init(_ description: String) {
        self.description = description
    }
}

/// A process of the `citizen-wallet` binary that says `listening ADDRESS` when it is ready and ends when its standard input is closed.
public final class Helper {
    /// What it listens on, `host:port`.
    public let address: String
    private let process: Process
    private let input: Pipe

    /// Starts `binary` with arguments and waits until it is ready.
    public init(_ binary: URL, _ arguments: [String], log: URL) throws {
        process = Process()
        input = Pipe()
        let output = Pipe()
        process.executableURL = binary
        process.arguments = arguments + ["--until-stdin-closes"]
        process.standardInput = input
        process.standardOutput = output
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        process.standardError = try FileHandle(forWritingTo: log)
        try process.run()
        var heard = ""
        while true {
            let part = output.fileHandleForReading.availableData
            heard += String(decoding: part, as: UTF8.self)
            if let line = heard.split(separator: "\n", omittingEmptySubsequences: false).dropLast().first(where: { $0.hasPrefix("listening") }) {
                address = line.dropFirst("listening".count).trimmingCharacters(in: .whitespaces)
                return
            }
            if part.isEmpty {
                process.waitUntilExit()
                let told = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
                throw TestFailure("\(arguments.prefix(2)) ended before it was ready: \(told.suffix(400))")
            }
        }
    }

    deinit {
        stop()
    }

    /// The port it listens on.
    public var port: UInt16 {
        UInt16(address.split(separator: ":").last ?? "") ?? 0
    }

    /// Ends it and waits until it is gone, by force after 15 s.
    public func stop() {
        guard process.isRunning else { return }
        try? input.fileHandleForWriting.close()
        for _ in 0..<300 where process.isRunning { usleep(50_000) }
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
    }
}

/// Runs a command of the binary to its end; any exit code but 0 is an error.
@discardableResult
public func run(_ binary: URL, _ arguments: [String]) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = binary
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let told = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw TestFailure("\(arguments.prefix(2)): exit \(process.terminationStatus)") }
    return String(decoding: told, as: UTF8.self)
}

/// A folder that is gone at the end.
public final class Folder {
    /// Where it is.
    public let url: URL

    /// A new, empty folder.
    public init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("wallet-swift-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// A path in it.
    public func path(_ name: String) -> URL {
        url.appendingPathComponent(name)
    }
}

/// A real central service over loopback TLS: its folder, its address, its process while it runs.
public final class Central {
    /// The synthetic citizen of the tests.
    public static let citizen = "001090000123"
    /// The card access number: the end of the citizen's number.
    public static let can = "000123"

    /// `https://localhost:port`.
    public let url: String
    /// Its folder.
    public let folder: URL
    private let binary: URL
    private var helper: Helper?

    /// Makes a service in `folder`.
    public init(binary: URL, folder: URL) throws {
        self.binary = binary
        self.folder = folder
        url = "https://localhost:\(try freePort())"
        try run(binary, ["central", "init", "--dir", folder.path, "--public-url", url])
    }

    /// Starts it, if it is not running.
    public func start() throws {
        guard helper == nil else { return }
        let log = folder.appendingPathComponent("serve.log")
        helper = try Helper(binary, ["central", "serve", "--dir", folder.path, "--allow-software-keys"], log: log)
    }

    /// Stops it, if it is running.
    public func stop() {
        helper?.stop()
        helper = nil
    }

    /// A one-time code for a staff device.
    public func staffCode(role: String, organisation: String, place: String) throws -> String {
        let told = try run(
            binary, ["central", "staff-code", "--dir", folder.path, "--role", role, "--organisation", organisation, "--place", place])
        return told.split(whereSeparator: { $0.isWhitespace }).last.map(String.init) ?? ""
    }

    /// Suspends a document of the citizen.
    public func suspend(_ document: String) throws {
        try run(binary, ["central", "suspend", "--dir", folder.path, "--citizen", Central.citizen, "--document", document])
    }

    /// Publishes trust and lists anew, as a running service does from time to time.
    public func republish() throws {
        try run(binary, ["central", "republish", "--dir", folder.path])
    }

    /// The newest one-time code, as the citizen's telephone gets it.
    public func newestCode() throws -> String {
        let spool = folder.appendingPathComponent("spool")
        for _ in 0..<200 {
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: spool.path)) ?? []).filter { $0.hasSuffix(".json") }.sorted()
            for name in names.reversed() {
                guard let data = try? Data(contentsOf: spool.appendingPathComponent(name)),
                    let message = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
                else { continue }
                // Not every message carries a code.
                if let code = message["code"] as? String, !code.isEmpty { return code }
            }
            usleep(50_000)
        }
        throw TestFailure("no code came")
    }
}
#endif
