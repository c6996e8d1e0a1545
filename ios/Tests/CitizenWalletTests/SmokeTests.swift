import CitizenWallet
import CitizenWalletCore
import CitizenWalletTestKit
import XCTest

final class SmokeTests: XCTestCase {
    func testP256() throws {
        let report = contractKeyStore(port: SwiftKeyStore())
        XCTAssertTrue(report.holds, report.brokenClause)
    }
}
