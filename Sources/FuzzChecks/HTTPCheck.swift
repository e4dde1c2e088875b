import Orchestration

/// Requests for figures: wherever a stream is torn it is cut into the same requests, and no more waits than may.
enum HTTPCheck {
    /// The first byte says into how long parts the rest is torn.
    static func check(_ input: [UInt8]) throws(FuzzFinding) {
        guard let step = input.first else { return }
        let stream = Array(input.dropFirst())
        let whole = try cut(stream, step: HTTPRequestReader.maximumHead)
        let torn = try cut(stream, step: max(1, Int(step)))
        try expect(whole == torn, "a torn stream has other requests")
    }

    private static func cut(_ stream: [UInt8], step: Int) throws(FuzzFinding) -> [HTTPRequestReader.Piece] {
        var reader = HTTPRequestReader()
        var pieces: [HTTPRequestReader.Piece] = []
        var position = 0
        while position < stream.count {
            let next = min(stream.count, position + step)
            reader.receive(Array(stream[position..<next]).span)
            position = next
            var piece = reader.next()
            while piece != .incomplete {
                pieces.append(piece)
                if case .refused(let problem) = piece {
                    reader.receive(stream.span)
                    try expect(reader.next() == .refused(problem), "what was refused is read on")
                    return pieces
                }
                if case .request(let request) = piece {
                    try expect(request.path.utf8.first == 47, "a path begins with no slash")
                    try expect(request.path.utf8.allSatisfy { $0 > 32 && $0 < 127 }, "a path has what it may not have")
                }
                piece = reader.next()
            }
        }
        return pieces
    }
}
