import Foundation

/// ECDSA signatures as Apple gives them and as the core takes them. Pure: its test runs everywhere.
public enum EcdsaSignature {
    /// r and s of 32 bytes each, from DER: SEQUENCE of two INTEGERs. Nothing when it is not that.
    public static func raw(der: Data) -> Data? {
        var bytes = ArraySlice(Array(der))
        guard let body = take(tag: 0x30, from: &bytes), bytes.isEmpty else { return nil }
        var inside = body
        guard let r = take(tag: 0x02, from: &inside), let s = take(tag: 0x02, from: &inside), inside.isEmpty else { return nil }
        guard let left = padded(r), let right = padded(s) else { return nil }
        return Data(left + right)
    }

    private static func take(tag: UInt8, from bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        // Both lengths of a P-256 signature fit into one byte.
        guard bytes.count >= 2, bytes.removeFirst() == tag else { return nil }
        let length = Int(bytes.removeFirst())
        guard length < 0x80, bytes.count >= length else { return nil }
        let value = bytes.prefix(length)
        bytes.removeFirst(length)
        return value
    }

    private static func padded(_ number: ArraySlice<UInt8>) -> [UInt8]? {
        let digits = Array(number.drop { $0 == 0 })
        guard !number.isEmpty, digits.count <= 32 else { return nil }
        return [UInt8](repeating: 0, count: 32 - digits.count) + digits
    }
}
