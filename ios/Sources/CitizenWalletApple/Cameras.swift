#if os(iOS) && canImport(AVFoundation) && canImport(UIKit)
import AVFoundation
import CitizenWallet
import Foundation
import UIKit

/// May the app use the camera? Asks the person once.
public enum CameraPermission {
    /// Nothing when it may; otherwise the id of the problem to show: `no-camera` or `camera-refused`.
    public static func missing(front: Bool) async -> String? {
        guard AVCaptureDevice.default(.builtInWideAngleCamera, for: .video, position: front ? .front : .back) != nil else { return "no-camera" }
        switch AVCaptureDevice.authorizationStatus(for: .video) {
        case .authorized: return nil
        case .notDetermined: return await AVCaptureDevice.requestAccess(for: .video) ? nil : "camera-refused"
        default: return "camera-refused"
        }
    }
}

/// The back camera as brightness, for QR codes. No picture is kept.
public final class QRCamera: NSObject, AVCaptureVideoDataOutputSampleBufferDelegate, @unchecked Sendable {
    /// What the screen shows.
    public let session = AVCaptureSession()
    private let queue = DispatchQueue(label: "vn.citizenwallet.scan")
    private let saw: @Sendable (LumaFrame) -> Void

    /// A camera that tells every picture to `saw`, on a queue of its own.
    public init(saw: @escaping @Sendable (LumaFrame) -> Void) {
        self.saw = saw
        super.init()
    }

    /// Starts; does nothing without a camera (ask `CameraPermission` first).
    public func start() {
        queue.async {
            if self.session.inputs.isEmpty { self.connect() }
            self.session.startRunning()
        }
    }

    /// Stops.
    public func stop() {
        queue.async { self.session.stopRunning() }
    }

    /// A picture came: the first plane of the bi-planar format is brightness.
    public func captureOutput(_ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection) {
        guard let picture = CMSampleBufferGetImageBuffer(sampleBuffer) else { return }
        CVPixelBufferLockBaseAddress(picture, .readOnly)
        defer { CVPixelBufferUnlockBaseAddress(picture, .readOnly) }
        guard let base = CVPixelBufferGetBaseAddressOfPlane(picture, 0) else { return }
        let width = CVPixelBufferGetWidthOfPlane(picture, 0)
        let height = CVPixelBufferGetHeightOfPlane(picture, 0)
        let stride = CVPixelBufferGetBytesPerRowOfPlane(picture, 0)
        var luma = Data(capacity: width * height)
        for row in 0..<height {
            luma.append(base.advanced(by: row * stride).assumingMemoryBound(to: UInt8.self), count: width)
        }
        saw(LumaFrame(width: width, height: height, luma: luma))
    }

    private func connect() {
        guard let device = AVCaptureDevice.default(.builtInWideAngleCamera, for: .video, position: .back),
            let input = try? AVCaptureDeviceInput(device: device)
        else { return }
        let output = AVCaptureVideoDataOutput()
        output.videoSettings = [kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_420YpCbCr8BiPlanarFullRange]
        output.alwaysDiscardsLateVideoFrames = true
        output.setSampleBufferDelegate(self, queue: queue)
        session.beginConfiguration()
        if session.canSetSessionPreset(.hd1280x720) { session.sessionPreset = .hd1280x720 }
        if session.canAddInput(input) { session.addInput(input) }
        if session.canAddOutput(output) { session.addOutput(output) }
        session.commitConfiguration()
    }
}

/// The front camera for the picture of the holder's face. The picture goes to the core and is not kept.
///
/// The camera's own picture lies on its side and says so in its metadata, together with much else, and may be larger than what the service takes: what is
/// handed on is drawn anew, upright, smaller, without metadata.
public final class FaceCamera: NSObject, AVCapturePhotoCaptureDelegate, @unchecked Sendable {
    /// What the screen shows.
    public let session = AVCaptureSession()
    private let queue = DispatchQueue(label: "vn.citizenwallet.face")
    private static let mostPoints: CGFloat = 1280
    private let output = AVCapturePhotoOutput()
    // Guarded by `lock`.
    private var taken: (@Sendable (Data?) -> Void)?
    private let lock = NSLock()

    /// A camera that is not running yet.
    override public init() {
        super.init()
    }

    /// Starts; does nothing without a camera (ask `CameraPermission` first).
    public func start() {
        queue.async {
            if self.session.inputs.isEmpty { self.connect() }
            self.session.startRunning()
        }
    }

    /// Stops.
    public func stop() {
        queue.async { self.session.stopRunning() }
    }

    /// Takes one picture: JPEG, or nothing when the camera failed.
    public func take(_ done: @escaping @Sendable (Data?) -> Void) {
        lock.lock()
        taken = done
        lock.unlock()
        queue.async {
            // Without a connection the framework ends the program.
            guard self.session.isRunning, self.output.connection(with: .video)?.isActive == true else {
                self.answer(nil)
                return
            }
            self.output.capturePhoto(with: AVCapturePhotoSettings(format: [AVVideoCodecKey: AVVideoCodecType.jpeg]), delegate: self)
        }
    }

    /// The picture came.
    public func photoOutput(_ output: AVCapturePhotoOutput, didFinishProcessingPhoto photo: AVCapturePhoto, error: Error?) {
        answer(error == nil ? photo.fileDataRepresentation().flatMap { FaceCamera.upright($0) } : nil)
    }

    private static func upright(_ taken: Data) -> Data? {
        guard let picture = UIImage(data: taken), picture.size.width > 0, picture.size.height > 0 else { return nil }
        let scale = min(1, mostPoints / max(picture.size.width, picture.size.height))
        let size = CGSize(width: (picture.size.width * scale).rounded(), height: (picture.size.height * scale).rounded())
        let format = UIGraphicsImageRendererFormat()
        format.scale = 1
        format.opaque = true
        return UIGraphicsImageRenderer(size: size, format: format).jpegData(withCompressionQuality: 0.9) { _ in
            picture.draw(in: CGRect(origin: .zero, size: size))
        }
    }

    private func answer(_ picture: Data?) {
        lock.lock()
        let told = taken
        taken = nil
        lock.unlock()
        told?(picture)
    }

    private func connect() {
        guard let device = AVCaptureDevice.default(.builtInWideAngleCamera, for: .video, position: .front),
            let input = try? AVCaptureDeviceInput(device: device)
        else { return }
        session.beginConfiguration()
        if session.canSetSessionPreset(.photo) { session.sessionPreset = .photo }
        if session.canAddInput(input) { session.addInput(input) }
        if session.canAddOutput(output) { session.addOutput(output) }
        session.commitConfiguration()
    }
}
#endif
