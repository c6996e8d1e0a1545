import Foundation
#if canImport(Combine)
import Combine
#endif

#if canImport(Combine)
/// What a screen watches. On Apple's systems SwiftUI hears of every change; elsewhere (tests on Linux) nobody listens.
@MainActor
public protocol Observed: ObservableObject {}

extension Observed {
    /// Says that something is about to change.
    public func changed() {
        (objectWillChange as? ObservableObjectPublisher)?.send()
    }
}
#else
/// What a screen watches. On Apple's systems SwiftUI hears of every change; elsewhere (tests on Linux) nobody listens.
@MainActor
public protocol Observed: AnyObject {}

extension Observed {
    /// Says that something is about to change.
    public func changed() {}
}
#endif
