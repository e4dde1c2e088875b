package import ClusterModel
import DNOwnership
import SIPCore
import TLibraryPorts

/// What a node's process tells the one that takes its place: all DNs one after the other, while it serves on, and at the end, when
/// it serves no more, what has changed since and everything else.
///
/// What has changed is found by comparing with a copy of the tables from the beginning, so nothing on the way of a
/// registration need know of a handover, and nothing can be forgotten.
package struct HandoverSender: Sendable {
    /// Bytes after which a part is told: what one turn of the loop gives away of its time.
    package static let usualPart = 64 * 1024

    private let partSize: Int
    private let ownership: OwnershipMachine
    private let registrar: Registrar
    private var next = 0
    /// DNs that were told when they were not as in the copy: they may be so again at the end.
    private var toldChanged: Set<DNIndex> = []
    /// Events of the ports up to this one have been told.
    private var toldSequence: UInt64 = 0
    /// Events in one part.
    private static let feedPart = 512

    package init(_ core: borrowing NodeCore, partSize: Int = HandoverSender.usualPart) {
        self.partSize = partSize
        ownership = core.ownership
        registrar = core.registrar
    }

    /// DNs that have been looked at, of all.
    package var progress: (dns: Int, all: Int) { (next, ownership.topology.directory.count) }

    /// The next part of what is told while the node serves.
    ///
    /// - Returns: nil when there is no more.
    package mutating func nextPart(of core: inout NodeCore, now: Instant) -> [UInt8]? {
        var part = StateTransfer()
        let count = progress.all
        while next < count, part.bytes.count < partSize {
            let dn = DNIndex(next)
            next += 1
            if !core.ownership.isSame(dn, as: ownership) { toldChanged.insert(dn) }
            guard core.ownership.isKnown(dn) || core.registrar.hasBindings(dn) || core.findings.packedAges(of: dn) != 0
            else { continue }
            core.transfer(dn, &part, now: now)
        }
        if !part.bytes.isEmpty { return part.bytes }
        // What comes meanwhile may come for ever; the last of it goes with the last part.
        guard toldSequence + UInt64(Self.feedPart) < core.ports.sequence else { return nil }
        toldSequence = core.transferFeed(after: toldSequence, atMost: Self.feedPart, &part)
        return part.bytes
    }

    /// What is left, once nothing more happens at the node.
    package func lastPart(of core: inout NodeCore, now: Instant) -> [UInt8] {
        var part = StateTransfer()
        if !core.faults.contains(.claimLost) {
            let changed = toldChanged.union(
                core.ownership.changedDNs(since: ownership) + core.registrar.changedDNs(since: registrar))
            for dn in changed.sorted() { core.transfer(dn, &part, now: now) }
        }
        _ = core.transferFeed(after: toldSequence, &part)
        core.transferRest(&part)
        return part.bytes
    }
}
