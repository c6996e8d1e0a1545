// Stand-in of UIKit: the names, labels and types that ios/ uses, and nothing behind them. For tests/ios/typecheck.sh only.
@_exported import Foundation
import SwiftUI
public final class UITraitCollection { public enum Style { case dark, light }
   public var userInterfaceStyle: Style { .dark } }
open class UIColor: UIColorStubbed { public init(red: CGFloat, green: CGFloat, blue: CGFloat, alpha: CGFloat) {}
   public init(dynamicProvider: @escaping (UITraitCollection) -> UIColor) {} }
public final class UIImage: UIImageStubbed { public init?(data: Data) {}
   public var size: CGSize { .zero }
   public func draw(in r: CGRect) {} }
public final class UIGraphicsImageRendererFormat { public init() {}
   public var scale: CGFloat = 1
   public var opaque = false }
public final class UIGraphicsImageRendererContext {}
public final class UIGraphicsImageRenderer { public init(size: CGSize, format: UIGraphicsImageRendererFormat) {}
   public func jpegData(withCompressionQuality q: CGFloat, actions: (UIGraphicsImageRendererContext) -> Void) -> Data { Data() }
   public func pngData(actions: (UIGraphicsImageRendererContext) -> Void) -> Data { Data() } }
@MainActor public final class UIScreen { public static var main: UIScreen { UIScreen() }
   public var brightness: CGFloat = 0 }
public struct UIBackgroundTaskIdentifier: Equatable { public static let invalid = UIBackgroundTaskIdentifier() }
@MainActor public final class UIApplication { public static var shared: UIApplication { UIApplication() }
   public static let openSettingsURLString = ""
   public var isIdleTimerDisabled = false
 public func beginBackgroundTask(expirationHandler: (@MainActor @Sendable () -> Void)? = nil) -> UIBackgroundTaskIdentifier { .invalid }
   public func endBackgroundTask(_ i: UIBackgroundTaskIdentifier) {}
 nonisolated public static let protectedDataWillBecomeUnavailableNotification = Notification.Name("x") }
public enum UIAccessibility { public struct Notification { public static let announcement = Notification() }
   public static func post(notification: Notification, argument: Any?) {} }
open class CALayer {}
@MainActor open class UIView { public init() {}
   open class var layerClass: AnyClass { CALayer.self }
   public var layer: CALayer { CALayer() } }
public struct NotePublisher: Publisher { public typealias Output = Notification }
extension NotificationCenter { public func publisher(for n: Notification.Name) -> NotePublisher { NotePublisher() } }
public struct TimerPublisher: Publisher { public typealias Output = Date
   public func autoconnect() -> TimerPublisher { self } }
extension Timer { public static func publish(every: TimeInterval, on: RunLoop, in: RunLoop.Mode) -> TimerPublisher { TimerPublisher() } }
