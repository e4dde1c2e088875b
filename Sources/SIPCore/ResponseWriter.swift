package import ClusterModel

/// Writes answers to requests (RFC 3261 section 8.2.6). One for each node; nothing in it changes.
package struct ResponseWriter: Sendable {
    /// Known to this node only, so that nobody can guess a To tag.
    private let secret: UInt64
    /// A second one: with the first alone, whoever sees a tag could work his way back to the secret.
    private let pepper: UInt64
    private let texts = AnswerTexts()
    /// What this server does itself, and what it sends on to phones.
    private static let allow =
        "\r\nAllow: REGISTER, OPTIONS, INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, REFER, SUBSCRIBE, NOTIFY, MESSAGE"
    /// What stands before and after the nonce of each challenge.
    private let challenges: [(before: [UInt8], after: [UInt8])]

    /// - Parameters:
    ///   - secret: 64 random bits, the same for the life of the node.
    ///   - pepper: 64 more of the kind.
    ///   - realm: of challenges; without quotes and backslashes.
    ///   - algorithms: of challenges, the strongest first.
    package init(secret: UInt64, pepper: UInt64 = 0, realm: [UInt8] = [], algorithms: [DigestAlgorithm] = []) {
        self.secret = secret
        self.pepper = pepper
        challenges = algorithms.map { algorithm in
            (
                Array("Digest realm=\"".utf8) + realm + Array("\", nonce=\"".utf8),
                Array("\", algorithm=\(algorithm.name), qop=\"auth\"".utf8)
            )
        }
    }

    /// Appends a whole answer to `output`.
    ///
    /// - Parameters:
    ///   - message: what was parsed from `datagram`, even if it was refused: headers that are missing are left out.
    ///   - source: where the request came from.
    package func write(
        _ response: SIPResponse, to message: borrowing SIPMessage, in datagram: Span<UInt8>,
        from source: NetworkAddress,
        into output: inout [UInt8]
    ) {
        var sink = ByteSink(taking: &output)
        begin(response, message, datagram, source, &sink)
        writeExtra(response.extra, message, datagram, &sink)
        sink.put(texts.end, of: texts.bytes.span)
        sink.giveBack(to: &output)
    }

    /// Appends the 200 to a REGISTER, with all contacts that the DN has now (RFC 3261 section 10.3, step 8).
    package func writeRegistered(
        _ dn: DNIndex, of registrar: borrowing Registrar, to message: borrowing SIPMessage, in datagram: Span<UInt8>,
        from source: NetworkAddress, now: Instant, into output: inout [UInt8]
    ) {
        var sink = ByteSink(taking: &output)
        begin(SIPResponse(.ok), message, datagram, source, &sink)
        registrar.writeContacts(of: dn, now: now, texts, into: &sink)
        writePath(of: message, datagram, &sink)
        if message.usesOutbound { sink.put("\r\nRequire: outbound") }
        sink.put(texts.end, of: texts.bytes.span)
        sink.giveBack(to: &output)
    }

    /// Where an answer goes over UDP (RFC 3261 section 18.2.2, RFC 3581 section 4): always to the host that the request
    /// came from, whatever the Via claims; to the port that it came from if the Via asks for that.
    package func target(of message: borrowing SIPMessage, from source: NetworkAddress) -> NetworkAddress {
        if message.topVia.hasResponsePort { return source }
        return source.with(port: message.topVia.port == 0 ? 5060 : message.topVia.port)
    }

    /// The status line and all headers that are copied from the request. Each piece that follows begins with the line end
    /// of the one before it.
    private func begin(
        _ response: SIPResponse, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>, _ source: NetworkAddress,
        _ sink: inout ByteSink
    ) {
        let isCleaning = message.hasLineEndsInValues
        if response.status == .ok {
            sink.put(texts.ok, of: texts.bytes.span)
        } else {
            sink.put("SIP/2.0 ")
            sink.put(decimal: UInt32(response.status.rawValue))
            sink.put(byte: 32)
            sink.put(response.reason)
            sink.put(texts.via, of: texts.bytes.span)
        }
        sink.put(message.topVia, of: datagram, from: source, cleaning: isCleaning, texts)
        for position in 0..<message.followingViaCount {
            sink.put(texts.via, of: texts.bytes.span)
            sink.put(message.followingVias[position], of: datagram, cleaning: isCleaning)
        }
        if !isCleaning, stand(inOrder: message, datagram) {
            sink.put(texts.from, of: texts.bytes.span)
            sink.put(ByteRange(message.from.whole.lower, message.to.whole.upper), of: datagram)
            writeTag(response, message, datagram, &sink)
            return sink.put(ByteRange(message.to.whole.upper, message.cseqValue.upper), of: datagram)
        }
        if !message.from.whole.isEmpty {
            sink.put(texts.from, of: texts.bytes.span)
            sink.put(message.from.whole, of: datagram, cleaning: isCleaning)
        }
        if !message.to.whole.isEmpty {
            sink.put(texts.to, of: texts.bytes.span)
            sink.put(message.to.whole, of: datagram, cleaning: isCleaning)
            writeTag(response, message, datagram, &sink)
        }
        if !message.callID.isEmpty {
            sink.put(texts.callID, of: texts.bytes.span)
            sink.put(message.callID, of: datagram, cleaning: isCleaning)
        }
        if !message.cseqValue.isEmpty {
            sink.put(texts.cseq, of: texts.bytes.span)
            sink.put(message.cseqValue, of: datagram, cleaning: isCleaning)
        }
    }

    /// Whether From, To, Call-ID and CSeq follow one another in the request as they do in an answer, as most phones write
    /// them. Then they are copied together.
    private func stand(inOrder message: borrowing SIPMessage, _ datagram: Span<UInt8>) -> Bool {
        guard !message.to.whole.isEmpty, !message.callID.isEmpty, !message.cseqValue.isEmpty else { return false }
        let texts = self.texts.bytes.span
        return message.from.whole.upper &+ self.texts.to.count == message.to.whole.lower
            && message.to.whole.upper &+ self.texts.callID.count == message.callID.lower
            && message.callID.upper &+ self.texts.cseq.count == message.cseqValue.lower
            && texts.equals(self.texts.to, in: datagram, at: message.from.whole.upper)
            && texts.equals(self.texts.callID, in: datagram, at: message.to.whole.upper)
            && texts.equals(self.texts.cseq, in: datagram, at: message.callID.upper)
    }

    /// A 100 needs none (RFC 3261 section 8.2.6.2): it does not come from whoever will answer.
    private func writeTag(
        _ response: SIPResponse, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>, _ sink: inout ByteSink
    ) {
        guard response.status != .trying, message.to.isUsable, message.to.tag.isEmpty else { return }
        sink.put(texts.tag, of: texts.bytes.span)
        sink.put(hexadecimal: tag(for: message.callID, in: datagram))
    }

    private func writeExtra(
        _ extra: SIPResponse.Extra, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>, _ sink: inout ByteSink
    ) {
        switch extra {
        case .none: break
        case .allow: sink.put(Self.allow)
        case .capabilities:
            sink.put(Self.allow)
            sink.put("\r\nAccept: application/sdp\r\nSupported: path, outbound")
        case .minimumExpires(let seconds):
            sink.put("\r\nMin-Expires: ")
            sink.put(decimal: seconds)
        case .unsupported:
            for position in 0..<message.requireCount {
                sink.put("\r\nUnsupported: ")
                sink.put(message.requires[position], of: datagram, cleaning: message.hasLineEndsInValues)
            }
        case .unsupportedByProxy:
            for position in 0..<message.proxyRequireCount {
                sink.put("\r\nUnsupported: ")
                sink.put(message.proxyRequires[position], of: datagram, cleaning: message.hasLineEndsInValues)
            }
        case .timestamp:
            var position = message.firstLine.upper &+ 1
            guard let value = datagram.nextHeader("timestamp", from: &position, before: message.headersEnd) else {
                break
            }
            sink.put("\r\nTimestamp: ")
            sink.put(value, of: datagram, cleaning: true)
        case .retryAfter(let seconds):
            sink.put("\r\nRetry-After: ")
            sink.put(decimal: seconds)
        case .challenge(let nonce, let isStale):
            writeChallenges("\r\nWWW-Authenticate: ", nonce, isStale, &sink)
        case .proxyChallenge(let nonce, let isStale):
            writeChallenges("\r\nProxy-Authenticate: ", nonce, isStale, &sink)
        }
    }

    private func writeChallenges(_ header: String, _ nonce: Nonce, _ isStale: Bool, _ sink: inout ByteSink) {
        let text = nonce.text
        for challenge in challenges {
            sink.put(header)
            sink.put(challenge.before.span)
            sink.put(text.span)
            sink.put(challenge.after.span)
            if isStale { sink.put(", stale=true") }
        }
    }

    /// The phone learns which proxies are on its way (RFC 3327 section 5.3).
    private func writePath(of message: borrowing SIPMessage, _ datagram: Span<UInt8>, _ sink: inout ByteSink) {
        for position in 0..<message.pathCount {
            sink.put("\r\nPath: ")
            sink.put(message.paths[position], of: datagram, cleaning: message.hasLineEndsInValues)
        }
    }

    /// The same for a request and its retransmissions, so that answering needs no memory of having answered (RFC 3261
    /// section 8.2.7).
    private func tag(for callID: ByteRange, in datagram: Span<UInt8>) -> UInt64 {
        mixed(datagram.hash(callID, seed: secret) ^ pepper)
    }
}

