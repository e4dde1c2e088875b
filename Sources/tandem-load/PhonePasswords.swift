import ClusterModel
import Digests
import SIPCore

/// How many phones prove that they know a password (RFC 7616; RFC 2069 to a node that offers no qop).
///
/// A phone keeps the nonce of its last challenge and counts how often it used it, so a refresh takes one round trip. All
/// that a phone has to remember lies in arrays for all phones: to prove a password allocates nothing.
final class PhonePasswords {
    /// The longest nonce that a phone can remember.
    private static let nonceRoom = 160
    /// How often a phone tries again before it takes the refusal for an answer.
    private static let patience: UInt8 = 3

    private let algorithm: DigestAlgorithm
    private let hashes: LibcryptoHashes
    private let password: [UInt8]
    private let uri: [UInt8]
    private let cnonce: [UInt8]
    /// Of method and URI, as hexadecimal digits: the same for all requests.
    private let ha2: [UInt8]
    /// Of the first challenge.
    private var realm: [UInt8] = []
    private var hasQuality = false

    /// By phone: HA1 as hexadecimal digits.
    private var ha1: [UInt8]
    /// By phone: the nonce, and how long it is; none has no length.
    private var nonces: [UInt8]
    private var nonceLengths: [UInt8]
    /// By phone: how often the nonce was used, the request under way included.
    private var nonceCounts: [UInt32]
    /// By phone: challenges since its last request that was accepted.
    private var refusals: [UInt8]
    private var text: [UInt8] = []
    private var hash: [UInt8] = []

    /// - Parameters:
    ///   - cnonce: text without quotes that no other run has.
    init(algorithm: DigestAlgorithm, password: String, domain: String, cnonce: String, phones: Int) throws {
        guard let hashes = LibcryptoHashes() else { throw LoadFailure("this libcrypto has no \(algorithm.name)") }
        self.algorithm = algorithm
        self.hashes = hashes
        self.password = Array(password.utf8)
        self.cnonce = Array(cnonce.utf8)
        uri = Array("sip:\(domain)".utf8)
        hashes.hash(algorithm, of: (Array("REGISTER:".utf8) + uri).span, into: &hash)
        var digits: [UInt8] = []
        for byte in hash { digits.appendHexadecimal(byte) }
        ha2 = digits
        ha1 = Array(repeating: 0, count: phones * 2 * algorithm.byteCount)
        nonces = Array(repeating: 0, count: phones * Self.nonceRoom)
        nonceLengths = Array(repeating: 0, count: phones)
        nonceCounts = Array(repeating: 0, count: phones)
        refusals = Array(repeating: 0, count: phones)
    }

    // MARK: Challenges

    /// Takes a 401 to a phone's request.
    func challenged(_ phone: Int, dn: UInt64, by answer: Span<UInt8>) throws {
        guard let challenge = DigestChallenge(answer, algorithm) else {
            throw LoadFailure("the node asks for a password, but not with \(algorithm.name)")
        }
        guard challenge.nonce.count <= Self.nonceRoom else { throw LoadFailure("a nonce is too long") }
        refusals[phone] += 1
        guard refusals[phone] <= Self.patience else { throw LoadFailure("the node refuses the password of DN \(dn)") }
        hasQuality = challenge.hasQuality
        try learn(answer, challenge.realm)
        if nonceLengths[phone] == 0 { makeHA1(phone, dn) }
        nonceLengths[phone] = UInt8(challenge.nonce.count)
        nonceCounts[phone] = 0
        let start = phone * Self.nonceRoom - challenge.nonce.lowerBound
        for position in challenge.nonce { nonces[start + position] = answer[position] }
    }

    /// A phone's request was accepted.
    func accepted(_ phone: Int) { refusals[phone] = 0 }

    private func learn(_ answer: Span<UInt8>, _ range: Range<Int>) throws {
        if realm.isEmpty {
            for position in range { realm.append(answer[position]) }
        }
        guard realm.count == range.count,
            realm.indices.allSatisfy({ realm[$0] == answer[range.lowerBound + $0] })
        else { throw LoadFailure("the node asks in the name of two realms") }
    }

    private func makeHA1(_ phone: Int, _ dn: UInt64) {
        text.removeAll(keepingCapacity: true)
        text += String(dn).utf8
        text.append(UInt8(ascii: ":"))
        text += realm
        text.append(UInt8(ascii: ":"))
        text += password
        hashText()
        text.removeAll(keepingCapacity: true)
        for byte in hash { text.appendHexadecimal(byte) }
        ha1.replaceSubrange(phone * text.count..<(phone + 1) * text.count, with: text)
    }

    private func hashText() {
        // A span can be had of a variable, not of a property of an object.
        var text: [UInt8] = []
        swap(&text, &self.text)
        defer { swap(&text, &self.text) }
        hash.removeAll(keepingCapacity: true)
        hashes.hash(algorithm, of: text.span, into: &hash)
    }

    // MARK: Answers

    /// Counts a new request of a phone; one that is sent again is the same request.
    func begin(_ phone: Int) { nonceCounts[phone] &+= 1 }

    /// Appends the Authorization header of a phone that was challenged before, with its line end.
    func append(_ phone: Int, dn: UInt64, to output: inout [UInt8]) {
        guard nonceLengths[phone] > 0 else { return }
        makeResponse(phone)
        output += "Authorization: Digest username=\"".utf8
        output.appendDecimal(dn)
        output += "\", realm=\"".utf8
        output += realm
        output += "\", nonce=\"".utf8
        output += nonce(phone)
        output += "\", uri=\"".utf8
        output += uri
        output += "\", response=\"".utf8
        for byte in hash { output.appendHexadecimal(byte) }
        output += "\", algorithm=".utf8
        output += algorithm.name.utf8
        if hasQuality {
            output += ", qop=auth, nc=".utf8
            output.appendHexadecimal(nonceCounts[phone])
            output += ", cnonce=\"".utf8
            output += cnonce
            output.append(UInt8(ascii: "\""))
        }
        output.append(13)
        output.append(10)
    }

    private func nonce(_ phone: Int) -> ArraySlice<UInt8> {
        nonces[phone * Self.nonceRoom..<phone * Self.nonceRoom + Int(nonceLengths[phone])]
    }

    /// H(HA1 ":" nonce ":" nc ":" cnonce ":auth:" HA2), or H(HA1 ":" nonce ":" HA2) without qop.
    private func makeResponse(_ phone: Int) {
        text.removeAll(keepingCapacity: true)
        text += ha1[phone * ha2.count..<(phone + 1) * ha2.count]
        text.append(UInt8(ascii: ":"))
        text += nonce(phone)
        text.append(UInt8(ascii: ":"))
        if hasQuality {
            text.appendHexadecimal(nonceCounts[phone])
            text.append(UInt8(ascii: ":"))
            text += cnonce
            text += ":auth:".utf8
        }
        text += ha2
        hashText()
    }
}

extension [UInt8] {
    fileprivate mutating func appendHexadecimal(_ byte: UInt8) {
        appendHexadecimal(digit: byte >> 4)
        appendHexadecimal(digit: byte & 15)
    }

    fileprivate mutating func appendHexadecimal(_ word: UInt32) {
        for shift in stride(from: 24, through: 0, by: -8) {
            appendHexadecimal(UInt8(truncatingIfNeeded: word >> shift))
        }
    }

    private mutating func appendHexadecimal(digit: UInt8) { append(digit < 10 ? 48 + digit : 87 + digit) }

    fileprivate mutating func appendDecimal(_ value: UInt64) {
        if value >= 10 { appendDecimal(value / 10) }
        append(UInt8(48 + value % 10))
    }
}
