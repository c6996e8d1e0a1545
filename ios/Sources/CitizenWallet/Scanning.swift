import CitizenWalletCore
import Foundation

/// One picture of the camera: brightness only, row by row, one byte a point.
public struct LumaFrame: Sendable {
    /// Points of a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// `width * height` bytes.
    public let luma: Data

    /// A picture by its parts.
    public init(width: Int, height: Int, luma: Data) {
        self.width = width
        self.height = height
        self.luma = luma
    }
}

/// Looking for a QR code with the camera. What a code means is the core's to say: the first text found goes to it as it is.
@MainActor
public final class ScanModel: Observed {
    /// Nothing more is looked at until `again`.
    public private(set) var paused = false { willSet { changed() } }
    /// What went wrong.
    public private(set) var problem: Problem? { willSet { changed() } }

    private var looking = false
    private let take: @MainActor (String) async throws -> Void

    /// A scan that gives what it finds to `take`, which throws when the core refuses it.
    public init(take: @escaping @MainActor (String) async throws -> Void) {
        self.take = take
    }

    /// The camera saw something. Frames that come while another one is looked at are dropped.
    public func saw(_ frame: LumaFrame) async {
        guard !looking, !paused, frame.width > 0, frame.height > 0 else { return }
        looking = true
        defer { looking = false }
        let width = UInt32(frame.width)
        let height = UInt32(frame.height)
        let luma = frame.luma
        // A picture without a code is the usual case, not a problem.
        let texts = (try? await awayFromMain { try qrDecodeLuma(width: width, height: height, luma: luma) }) ?? []
        if let text = texts.first { await found(text) }
    }

    /// A picture was chosen instead of the camera: PNG.
    public func chose(png: Data) async {
        guard !looking else { return }
        looking = true
        defer { looking = false }
        again()
        do {
            guard let text = try await awayFromMain({ try qrDecodePng(bytes: png) }).first else { return phoneCannot("scan.nothing") }
            await found(text)
        } catch {
            problem = Problem(error)
            paused = true
        }
    }

    /// The phone cannot look through its camera, so that a picture is offered instead.
    public var needsPicture: Bool {
        ["camera-refused", "no-camera"].contains(problem?.view.id ?? "")
    }

    /// A text was read (by the camera, or handed over by another app).
    public func found(_ text: String) async {
        guard !paused else { return }
        paused = true
        do {
            try await take(text)
        } catch {
            problem = Problem(error)
        }
    }

    /// The phone cannot scan now: `camera-refused`, `no-camera`; or there was nothing to be seen.
    public func phoneCannot(_ id: String) {
        problem = Problem(id: id)
        paused = true
    }

    /// Looks again.
    public func again() {
        problem = nil
        paused = false
    }
}
