// Stand-in of Combine: the names, labels and types that ios/ uses, and nothing behind them. For tests/ios/typecheck.sh only.
import Foundation
// Foundation's own on Apple's systems.
extension URL { public func startAccessingSecurityScopedResource() -> Bool { true }
   public func stopAccessingSecurityScopedResource() {} }
public final class ObservableObjectPublisher { public init() {}
   public func send() {} }
@propertyWrapper public struct Published<V> { public init(wrappedValue: V) { self.wrappedValue = wrappedValue }
   public var wrappedValue: V }
public protocol Publisher { associatedtype Output }
public protocol ObservableObject: AnyObject { associatedtype ObjectWillChangePublisher = ObservableObjectPublisher
   var objectWillChange: ObjectWillChangePublisher { get } }
extension ObservableObject where ObjectWillChangePublisher == ObservableObjectPublisher { public var objectWillChange: ObservableObjectPublisher { ObservableObjectPublisher() } }
