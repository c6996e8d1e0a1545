// Stand-in of AVFoundation: the names, labels and types that ios/ uses, and nothing behind them. For tests/ios/typecheck.sh only.
@_exported import Foundation
import UIKit
open class AVCaptureInput {}
open class AVCaptureOutput { public func connection(with m: AVCaptureDevice.MediaType) -> AVCaptureConnection? { nil } }
public final class AVCaptureConnection { public var isActive: Bool { false } }
public final class CMSampleBuffer {}
public final class CVPixelBuffer {}
public struct LockFlags { public static let readOnly = LockFlags() }
public func CMSampleBufferGetImageBuffer(_ b: CMSampleBuffer) -> CVPixelBuffer? { nil }
public func CVPixelBufferLockBaseAddress(_ p: CVPixelBuffer, _ f: LockFlags) {}
public func CVPixelBufferUnlockBaseAddress(_ p: CVPixelBuffer, _ f: LockFlags) {}
public func CVPixelBufferGetBaseAddressOfPlane(_ p: CVPixelBuffer, _ i: Int) -> UnsafeMutableRawPointer? { nil }
public func CVPixelBufferGetWidthOfPlane(_ p: CVPixelBuffer, _ i: Int) -> Int { 0 }
public func CVPixelBufferGetHeightOfPlane(_ p: CVPixelBuffer, _ i: Int) -> Int { 0 }
public func CVPixelBufferGetBytesPerRowOfPlane(_ p: CVPixelBuffer, _ i: Int) -> Int { 0 }
public let kCVPixelBufferPixelFormatTypeKey = "x"
public let kCVPixelFormatType_420YpCbCr8BiPlanarFullRange: UInt32 = 0
public final class AVCaptureDevice { public enum DeviceType { case builtInWideAngleCamera }
   public enum Position { case front, back }
   public struct MediaType { public static let video = MediaType() }
 public enum Status { case authorized, notDetermined, denied, restricted }
 public static func `default`(_ t: DeviceType, for m: MediaType?, position: Position) -> AVCaptureDevice? { nil }
 public static func authorizationStatus(for m: MediaType) -> Status { .denied }
 public static func requestAccess(for m: MediaType) async -> Bool { false } }
public final class AVCaptureDeviceInput: AVCaptureInput { public init(device: AVCaptureDevice) throws {} }
public protocol AVCaptureVideoDataOutputSampleBufferDelegate: NSObject { func captureOutput(_ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection) }
public final class AVCaptureVideoDataOutput: AVCaptureOutput { override public init() {}
   public var videoSettings: [String: Any]!
   public var alwaysDiscardsLateVideoFrames = true
   public func setSampleBufferDelegate(_ d: AVCaptureVideoDataOutputSampleBufferDelegate?, queue: DispatchQueue?) {} }
public final class AVCaptureSession { public init() {}
   public struct Preset { public static let hd1280x720 = Preset(), photo = Preset() }
   public var sessionPreset = Preset.photo
   public var inputs: [AVCaptureInput] = []
   public var isRunning: Bool { false }
 public func startRunning() {}
   public func stopRunning() {}
   public func beginConfiguration() {}
   public func commitConfiguration() {}
   public func canSetSessionPreset(_ p: Preset) -> Bool { true }
   public func canAddInput(_ i: AVCaptureInput) -> Bool { true }
   public func addInput(_ i: AVCaptureInput) {}
   public func canAddOutput(_ i: AVCaptureOutput) -> Bool { true }
   public func addOutput(_ i: AVCaptureOutput) {} }
public final class AVCapturePhoto { public func fileDataRepresentation() -> Data? { nil } }
public struct AVVideoCodecType { public static let jpeg = AVVideoCodecType() }
public let AVVideoCodecKey = "c"
public final class AVCapturePhotoSettings { public init(format: [String: Any]?) {} }
public protocol AVCapturePhotoCaptureDelegate: NSObject { func photoOutput(_ output: AVCapturePhotoOutput, didFinishProcessingPhoto photo: AVCapturePhoto, error: Error?) }
public final class AVCapturePhotoOutput: AVCaptureOutput { override public init() {}
   public func capturePhoto(with s: AVCapturePhotoSettings, delegate: AVCapturePhotoCaptureDelegate) {} }
public final class AVCaptureVideoPreviewLayer: CALayer { public var session: AVCaptureSession?
   public enum Gravity { case resizeAspectFill }
   public var videoGravity = Gravity.resizeAspectFill }
