/// Finds in an answer what tells whose it is and whether it is good.
struct AnswerReader {
    struct Answer {
        var status: Int
        var dn: UInt64
        var cseq: UInt32
    }

    private static let version = Array("SIP/2.0 ".utf8)
    private static let callID = Array("Call-ID: ".utf8)
    private static let cseq = Array("CSeq: ".utf8)
    private static let method = Array(" REGISTER".utf8)

    let template: RequestTemplate

    /// - Returns: nil when this is no answer to a request of the template.
    func read(_ bytes: Span<UInt8>) -> Answer? {
        guard starts(bytes, at: 0, with: Self.version), let status = number(bytes, from: 8, to: 11) else { return nil }
        var answer = Answer(status: Int(status), dn: 0, cseq: 0)
        var start = 0
        while let end = lineEnd(bytes, from: start) {
            if starts(bytes, at: start, with: Self.callID) {
                let first = start + Self.callID.count + template.callIDPrefix.count
                let last = end - template.callIDSuffix.count
                guard starts(bytes, at: start + Self.callID.count, with: template.callIDPrefix),
                    starts(bytes, at: last, with: template.callIDSuffix), let dn = number(bytes, from: first, to: last)
                else { return nil }
                answer.dn = dn
            } else if starts(bytes, at: start, with: Self.cseq) {
                let last = end - Self.method.count
                guard starts(bytes, at: last, with: Self.method),
                    let cseq = number(bytes, from: start + Self.cseq.count, to: last)
                else { return nil }
                answer.cseq = UInt32(clamping: cseq)
            }
            if answer.dn != 0, answer.cseq != 0 { return answer }
            start = end + 2
        }
        return nil
    }

    /// Where the carriage return of a line is.
    private func lineEnd(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var position = start
        while position < bytes.count, bytes[position] != 13 { position &+= 1 }
        return position < bytes.count ? position : nil
    }

    private func starts(_ bytes: Span<UInt8>, at start: Int, with text: [UInt8]) -> Bool {
        guard start >= 0, bytes.count - start >= text.count else { return false }
        for position in text.indices where bytes[start &+ position] != text[position] { return false }
        return true
    }

    private func number(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> UInt64? {
        guard start < end, end <= bytes.count, end - start < 19 else { return nil }
        var value: UInt64 = 0
        for position in start..<end {
            let digit = bytes[position] &- 48
            guard digit < 10 else { return nil }
            value = value * 10 + UInt64(digit)
        }
        return value
    }
}
