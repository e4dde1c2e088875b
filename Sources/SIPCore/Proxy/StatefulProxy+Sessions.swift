import ClusterModel

// What requests and responses that go through say about their call and its session (RFC 4028 section 8).
extension StatefulProxy {
    /// What is asked of the session. A proxy may ask where the caller does not, and then for no less than the caller's
    /// minimum.
    func sessionTerms(of message: borrowing SIPMessage) -> SessionTerms {
        guard message.method == .invite || message.method == .update else { return SessionTerms() }
        let callerRefreshes = message.supported.contains(.timer)
        if let interval = message.sessionExpires {
            return SessionTerms(interval: interval, callerRefreshes: callerRefreshes)
        }
        let interval = setup.session.map { max($0, message.minimumSession ?? 0) }
        return SessionTerms(interval: interval, callerRefreshes: callerRefreshes)
    }

    /// The header for a request that lacks it.
    func appendSession(_ terms: SessionTerms, _ message: borrowing SIPMessage, _ headers: inout [UInt8]) {
        guard let interval = terms.interval, message.sessionExpires == nil else { return }
        headers += Array("Session-Expires: \(interval)\r\n".utf8)
    }

    /// A request that goes on may end a call.
    mutating func noteRequest(_ message: borrowing SIPMessage, _ datagram: Span<UInt8>) {
        guard message.method == .bye, let call = calls.findEnded(message, in: datagram) else { return }
        calls.end(call, .released)
    }

    /// A 2xx goes back.
    ///
    /// - Returns: header lines that it lacks: where the callee knows nothing of session timers, the caller keeps the session alone.
    mutating func noteSuccess(
        _ slot: Int32, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>, _ now: Instant
    ) -> [UInt8] {
        guard message.method == .invite || message.method == .update else { return [] }
        let terms = contexts[Int(slot)].session
        var session = message.sessionExpires
        var added: [UInt8] = []
        if session == nil, terms.callerRefreshes, let interval = terms.interval {
            session = interval
            added = Array("Session-Expires: \(interval);refresher=uac\r\nRequire: timer\r\n".utf8)
        }
        guard let call = contexts[Int(slot)].call ?? calls.find(message, in: datagram) else { return added }
        calls.establish(call, session: session, calleeTag: datagram.bytes(message.to.tag), now: now)
        return added
    }
}
