import ClusterModel
import TLS

/// TLS sessions. Hostile bytes alone never open one, whichever its side. Between two honest sessions, whatever is done to what
/// they say to each other, nothing comes out that was not written at the other side, in its order; and what waits anywhere
/// stays within its bound.
///
/// The first byte chooses: bytes for a server, bytes for a client, or two sessions and what happens between them.
struct TLSCheck {
    static func check(_ input: [UInt8]) throws(FuzzFinding) {
        guard let first = input.first, let contexts else { return }
        let rest = Array(input.dropFirst())
        switch first & 3 {
        case 0: try checkBytes(rest, contexts.server, step: Int(first >> 2))
        case 1: try checkBytes(rest, contexts.client, step: Int(first >> 2))
        case 2: try checkPair(rest, contexts, isOpen: false)
        default: try checkPair(rest, contexts, isOpen: true)
        }
    }

    struct Contexts {
        let server: TLSContext
        let client: TLSContext
    }

    /// They never change, and remember nothing of their sessions.
    nonisolated(unsafe) private static let contexts = makeContexts()

    private static func makeContexts() -> Contexts? {
        let own = TLSContext.Material(
            certificate: FuzzCertificate.certificate, key: FuzzCertificate.key,
            authorities: FuzzCertificate.certificate)
        guard let server = try? TLSContext(.server, own), let client = try? TLSContext(.client, own) else { return nil }
        return Contexts(server: server, client: client)
    }

    // MARK: Bytes

    private static func checkBytes(_ bytes: [UInt8], _ context: TLSContext, step: Int) throws(FuzzFinding) {
        guard let session = try? TLSSession(context, expecting: .host("fuzz")) else { return }
        var side = FuzzSide(session)
        side.advance()
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + (step == 0 ? bytes.count : step))
            side.receive(Array(bytes[start..<end]))
            start = end
            try side.checkBounds()
            // Nobody who knows no key can have signed what this session has said just now.
            try expect(session.phase == .handshaking || session.phase == .failed, "bytes alone have opened a session")
        }
        try expect(side.read.isEmpty, "bytes alone were decrypted")
    }

    // MARK: Pairs

    private static func checkPair(_ bytes: [UInt8], _ contexts: Contexts, isOpen: Bool) throws(FuzzFinding) {
        guard let client = try? TLSSession(contexts.client, expecting: .host("fuzz")),
            let server = try? TLSSession(contexts.server)
        else { return }
        var pair = FuzzPair(client, server)
        if isOpen {
            pair.shakeHands()
            try expect(client.phase == .open && server.phase == .open, "two honest sessions do not open")
        }
        var script = FuzzBytes(bytes)
        // As many as a session can well be asked for in a moment.
        for _ in 0..<64 where !script.isEmpty { try pair.act(&script) }
    }
}