extension Span<UInt8> {
    /// Whether a host is the very address that a request came from. A name never is: nobody looks it up.
    func isAddress(_ host: ByteRange, of source: NetworkAddress) -> Bool {
        if host.count > 2, self[host.lower] == UInt8(ascii: "[") {
            guard let address = ipv6(inside: host) else { return false }
            return address == UInt128(source.high) << 64 | UInt128(source.low)
        }
        return source.isIPv4 && ipv4(host) == source.ipv4
    }

    /// A keyed hash of some bytes, the same in every process.
    func hash(_ range: ByteRange, seed: UInt64) -> UInt64 {
        var hash = mixed(seed ^ UInt64(range.length))
        var position = range.lower
        while position &+ 8 <= range.upper {
            hash = mixed(hash ^ word(at: position))
            position &+= 8
        }
        var rest: UInt64 = 0
        while position < range.upper {
            rest = rest << 8 | UInt64(self[position])
            position &+= 1
        }
        return mixed(hash ^ rest)
    }

    /// The IPv4 address that a host is, if it is one.
    func ipv4(_ host: ByteRange) -> UInt32? {
        var address: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var dots = 0
        for position in host.indices {
            let byte = self[position]
            if byte == UInt8(ascii: ".") {
                guard digits > 0, dots < 3 else { return nil }
                address = address << 8 | octet
                octet = 0
                digits = 0
                dots &+= 1
            } else {
                guard byte &- 48 < 10, digits < 3 else { return nil }
                octet = octet &* 10 &+ UInt32(byte &- 48)
                digits &+= 1
                guard octet < 256 else { return nil }
            }
        }
        return dots == 3 && digits > 0 ? address << 8 | octet : nil
    }
}
