import Foundation
#if canImport(Combine)
import Combine
#endif

#if canImport(Combine)
/// What a screen watches. On Apple's systems SwiftUI hears of every change; elsewhere (tests on Linux) nobody listens.
///
/// The one published value is what makes SwiftUI listen: an observable object without any has, as far as it is documented, no publisher of its own.
@MainActor
open class Observed: ObservableObject {
    @Published private var turn: UInt = 0

    /// Nothing changed yet.
    public init() {}

    /// Says that something is about to change.
    public func changed() {
        turn &+= 1
    }
}
#else
/// What a screen watches. On Apple's systems SwiftUI hears of every change; elsewhere (tests on Linux) nobody listens.
@MainActor
open class Observed {
    /// Nothing changed yet.
    public init() {}

    /// Says that something is about to change.
    public func changed() {}
}
#endif
