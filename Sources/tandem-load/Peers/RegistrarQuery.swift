import ClusterModel
import LinuxSystem

/// Asks a server over UDP what it knows of a DN.
final class RegistrarQuery {
    private let address: NetworkAddress
    private let socket: OwnedDescriptor
    private let receiver: DatagramReceiver
    private var sender: DatagramSender
    private var asked = 0

    init(of address: NetworkAddress) throws {
        self.address = address
        socket = try Sockets.boundUDP(NetworkAddress(ipv4: 0x7F00_0001, port: 0))
        receiver = try DatagramReceiver(slots: 4, slotBytes: 4096)
        sender = DatagramSender(family: try socket.socketFamily())
    }

    /// Asks for the contacts of a DN: a REGISTER without a contact (RFC 3261, section 10.2.3).
    ///
    /// - Returns: the text of the answer; nil when none came for a tenth of a second.
    func answer(for dn: String) throws -> String? {
        try answer(to: "REGISTER", "sip:\(BenchCluster.domain)", for: dn)
    }

    /// Whether a call to a DN would be taken (RFC 3261 section 11): what this very server shows of it.
    func isInService(_ dn: String) throws -> Bool {
        try answer(to: "OPTIONS", "sip:\(dn)@\(BenchCluster.domain)", for: dn)?.hasPrefix("SIP/2.0 200 ") ?? false
    }

    private func answer(to method: String, _ uri: String, for dn: String) throws -> String? {
        asked += 1
        let local = try socket.localAddress().description
        let call = "\(local)-\(asked)"
        let user = "<sip:\(dn)@\(BenchCluster.domain)>"
        let lines = [
            "\(method) \(uri) SIP/2.0",
            "Via: SIP/2.0/UDP \(local);branch=z9hG4bK-\(call);rport",
            "Max-Forwards: 70",
            "From: \(user);tag=\(asked)",
            "To: \(user)",
            "Call-ID: \(call)",
            "CSeq: \(asked) \(method)",
            "Content-Length: 0",
        ]
        var batch = DatagramBatch()
        batch.append(to: address) { $0 += Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) }
        _ = try sender.sendChunk(of: batch, from: 0, over: socket)
        guard try socket.wait(forReading: true, nanoseconds: 100_000_000) else { return nil }
        var answer: String?
        _ = try receiver.receive(from: socket) { _, bytes, _, _ in
            guard let bytes else { return }
            let text = String(decoding: bytes.withUnsafeBytes { Array($0) }, as: UTF8.self)
            if text.contains("Call-ID: \(call)\r\n") { answer = text }
        }
        return answer
    }

    /// Whether the registrar knows a contact of a DN.
    func knows(_ dn: String) throws -> Bool {
        try answer(for: dn)?.contains("\r\nContact: ") ?? false
    }
}
