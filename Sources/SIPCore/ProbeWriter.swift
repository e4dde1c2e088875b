package import ClusterModel

/// Writes the OPTIONS that ask phones and gateways whether they are there, and knows their answers again.
///
/// The branch says which question it was, under a hash that only this node can make: no table of open requests is needed,
/// and nobody else can answer.
package struct ProbeWriter: Sendable {
    private static let cookie = "z9hG4bKp"
    private let secret: UInt64
    private let domain: [UInt8]

    /// - Parameters:
    ///   - secret: 64 random bits, the same for the life of the node.
    ///   - domain: of the cluster, where the questions come from.
    package init(secret: UInt64, domain: String) {
        self.secret = mixed(secret ^ 0x50_726F_6265)
        self.domain = Array(domain.utf8)
    }

    /// The whole request to a phone.
    ///
    /// - Parameters:
    ///   - address: the listener that it leaves from.
    ///   - isSecure: it leaves over TLS.
    package func write(_ probe: DueProbe, from address: NetworkAddress, isSecure: Bool = false) -> [UInt8] {
        let transport: Hop.Transport = probe.binding.source.flow == .none ? .udp : isSecure ? .tls : .tcp
        return write(
            slot: probe.slot, number: probe.number, to: probe.binding.contact, by: probe.binding.path, from: address,
            over: transport)
    }

    /// The whole request to a trunk's gateway.
    ///
    /// - Parameter uri: of the gateway.
    package func write(
        toGateway gateway: (trunk: TrunkIndex, position: Int), number: UInt32, uri: [UInt8],
        from address: NetworkAddress,
        over transport: Hop.Transport
    ) -> [UInt8] {
        // Phones have slots from 0 on.
        let slot = Int32.min | Int32(gateway.trunk.rawValue) << 8 | Int32(UInt8(gateway.position))
        return write(slot: slot, number: number, to: uri, by: [], from: address, over: transport)
    }

    private func write(
        slot: Int32, number: UInt32, to uri: [UInt8], by path: [UInt8], from address: NetworkAddress,
        over transport: Hop.Transport
    ) -> [UInt8] {
        var output: [UInt8] = []
        var sink = ByteSink(taking: &output)
        sink.put("OPTIONS ")
        sink.put(uri.span)
        sink.put(" SIP/2.0\r\nVia: SIP/2.0/")
        switch transport {
        case .udp: sink.put("UDP ")
        case .tcp: sink.put("TCP ")
        case .tls: sink.put("TLS ")
        }
        sink.put("\(address)")
        sink.put(";branch=")
        sink.put(Self.cookie)
        putNumbers(slot, number, &sink)
        sink.put(";rport\r\nMax-Forwards: 70\r\nFrom: <sip:")
        sink.put(domain.span)
        sink.put(">;tag=")
        sink.put(hexadecimal: hash(slot, ~number))
        sink.put("\r\nTo: <")
        sink.put(uri.span)
        sink.put(">\r\nCall-ID: ")
        putNumbers(slot, number, &sink)
        sink.put("\r\nCSeq: 1 OPTIONS")
        if !path.isEmpty {
            // Through the proxies that the phone registered through (RFC 3327 section 5.3).
            sink.put("\r\nRoute: ")
            sink.put(path.span)
        }
        sink.put("\r\nContent-Length: 0\r\n\r\n")
        sink.giveBack(to: &output)
        return output
    }

    private func putNumbers(_ slot: Int32, _ number: UInt32, _ sink: inout ByteSink) {
        sink.put(hexadecimal: UInt64(UInt32(bitPattern: slot)) << 32 | UInt64(number))
        sink.put(hexadecimal: hash(slot, number))
    }

    private func hash(_ slot: Int32, _ number: UInt32) -> UInt64 {
        mixed(mixed(secret ^ UInt64(UInt32(bitPattern: slot))) ^ UInt64(number))
    }

    /// The gateway that a question's slot stands for; nil for a phone's.
    package static func gateway(ofSlot slot: Int32) -> (trunk: TrunkIndex, position: Int)? {
        guard slot < 0 else { return nil }
        return (TrunkIndex(Int(slot & 0x00FF_FFFF) >> 8), Int(slot & 0xFF))
    }

    /// Which question an answer is for; nil when this node has asked none such.
    package func question(
        of message: borrowing SIPMessage, in datagram: Span<UInt8>
    ) -> (slot: Int32, number: UInt32)? {
        let branch = message.topVia.branch
        let length = Self.cookie.utf8.count
        guard branch.count == length + 32,
            datagram.equalsIgnoringCase(ByteRange(branch.lower, branch.lower + length), Self.cookie),
            let numbers = datagram.hexadecimalWord(at: branch.lower + length),
            let hash = datagram.hexadecimalWord(at: branch.lower + length + 16)
        else { return nil }
        let slot = Int32(bitPattern: UInt32(truncatingIfNeeded: numbers >> 32))
        let number = UInt32(truncatingIfNeeded: numbers)
        return hash == self.hash(slot, number) ? (slot, number) : nil
    }
}

extension Span<UInt8> {
    /// Sixteen hexadecimal digits.
    fileprivate func hexadecimalWord(at start: Int) -> UInt64? {
        var word: UInt64 = 0
        for position in start..<(start + 16) {
            guard let digit = hexadecimal(self[position]) else { return nil }
            word = word << 4 | UInt64(digit)
        }
        return word
    }
}
