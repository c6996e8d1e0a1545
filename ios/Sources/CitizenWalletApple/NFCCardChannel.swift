#if os(iOS) && canImport(CoreNFC)
import CitizenWalletCore
import CoreNFC
import Foundation

/// The chip card held to the phone, over Core NFC. One object is one system sheet: begin it, give it to `CardReading.read`, finish it.
public final class NFCCardChannel: NSObject, CardChannelPort, NFCTagReaderSessionDelegate, @unchecked Sendable {
    private static let mostCommand: UInt32 = 4096

    private let queue = DispatchQueue(label: "vn.citizenwallet.nfc")
    // Guarded by `lock`.
    private var session: NFCTagReaderSession?
    private var tag: NFCISO7816Tag?
    private var waiting: Waiting<Bool>?
    private var ended: ChannelFault?
    private var used = false
    private let lock = NSLock()

    /// The phone can read cards at all.
    public static var available: Bool { NFCTagReaderSession.readingAvailable }

    /// A channel whose sheet is not open yet.
    override public init() {
        super.init()
    }

    /// Opens the system's sheet with a text that says where to hold the card.
    ///
    /// - Parameters:
    ///   - pace: looks for cards that let nobody select an application before PACE (iOS 16; the entitlement names it). Then no other card is found.
    public func begin(text: String, pace: Bool = false) {
        var polling: NFCTagReaderSession.PollingOption = .iso14443
        if pace, #available(iOS 16.0, *) { polling = .pace }
        let made = NFCTagReaderSession(pollingOption: polling, delegate: self, queue: queue)
        made?.alertMessage = text
        lock.lock()
        session = made
        ended = made == nil ? .Other : nil
        lock.unlock()
        made?.begin()
    }

    /// Shows how far the reading is.
    public func say(_ text: String) {
        current()?.alertMessage = text
    }

    /// Closes the sheet, with a text when it went wrong.
    public func finish(problem: String?) {
        let open = current()
        if let problem { open?.invalidate(errorMessage: problem) } else { open?.invalidate() }
    }

    /// Sends a command, gives the answer with its status word. Without a card it is `CardLost` at once: the core then calls `reconnect`, which has a minute,
    /// while a command has ten seconds.
    public func transceive(command: Data) throws -> Data {
        guard command.count <= Int(NFCCardChannel.mostCommand), let apdu = NFCISO7816APDU(data: command) else { throw ChannelFault.Other }
        guard let card = taken() else { throw ChannelFault.CardLost }
        let answer = Waiting<Data>()
        card.sendCommand(apdu: apdu) { body, sw1, sw2, error in
            if let error {
                answer.give(.failure(NFCCardChannel.fault(error)))
            } else {
                answer.give(.success(body + Data([sw1, sw2])))
            }
        }
        do {
            return try NFCCardChannel.channel { try answer.take(seconds: 9) }
        } catch {
            forget()
            throw error
        }
    }

    /// Extended length.
    public func capacity() throws -> ChannelCapacity {
        ChannelCapacity(maxCommand: NFCCardChannel.mostCommand, extended: true)
    }

    /// Ends a running exchange: whoever waits for the card gets `Cancelled`.
    public func cancel() throws {
        lock.lock()
        let waiter = waiting
        waiting = nil
        lock.unlock()
        waiter?.give(.failure(ChannelFault.Cancelled))
    }

    /// Waits until a card is held: one that was not spoken to yet, or one that is found anew.
    public func reconnect() throws {
        if forgetUsed() { current()?.restartPolling() }
        try hold()
    }

    /// The sheet is open.
    public func tagReaderSessionDidBecomeActive(_ session: NFCTagReaderSession) {}

    /// The sheet is closed, by the person, by the system, or by `finish`.
    public func tagReaderSession(_ session: NFCTagReaderSession, didInvalidateWithError error: Error) {
        let why = NFCCardChannel.fault(error)
        lock.lock()
        ended = why
        tag = nil
        self.session = nil
        let waiter = waiting
        waiting = nil
        lock.unlock()
        waiter?.give(.failure(why))
    }

    /// A card is held to the phone.
    public func tagReaderSession(_ session: NFCTagReaderSession, didDetect tags: [NFCTag]) {
        guard tags.count == 1, let first = tags.first, case let .iso7816(card) = first else {
            session.restartPolling()
            return
        }
        session.connect(to: first) { [weak self] error in
            guard error == nil, let self else {
                session.restartPolling()
                return
            }
            self.lock.lock()
            self.tag = card
            let waiter = self.waiting
            self.waiting = nil
            self.lock.unlock()
            waiter?.give(.success(true))
        }
    }

    /// Waits for a card, below the core's deadline of a minute.
    private func hold() throws {
        let waiter = Waiting<Bool>()
        lock.lock()
        let over = ended
        let here = tag != nil
        if !here { waiting = waiter }
        lock.unlock()
        if let over { throw over }
        if !here { _ = try NFCCardChannel.channel { try waiter.take(seconds: 55) } }
    }

    private func taken() -> NFCISO7816Tag? {
        lock.lock()
        defer { lock.unlock() }
        if tag != nil { used = true }
        return tag
    }

    private func forgetUsed() -> Bool {
        lock.lock()
        defer { lock.unlock() }
        let was = used
        if was { tag = nil }
        used = false
        return was
    }

    private func forget() {
        lock.lock()
        tag = nil
        lock.unlock()
    }

    private func current() -> NFCTagReaderSession? {
        lock.lock()
        defer { lock.unlock() }
        return session
    }

    private static func fault(_ error: Error) -> ChannelFault {
        guard let error = error as? NFCReaderError else { return .Other }
        switch error.code {
        case .readerTransceiveErrorTagConnectionLost, .readerTransceiveErrorTagResponseError, .readerTransceiveErrorTagNotConnected,
            .readerTransceiveErrorSessionInvalidated:
            // A closed sheet ends a running command, too; `reconnect` then says how it was closed.
            return .CardLost
        case .readerSessionInvalidationErrorUserCanceled:
            return .Cancelled
        case .readerSessionInvalidationErrorSessionTimeout:
            return .TimedOut
        default:
            return .Other
        }
    }

    /// Only faults that the core knows of a channel cross the border.
    private static func channel<Value>(_ work: () throws -> Value) throws -> Value {
        do {
            return try work()
        } catch let fault as ChannelFault {
            throw fault
        } catch PortFault.TimedOut {
            throw ChannelFault.TimedOut
        } catch {
            throw ChannelFault.Other
        }
    }
}
#endif
