import CitizenWalletCore
import Foundation

/// What went wrong, as the core explains it: what happened, and what to do.
public struct Problem: Equatable, Sendable {
    /// The core's words and the one thing to do.
    public let view: ProblemView

    /// A problem the phone itself found (`nfc-off`, `camera-refused`, ...).
    public init(id: String) {
        view = problem(id: id)
    }

    /// What an error means to a person; nothing when a person or the app itself ended the work.
    public init?(_ error: Error) {
        if error is CancellationError { return nil }
        guard let known = error as? WalletError else {
            // Neither the core nor a port speaks of it: a fault of ours.
            view = problem(id: "internal")
            return
        }
        if case .Cancelled = known { return nil }
        view = explain(error: known)
    }

    /// The words to show.
    public func rendered(_ words: Words) -> RenderedDisplay {
        RenderedDisplay(view.display, words: words)
    }

    /// Catalogue key of the button that does what is to be done. Where a person goes to pages that no app can open here, it is the one for coming back.
    public var actionKey: String {
        switch view.action {
        case .freeSpace, .openDateSettings: return "action.retry"
        default: return view.actionLabel
        }
    }

    /// What is stored here cannot be opened any more: going on means to remove it and to begin with an empty phone. Other problems whose action is to
    /// start over (an account that moved, a device that is not enrolled) begin their own matter anew and lose nothing.
    public var losesStore: Bool { view.action == .removeStore }

    /// The action is a page of the phone's settings.
    public var opensSettings: Bool {
        switch view.action {
        case .openNfcSettings, .openSecuritySettings, .openAppSettings: return true
        default: return false
        }
    }
}
