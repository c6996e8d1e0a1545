#if canImport(SwiftUI) && canImport(UIKit)
import CitizenWallet
import CitizenWalletApple
import CitizenWalletCore
import CitizenWalletUI
import SwiftUI

/// The app: one wallet and one staff side for all its windows.
@main
struct CitizenWalletApp: App {
    @StateObject private var start = Start()

    var body: some Scene {
        WindowGroup {
            if let app = start.app {
                RootScreen(app: app)
            } else {
                Text(word(key: start.fault, language: Locale.preferredLanguages.first ?? "vi")).padding()
            }
        }
    }
}

/// Puts the app together once for each process.
@MainActor
final class Start: ObservableObject {
    /// The app; nothing when it cannot be put together.
    let app: AppModel?
    /// Why not: a build without the files of its service, or a phone that gives it no folder.
    let fault: String
    private let log = SystemLog()

    init() {
        let service = try? ServiceConfiguration(folder: Bundle.main.bundleURL.appendingPathComponent("Service"))
        fault = service == nil ? "problem.update-needed" : "problem.storage-disk"
        app = service.flatMap { try? Start.make($0) }
        try? traceTo(sink: log, level: "warn")
    }

    private static func make(_ service: ServiceConfiguration) throws -> AppModel {
        let events = EventHub()
        let wallet = WalletStore(
            config: service.wallet(in: try AppleDevice.folder(name: "wallet")),
            ports: AppleDevice.ports(name: "wallet"),
            listener: events
        )
        let staff = StaffStore(
            config: service.verifier(in: try AppleDevice.folder(name: "staff")),
            ports: AppleDevice.ports(name: "staff"),
            listener: nil
        )
        return AppModel(store: wallet, staff: staff, events: events, language: LanguageModel())
    }
}
#endif
