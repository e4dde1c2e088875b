import CallControl
import ClusterModel
import NodeCore
import Orchestration
import SIPCore

// The calls that an operator asks for.
extension NodeShell {
    /// Calls that are looked at for a list: they stand in one turn of the loop.
    private static let maximumScan = 65_536
    /// Bytes of a Call-ID or tag that are told; phones choose them as long as they like.
    private static let maximumName = 128

    func callList(_ filter: CallFilter, request: UInt64) -> CallList {
        var list = CallList()
        list.request = request
        var dn: DNIndex?
        if !filter.dn.isEmpty {
            dn = core.index(of: filter.dn)
            // A name that this topology does not have fits nothing.
            guard dn != nil else { return list }
        }
        let point = DN(filter.routingPoint)
        guard point != nil || filter.routingPoint.isEmpty else { return list }
        // Not by state: another node may know that a call is further.
        let (calls, hasMore) = core.statefulProxy.calls.list(limit: Int(filter.limit), maximumScan: Self.maximumScan) {
            (dn == nil || $0.parties.caller == dn || $0.parties.callee == dn)
                && (point == nil || $0.parties.routingPoint == point)
        }
        list.entries = calls.map(entry)
        list.hasMore = hasMore
        return list
    }

    private func entry(_ call: Call) -> CallEntry {
        var entry = CallEntry()
        entry.callID = String(decoding: call.callID.prefix(Self.maximumName), as: UTF8.self)
        entry.callerTag = String(decoding: call.callerTag.prefix(Self.maximumName), as: UTF8.self)
        entry.caller = call.parties.caller.map { "\(topology.directory.dn(at: $0))" } ?? ""
        entry.callee = call.parties.callee.map { "\(topology.directory.dn(at: $0))" } ?? ""
        entry.state =
            switch call.state {
            case .calling: "calling"
            case .ringing: "ringing"
            case .established: "established"
            }
        entry.since = call.since.wallMilliseconds
        entry.connection = call.connection
        entry.callerText = call.callerText
        entry.dialledText = call.dialedText
        entry.routingPoint = call.parties.routingPoint.map { "\($0)" } ?? ""
        entry.cameHere = call.parties.isCallerNear
        if let held = core.control.summary(of: call.connection) {
            entry.routingPoint = "\(held.routingPoint)"
            entry.tried = held.tried.prefix(CallEntry.maximumTried).map { "\($0)" }
            if held.state == .waiting {
                entry.state = "waiting"
                entry.position = held.position
                // Since the phones that were rung last have been given up, or since it came.
                entry.callee = ""
            }
        }
        return entry
    }
}
