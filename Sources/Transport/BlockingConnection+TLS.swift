import ClusterModel
import LinuxSystem
import TLS

/// TLS below frames.
extension BlockingConnection {
    /// Goes on until both sides know each other. A server of TLS 1.3 may refuse the client's certificate afterwards: then it
    /// is the first read that fails.
    func shakeHands(_ session: TLSSession, until deadline: UInt64) throws(BlockingConnectionError) {
        while true {
            let isDone: Bool
            do throws(TLSError) {
                isDone = try session.advance()
            } catch {
                try? sendWaiting(session, until: deadline)
                throw .insecure(address, error.sentence)
            }
            try sendWaiting(session, until: deadline)
            if isDone { return }
            if try !readSealed(session, until: deadline) { try wait(forReading: true, until: deadline) }
        }
    }

    func sendSealed(
        _ bytes: [UInt8], _ session: TLSSession, until deadline: UInt64
    ) throws(BlockingConnectionError) {
        var start = 0
        while start < bytes.count {
            let result = bytes.withUnsafeBytes { all in
                Result { () throws(TLSError) in
                    try session.write(UnsafeRawBufferPointer(rebasing: all[start...]))
                }
            }
            switch result {
            case .success(let count):
                guard count > 0 else { throw .closed(address) }
                start += count
            case .failure(let error):
                throw .insecure(address, error.sentence)
            }
            try sendWaiting(session, until: deadline)
        }
    }

    private func sendWaiting(_ session: TLSSession, until deadline: UInt64) throws(BlockingConnectionError) {
        var sealed: [UInt8] = []
        session.takeOutput(into: &sealed)
        try sendPlain(sealed, until: deadline)
    }

    /// Takes what has come, and decrypts all of it that is whole. What the peer did wrong it is told.
    ///
    /// - Returns: false when nothing waits to be read.
    func readSealed(_ session: TLSSession, until deadline: UInt64) throws(BlockingConnectionError) -> Bool {
        // Told only now: what came before the end has been taken.
        if session.phase == .peerFinished { throw .closed(address) }
        // The memory lives for this call only.
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: StreamSecurity.readSize, alignment: 1)
        defer { piece.deallocate() }
        let count: Int?
        do throws(SystemError) {
            count = try socket.read(into: piece)
        } catch {
            throw error.isReset ? .closed(address) : .system(error)
        }
        guard let count else { return false }
        if count == 0 { throw .closed(address) }
        do throws(TLSError) {
            try session.receive(UnsafeRawBufferPointer(rebasing: piece[..<count]))
            while let count = try session.read(into: piece) { input.append(contentsOf: piece[..<count]) }
        } catch {
            try? sendWaiting(session, until: deadline)
            throw .insecure(address, error.sentence)
        }
        return true
    }
}
