import ClusterModel
import NodeCore
import SIPCore

/// A whole node that gets datagrams from a few sources, with time passing: it gives one answer at most, to the host that
/// asked, of a size that the request and the contacts account for, and its DNs are as their bindings say. The same again with
/// a node that wants to know who phones are, and limits sources.
///
/// A byte of ones ends a datagram; the first byte of each says where it comes from and how much time has passed.
struct DatagramsCheck {
    static let separator: UInt8 = 0xFF
    private static let sources = [
        NetworkAddress(ipv4: 0x0A00_0001, port: 5066), NetworkAddress(ipv4: 0x0A00_0001, port: 5070),
        NetworkAddress(ipv4: 0xFFFF_FFFE, port: 65_535), NetworkAddress(high: .max, low: .max, port: 65_535),
    ]
    private static let steps: [UInt64] = [0, 1, 900, 31_000, 61_000, 301_000, 4_000_000, 400_000_000]
    private static let open = DatagramsCheck(node: FuzzCluster.node(0), isStrict: false)
    private static let strict = DatagramsCheck(node: FuzzCluster.node(0, isStrict: true), isStrict: true)

    private var node: NodeCore
    private let isStrict: Bool
    private var now = FuzzCluster.start
    private var answers = DatagramBatch()

    private init(node: NodeCore, isStrict: Bool) {
        self.node = node
        self.isStrict = isStrict
    }

    static func check(_ input: [UInt8]) throws(FuzzFinding) {
        let pieces = input.split(separator: separator, maxSplits: 64)
        for start in [open, strict] {
            var check = start
            for piece in pieces {
                let control = piece[piece.startIndex]
                try check.pass(steps[Int(control >> 2) & 7] * 1_000_000)
                try check.receive(Array(piece.dropFirst()), from: sources[Int(control) & 3])
            }
            // Whatever was bound expires.
            try check.pass(3_700_000_000_000)
            try FuzzCluster.checkState(of: &check.node)
            try expect(
                check.node.registrar.bindingCount == 0, "a binding outlives the longest lifetime that there is")
        }
    }

    private mutating func pass(_ nanoseconds: UInt64) throws(FuzzFinding) {
        now = now.advanced(by: nanoseconds)
        if node.nextDeadline() <= now.monotonic { node.tick(now: now) }
        for case .dial(let peer) in node.takeActions() { node.dialFailed(peer, now: now) }
        try expect(node.nextDeadline() > now.monotonic, "a node asks to be called at once, for ever")
    }

    private mutating func receive(_ datagram: [UInt8], from source: NetworkAddress) throws(FuzzFinding) {
        let bindings = bindings()
        let limited = node.counters.limited
        node.datagramReceived(datagram.span, from: source, now: now, answers: &answers)
        try checkAnswers(to: datagram.count, source)
        let answer = answers.entries.first.map { answers.bytes(of: $0) } ?? []
        let isKnown = isStrict && FuzzHashes.couldBeRight(datagram)
        try expect(
            isKnown || answer.count <= NodeCore.maximumAmplification * datagram.count,
            "an answer of \(answer.count) bytes to \(datagram.count) bytes of somebody who may be anybody")
        let isAccepted = answer.starts(with: "SIP/2.0 200 ".utf8) && (isKnown || !isStrict)
        try expect(
            isAccepted || self.bindings() == bindings,
            "bindings change, and the answer is \(String(decoding: answer.prefix(40), as: UTF8.self))")
        try expect(
            node.counters.limited == limited || (isStrict && answer.isEmpty),
            "an answer to a datagram that is over its source's limit")
        answers.removeAll()
        try FuzzCluster.checkState(of: &node)
    }

    private func bindings() -> [[Binding]] {
        (0..<FuzzCluster.topology.directory.count).map { node.registrar.bindings(of: DNIndex($0)) }
    }

    private func checkAnswers(to request: Int, _ source: NetworkAddress) throws(FuzzFinding) {
        try expect(answers.count <= 1, "\(answers.count) answers to one datagram")
        guard let entry = answers.entries.first else { return }
        try expect(
            entry.destination.with(port: source.port) == source, "an answer goes to a host that did not ask")
        var contacts = 0
        for bindings in bindings() {
            try expect(bindings.count <= FuzzCluster.contactsPerDN, "a DN has more contacts than it may")
            contacts = max(
                contacts, bindings.reduce(0) { $0 + $1.contact.count + AnswerCheck.contactAllowance })
        }
        // A challenge names realm and nonce once for each algorithm.
        let own = isStrict ? 3 * 160 : 0
        try AnswerCheck.check(answers.bytes(of: entry), to: request + own, contactBytes: contacts)
    }
}
