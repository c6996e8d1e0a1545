#if canImport(Darwin) && canImport(Security) && canImport(LocalAuthentication) && canImport(CryptoKit) && canImport(DeviceCheck)
import CitizenWallet
import CitizenWalletCore
import Foundation

/// The ports and folders of one side of the app on an Apple device.
public enum AppleDevice {
    /// The ports of the side called `name`, for example `wallet` or `staff`.
    public static func ports(name: String) -> DevicePorts {
        let sealer = KeychainSealer(name: "vn.citizenwallet." + name)
        return DevicePorts(
            keys: SecureEnclaveKeys(name: "vn.citizenwallet." + name, evidence: AppAttestEvidence()),
            sealer: sealer,
            clock: AppleClock(),
            forgetSeals: { try sealer.forget() }
        )
    }

    /// The folder of that side: left out of backups, readable once the phone was unlocked since its start (background work needs the public half; what
    /// is personal is encrypted besides).
    public static func folder(name: String) throws -> URL {
        let support = try FileManager.default.url(for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        var folder = support.appendingPathComponent(name, isDirectory: true)
        #if os(iOS)
        let protection: [FileAttributeKey: Any] = [.protectionKey: FileProtectionType.completeUntilFirstUserAuthentication]
        #else
        let protection: [FileAttributeKey: Any] = [:]
        #endif
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: protection)
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)
        return folder
    }
}
#endif
