// Stand-in of CoreNFC: the names, labels and types that ios/ uses, and nothing behind them. For tests/ios/typecheck.sh only.
@_exported import Foundation
public struct NFCReaderError: Error { public enum Code { case readerTransceiveErrorTagConnectionLost, readerTransceiveErrorTagResponseError, readerTransceiveErrorTagNotConnected, readerTransceiveErrorSessionInvalidated, readerSessionInvalidationErrorUserCanceled, readerSessionInvalidationErrorSessionTimeout, other }
   public var code: Code { .other } }
public final class NFCISO7816APDU { public init?(data: Data) {} }
public protocol NFCISO7816Tag { func sendCommand(apdu: NFCISO7816APDU, completionHandler: @escaping (Data, UInt8, UInt8, Error?) -> Void) }
public enum NFCTag { case iso7816(NFCISO7816Tag), miFare(Int) }
public protocol NFCTagReaderSessionDelegate: NSObject { func tagReaderSessionDidBecomeActive(_ s: NFCTagReaderSession)
   func tagReaderSession(_ s: NFCTagReaderSession, didInvalidateWithError: Error)
   func tagReaderSession(_ s: NFCTagReaderSession, didDetect: [NFCTag]) }
public final class NFCTagReaderSession { public struct PollingOption: OptionSet { public let rawValue: Int
   public init(rawValue: Int) { self.rawValue = rawValue }
   public static let iso14443 = PollingOption(rawValue: 1)
   @available(iOS 16.0, *) public static let pace = PollingOption(rawValue: 8) }
 public init?(pollingOption: PollingOption, delegate: NFCTagReaderSessionDelegate, queue: DispatchQueue? = nil) {}
 public class var readingAvailable: Bool { false }
   public var alertMessage = ""
   public func begin() {}
   public func invalidate() {}
   public func invalidate(errorMessage: String) {}
   public func restartPolling() {}
   public func connect(to: NFCTag, completionHandler: @escaping (Error?) -> Void) {} }
