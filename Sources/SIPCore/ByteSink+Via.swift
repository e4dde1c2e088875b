import ClusterModel

extension ByteSink {
    /// A topmost Via with `received` and `rport` as this server saw them; what the request claims about them is left out
    /// (RFC 3261 section 18.2.1, RFC 3581 section 4).
    mutating func put(
        _ via: Via, of datagram: Span<UInt8>, from source: NetworkAddress, cleaning: Bool, _ texts: AnswerTexts
    ) {
        let rportIsFirst = via.responsePort.start < via.received.start
        var position = via.whole.lower
        put(upTo: rportIsFirst ? via.responsePort : via.received, &position, datagram, cleaning)
        put(upTo: rportIsFirst ? via.received : via.responsePort, &position, datagram, cleaning)
        put(ByteRange(position, via.whole.upper), of: datagram, cleaning: cleaning)
        if via.hasResponsePort || !datagram.isAddress(via.host, of: source) {
            put(texts.received, of: texts.bytes.span)
            put(host: source)
        }
        if via.hasResponsePort {
            put(texts.responsePort, of: texts.bytes.span)
            put(decimal: UInt32(source.port))
        }
    }

    /// What stands before a claim; moves past the claim.
    private mutating func put(
        upTo claim: ByteRange, _ position: inout Int, _ datagram: Span<UInt8>, _ isCleaning: Bool
    ) {
        guard !claim.isEmpty else { return }
        put(ByteRange(position, claim.lower), of: datagram, cleaning: isCleaning)
        position = claim.upper
    }
}
