/// What every answer of the SIP port is, whatever it answers.
enum AnswerCheck {
    /// The most bytes that an answer has beyond its request: the status line and its reason, the long names of headers that
    /// the request abbreviates, the server's tag, `received` and `rport`, and headers of its own. Forty
    /// Vias alone, each abbreviated and in a line by itself, are 120 bytes.
    static let allowance = 380
    /// The most bytes of a contact in an answer beyond its URI.
    static let contactAllowance = 40

    /// - Parameter contactBytes: of the contacts that a 200 to a REGISTER lists; none otherwise.
    static func check(_ answer: ArraySlice<UInt8>, to request: Int, contactBytes: Int) throws(FuzzFinding) {
        try expect(
            answer.count <= request + allowance + contactBytes,
            "an answer of \(answer.count) bytes to a request of \(request) with \(contactBytes) bytes of contacts")
        let lines = try lines(of: answer)
        try checkStatusLine(lines[0])
        for line in lines.dropFirst() {
            let colon = line.firstIndex(of: UInt8(ascii: ":"))
            try expect(
                colon.map { $0 > line.startIndex } ?? false,
                "an answer has a line that is no header: \(String(decoding: line, as: UTF8.self))")
        }
    }

    /// All up to the empty line, which is the end.
    private static func lines(of answer: ArraySlice<UInt8>) throws(FuzzFinding) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = answer.startIndex
        for position in answer.indices {
            if answer[position] == 13 {
                let next = position + 1
                try expect(next < answer.endIndex && answer[next] == 10, "a bare carriage return in an answer")
            }
            guard answer[position] == 10 else { continue }
            try expect(position > start && answer[position - 1] == 13, "a bare line feed in an answer")
            lines.append(answer[start..<(position - 1)])
            start = position + 1
        }
        try expect(start == answer.endIndex, "an answer does not end with a line end")
        let last = lines.popLast()
        try expect(last?.isEmpty == true && !lines.isEmpty, "an answer does not end with an empty line")
        try expect(!lines.contains { $0.isEmpty }, "an answer goes on after its empty line")
        return lines
    }

    private static func checkStatusLine(_ line: ArraySlice<UInt8>) throws(FuzzFinding) {
        let text = String(decoding: line, as: UTF8.self)
        let code = text.dropFirst(8).prefix(3)
        try expect(
            text.hasPrefix("SIP/2.0 ") && UInt16(code).map { 200..<700 ~= $0 } == true
                && text.dropFirst(11).first == " ",
            "an answer begins with \(text)")
    }
}
