import TLS

/// One side of a TLS connection, and what it did.
struct FuzzSide {
    let session: TLSSession
    /// Ciphertext of this side that the other has not got.
    var sent: [UInt8] = []
    /// Plaintext that this side took to be sent, and that it decrypted.
    var written: [UInt8] = []
    var read: [UInt8] = []

    init(_ session: TLSSession) {
        self.session = session
    }

    mutating func advance() {
        _ = try? session.advance()
        session.takeOutput(into: &sent)
    }

    mutating func receive(_ ciphertext: [UInt8]) {
        try? ciphertext.withUnsafeBytes { try session.receive($0) }
        var piece = [UInt8](repeating: 0, count: 5000)
        while let count = (try? piece.withUnsafeMutableBytes { try session.read(into: $0) }) ?? nil {
            read += piece[..<count]
        }
        session.takeOutput(into: &sent)
    }

    mutating func write(_ plaintext: [UInt8]) {
        let count = (try? plaintext.withUnsafeBytes { try session.write($0) }) ?? 0
        written += plaintext.prefix(count)
        session.takeOutput(into: &sent)
    }

    func checkBounds() throws(FuzzFinding) {
        try expect(session.inputBytes <= TLSSession.maximumInput, "\(session.inputBytes) bytes wait to be decrypted")
        // A record more than the room, or a flight of the handshake.
        try expect(
            session.outputBytes <= TLSSession.outputRoom + 32 * 1024, "\(session.outputBytes) bytes wait to be sent")
    }
}

/// Two sides, with somebody between them.
struct FuzzPair {
    private var client: FuzzSide
    private var server: FuzzSide
    private var count: UInt8 = 0

    init(_ client: TLSSession, _ server: TLSSession) {
        self.client = FuzzSide(client)
        self.server = FuzzSide(server)
        self.client.advance()
    }

    /// Undisturbed, until nothing is said any more.
    mutating func shakeHands() {
        while !client.sent.isEmpty || !server.sent.isEmpty {
            Self.carry(&client, &server, 1 << 20)
            Self.carry(&server, &client, 1 << 20)
        }
    }

    private static func carry(_ from: inout FuzzSide, _ to: inout FuzzSide, _ count: Int) {
        let piece = Array(from.sent.prefix(count))
        from.sent.removeFirst(piece.count)
        to.receive(piece)
    }

    /// One thing happens on one of the two ways.
    mutating func act(_ script: inout FuzzBytes) throws(FuzzFinding) {
        let choice = script.byte()
        count &+= 1
        if choice & 1 == 0 {
            Self.act(choice >> 1, &client, &server, &script, mark: count)
        } else {
            Self.act(choice >> 1, &server, &client, &script, mark: count)
        }
        for side in [client, server] { try side.checkBounds() }
        try expect(
            server.read.elementsEqual(client.written.prefix(server.read.count)), "a server read what was not written")
        try expect(
            client.read.elementsEqual(server.written.prefix(client.read.count)), "a client read what was not written")
    }

    /// - Parameter mark: what plaintext is made of.
    private static func act(
        _ choice: UInt8, _ from: inout FuzzSide, _ to: inout FuzzSide, _ script: inout FuzzBytes, mark: UInt8
    ) {
        switch choice & 7 {
        case 0, 1:
            carry(&from, &to, 1 << 20)
        case 2:
            carry(&from, &to, Int(script.byte()))
        case 3:
            from.write([UInt8](repeating: mark, count: Int(script.byte()) * 70))
        case 4 where !from.sent.isEmpty:
            // A bit is turned over.
            let place = Int(script.byte()) << 8 | Int(script.byte())
            from.sent[place % from.sent.count] ^= 1 << (script.byte() & 7)
        case 5:
            // Bytes are lost, or come twice.
            let piece = from.sent.prefix(Int(script.byte()))
            if script.flag() { from.sent.removeFirst(piece.count) } else { from.sent.insert(contentsOf: piece, at: 0) }
        case 6:
            from.sent.insert(contentsOf: script.bytes(Int(script.byte())), at: 0)
        case 7:
            from.session.finish()
            from.session.takeOutput(into: &from.sent)
        default: break
        }
    }
}
