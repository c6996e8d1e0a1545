// swift-tools-version:5.9
// Tools version 5.9 is the oldest that Xcode 15 needs and what a Swift 6 toolchain still builds in language mode 5 (it takes mode 6 only from tools
// version 6.0 on). The generated code wants mode 5 until UniFFI's fix for mode 6 is released.
//
// The generated half comes from ./generate.sh (Linux) or ./xcframework.sh (Mac) and lies in Generated/, which is never committed.
import PackageDescription

#if os(macOS)
// On a Mac the library is a framework for iPhone, simulator and Mac; see xcframework.sh.
let border: Target = .binaryTarget(name: "CitizenWalletCoreFFI", path: "Generated/CitizenWalletCoreFFI.xcframework")
let link: [LinkerSetting] = []
#else
// Elsewhere the library is a shared object in Generated/lib; programs built here find it there at run time, too.
let folder = Context.packageDirectory + "/Generated/lib"
let border: Target = .systemLibrary(name: "CitizenWalletCoreFFI", path: "Generated/CitizenWalletCoreFFI")
let link: [LinkerSetting] = [
    .linkedLibrary("wallet_bindings"),
    .unsafeFlags(["-L\(folder)", "-Xlinker", "-rpath", "-Xlinker", folder]),
]
#endif

let package = Package(
    name: "CitizenWallet",
    defaultLocalization: "vi",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [
        .library(name: "CitizenWalletCore", targets: ["CitizenWalletCore"]),
        .library(name: "CitizenWallet", targets: ["CitizenWallet"]),
        .library(name: "CitizenWalletApple", targets: ["CitizenWalletApple"]),
        .library(name: "CitizenWalletUI", targets: ["CitizenWalletUI"]),
        // Software keys in memory: for tests and for programs on a machine without Apple's hardware, never for an app.
        .library(name: "CitizenWalletTestKit", targets: ["CitizenWalletTestKit"]),
    ],
    targets: [
        border,
        // What UniFFI wrote: the exported surface in Swift.
        .target(name: "CitizenWalletCore", dependencies: ["CitizenWalletCoreFFI"], path: "Generated/CitizenWalletCore", linkerSettings: link),
        // Flows and models. Builds and tests on Linux.
        .target(name: "CitizenWallet", dependencies: ["CitizenWalletCore"]),
        // Ports over Apple's frameworks; empty elsewhere.
        .target(name: "CitizenWalletApple", dependencies: ["CitizenWallet", "CitizenWalletCore"]),
        // Screens; empty elsewhere.
        .target(name: "CitizenWalletUI", dependencies: ["CitizenWallet", "CitizenWalletApple", "CitizenWalletCore"]),
        // Ports in plain Swift, a card behind a socket, a central service as a process.
        .target(name: "CitizenWalletTestKit", dependencies: ["CitizenWalletCore"], path: "Tests/CitizenWalletTestKit"),
        .testTarget(name: "CitizenWalletTests", dependencies: ["CitizenWallet", "CitizenWalletApple", "CitizenWalletCore", "CitizenWalletTestKit"]),
    ]
)
