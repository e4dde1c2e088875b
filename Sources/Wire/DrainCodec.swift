import CProtobufC
import CTandemProto
import ClusterModel
import Orchestration

/// Puts what is asked and told of nodes that are drained into frames.
enum DrainCodec {
    /// - Parameter node: empty for the one that is told.
    static func pack(
        _ request: DrainRequest?, node: String, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__DrainRequest> {
        arena.make(tandem__control__drain_request__init) {
            $0.node = arena.string(node)
            guard let request else { return }
            $0.begins = 1
            $0.patience_milliseconds = request.patienceMilliseconds
            $0.pace = request.pace
        }
    }

    static func request(
        _ type: UInt16, _ payload: RawSpan
    ) throws(WireError) -> (node: String, request: DrainRequest?) {
        try unpack(
            type: type, tandem__control__drain_request__descriptor, payload, as: Tandem__Control__DrainRequest.self
        ) { (message) throws(WireError) in
            guard message.begins != 0 else { return (text(message.node), nil) }
            var request = DrainRequest()
            request.patienceMilliseconds = message.patience_milliseconds
            request.pace = message.pace
            guard DrainRequest.patienceBounds.contains(request.patienceMilliseconds),
                DrainRequest.paceBounds.contains(request.pace)
            else { throw .badValue(type: type, field: "time or pace") }
            return (text(message.node), request)
        }
    }

    static func pack(
        _ report: DrainReport, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__DrainReport> {
        arena.make(tandem__control__drain_report__init) {
            $0.milliseconds_left = report.millisecondsLeft
            $0.sent_elsewhere = report.sentElsewhere
            $0.closed_flows = report.closedFlows
            $0.asked_desktops = report.askedDesktops
            let staying = report.staying.prefix(DrainReport.maximumStaying)
            $0.n_staying = staying.count
            $0.staying = arena.array(
                staying.map { phones in
                    Optional(
                        arena.make(tandem__control__staying_phones__init) {
                            $0.agent = arena.string(phones.agent)
                            $0.count = phones.count
                        })
                })
        }
    }

    static func report(
        _ message: Tandem__Control__DrainReport, type: UInt16
    ) throws(WireError) -> DrainReport {
        guard message.n_staying <= DrainReport.maximumStaying else { throw .tooMany(type: type) }
        var report = DrainReport()
        report.millisecondsLeft = message.milliseconds_left
        report.sentElsewhere = message.sent_elsewhere
        report.closedFlows = message.closed_flows
        report.askedDesktops = message.asked_desktops
        report.staying = messages(message.n_staying, message.staying).map {
            DrainReport.Staying(agent: text($0.pointee.agent), count: $0.pointee.count)
        }
        return report
    }
}
