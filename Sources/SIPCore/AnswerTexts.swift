/// The constant pieces of the most frequent answers, as bytes: a String would be taken apart anew for each of them.
struct AnswerTexts: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var ok = ByteRange.empty
    private(set) var via = ByteRange.empty
    private(set) var from = ByteRange.empty
    private(set) var to = ByteRange.empty
    private(set) var tag = ByteRange.empty
    private(set) var callID = ByteRange.empty
    private(set) var cseq = ByteRange.empty
    private(set) var received = ByteRange.empty
    private(set) var responsePort = ByteRange.empty
    private(set) var contact = ByteRange.empty
    private(set) var expires = ByteRange.empty
    private(set) var end = ByteRange.empty

    init() {
        ok = add("SIP/2.0 200 OK\r\nVia: ")
        via = add("\r\nVia: ")
        from = add("\r\nFrom: ")
        to = add("\r\nTo: ")
        tag = add(";tag=")
        callID = add("\r\nCall-ID: ")
        cseq = add("\r\nCSeq: ")
        received = add(";received=")
        responsePort = add(";rport=")
        contact = add("\r\nContact: <")
        expires = add(">;expires=")
        end = add("\r\nContent-Length: 0\r\n\r\n")
    }

    private mutating func add(_ text: String) -> ByteRange {
        let start = bytes.count
        bytes += Array(text.utf8)
        return ByteRange(start, bytes.count)
    }
}
