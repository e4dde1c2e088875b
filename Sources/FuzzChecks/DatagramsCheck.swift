import ClusterModel
import NodeCore
import SIPCore

/// A whole node that gets datagrams from a few sources, with time passing: it gives one answer at most, to the host that
/// asked, of a size that the request and the contacts account for, and its DNs are as their bindings say.
///
/// A byte of ones ends a datagram; the first byte of each says where it comes from and how much time has passed.
enum DatagramsCheck {
    static let separator: UInt8 = 0xFF
    private static let sources = [
        NetworkAddress(ipv4: 0x0A00_0001, port: 5066), NetworkAddress(ipv4: 0x0A00_0001, port: 5070),
        NetworkAddress(ipv4: 0xFFFF_FFFE, port: 65_535), NetworkAddress(high: .max, low: .max, port: 65_535),
    ]
    private static let steps: [UInt64] = [0, 1, 900, 31_000, 61_000, 301_000, 4_000_000, 400_000_000]
    private static let life: (node: NodeCore, now: Instant) = (FuzzCluster.node(0), FuzzCluster.start)

    static func check(_ input: [UInt8]) throws(FuzzFinding) {
        var (node, now) = life
        var answers = DatagramBatch()
        for piece in input.split(separator: separator, maxSplits: 64) {
            let control = piece[piece.startIndex]
            now = now.advanced(by: steps[Int(control >> 2) & 7] * 1_000_000)
            try pass(&node, now)
            let source = sources[Int(control) & 3]
            let datagram = Array(piece.dropFirst())
            node.datagramReceived(datagram.span, from: source, now: now, answers: &answers)
            try checkAnswers(answers, to: datagram.count, source, &node)
            answers.removeAll()
            try FuzzCluster.checkState(of: &node)
        }
        // Whatever was bound expires.
        now = now.advanced(by: 3_700_000_000_000)
        try pass(&node, now)
        try FuzzCluster.checkState(of: &node)
        try expect(node.registrar.bindingCount == 0, "a binding outlives the longest lifetime that there is")
    }

    private static func pass(_ node: inout NodeCore, _ now: Instant) throws(FuzzFinding) {
        if node.nextDeadline() <= now.monotonic { node.tick(now: now) }
        for case .dial(let peer) in node.takeActions() { node.dialFailed(peer, now: now) }
        try expect(node.nextDeadline() > now.monotonic, "a node asks to be called at once, for ever")
    }

    private static func checkAnswers(
        _ answers: DatagramBatch, to request: Int, _ source: NetworkAddress, _ node: inout NodeCore
    ) throws(FuzzFinding) {
        try expect(answers.count <= 1, "\(answers.count) answers to one datagram")
        guard let entry = answers.entries.first else { return }
        try expect(
            entry.destination.with(port: source.port) == source, "an answer goes to a host that did not ask")
        var contacts = 0
        for position in 0..<FuzzCluster.topology.directory.count {
            let bindings = node.registrar.bindings(of: DNIndex(position))
            try expect(bindings.count <= FuzzCluster.contactsPerDN, "a DN has more contacts than it may")
            contacts = max(
                contacts, bindings.reduce(0) { $0 + $1.contact.count + AnswerCheck.contactAllowance })
        }
        try AnswerCheck.check(answers.bytes(of: entry), to: request, contactBytes: contacts)
    }
}
