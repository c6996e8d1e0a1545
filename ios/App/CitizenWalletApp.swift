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
                // Only a broken build comes here: it was made without the files of its service.
                Text(word(key: "problem.update-needed", language: Locale.preferredLanguages.first ?? "vi")).padding()
            }
        }
    }
}

/// Puts the app together once for each process.
@MainActor
final class Start: ObservableObject {
    /// The app; nothing when the build is not complete.
    let app: AppModel?
    private let log = SystemLog()

    init() {
        app = try? Start.make()
        try? traceTo(sink: log, level: "warn")
    }

    private static func make() throws -> AppModel {
        let service = try ServiceConfiguration(folder: Bundle.main.bundleURL.appendingPathComponent("Service"))
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
