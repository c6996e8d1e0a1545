// A phone starts no other programs: these run on Linux and on a Mac.
#if !os(iOS)
import CitizenWallet
import CitizenWalletApple
import CitizenWalletCore
import CitizenWalletTestKit
import XCTest

/// The one contract body of the core, against the ports in Swift.
final class PortTests: XCTestCase {
    func testHashingAgreesWithItsStandards() {
        // FIPS 180-4 and RFC 4231, case 2.
        XCTAssertEqual(hex(Hashing.sha256(Array("abc".utf8))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let mac = Hashing.hmac(key: Array("Jefe".utf8), Array("what do ya want for nothing?".utf8))
        XCTAssertEqual(hex(mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    func testKeyStoreKeepsItsContract() {
        assertHolds(contractKeyStore(port: SwiftKeyStore()))
    }

    func testSealerKeepsItsContract() {
        assertHolds(contractDeviceSealer(port: SwiftSealer()))
    }

    func testClockKeepsItsContract() {
        assertHolds(contractClock(port: SwiftClock()))
    }

    func testListenerKeepsItsContract() {
        assertHolds(contractListener(port: EventHub()))
    }

    func testCardChannelKeepsItsContract() throws {
        let folder = try Folder()
        let card = try Story.card(folder)
        defer { card.stop() }
        assertHolds(contractCardChannel(port: try SocketCard(port: card.port)))
    }

    func testEcdsaSignatureBecomesRaw() {
        let r = [UInt8](repeating: 0x11, count: 32)
        let s = [UInt8](repeating: 0x80, count: 32)
        // A number with its highest bit set carries a zero before it; a short one is filled up.
        let der: [UInt8] = [0x30, 0x45, 0x02, 0x20] + r + [0x02, 0x21, 0x00] + s
        XCTAssertEqual(EcdsaSignature.raw(der: Data(der)), Data(r + s))
        let short: [UInt8] = [0x30, 0x06, 0x02, 0x01, 0x05, 0x02, 0x01, 0x07]
        let filled = [UInt8](repeating: 0, count: 31)
        XCTAssertEqual(EcdsaSignature.raw(der: Data(short)), Data(filled + [5] + filled + [7]))
        for cut in 0..<der.count { XCTAssertNil(EcdsaSignature.raw(der: Data(der.prefix(cut)))) }
        XCTAssertNil(EcdsaSignature.raw(der: Data(der + [0])))
    }

    private func assertHolds(_ report: ContractReport) {
        XCTAssertTrue(report.holds, report.brokenClause)
        XCTAssertFalse(report.clauses.isEmpty)
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String(format: "%02x", $0) }.joined()
    }
}
#endif
