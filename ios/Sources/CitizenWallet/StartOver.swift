import CitizenWalletCore
import Foundation

/// The side of the app that is removed.
public enum RemovedSide: String, Equatable, Sendable {
    /// The citizen's wallet: documents, log, account.
    case wallet
    /// The staff device: certificate and lists.
    case staff
}

/// Starting over: what is stored here is removed, for good. Nothing happens before the person said that it is meant; whoever leaves keeps everything.
@MainActor
public final class StartOverModel: WorkModel {
    /// What is removed.
    public let side: RemovedSide
    /// The person switched on that it is meant.
    public var meant = false { willSet { changed() } }
    /// It is removed.
    public private(set) var done = false { willSet { changed() } }

    private let app: AppModel

    /// For one side of an app.
    public init(side: RemovedSide, app: AppModel) {
        self.side = side
        self.app = app
    }

    /// The button may be pressed.
    public var ready: Bool { meant && !busy && !done }

    /// Removes it, and shows the first screen that is right then. It is not stopped halfway; after a failure it can be done again.
    public func startOver() async {
        guard ready else { return }
        done = await work { handle in
            // Whatever is under way has nothing to finish any more, and keeps the folder.
            WorkModel.stopAll(but: handle)
            switch self.side {
            case .wallet: try await self.app.removeWallet()
            case .staff: try await self.app.staff.remove()
            }
        }
    }
}
