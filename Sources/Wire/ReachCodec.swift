import CTandemProto
import Orchestration

/// What callers of each node could be connected with, in frames.
enum ReachCodec {
    static func pack(
        _ reach: ReachReport, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__ReachReport> {
        arena.make(tandem__control__reach_report__init) {
            $0.report = ReportCodec.pack(reach.report, arena)
            $0.n_points = reach.points.count
            $0.points = arena.array(
                reach.points.map { point in
                    Optional(
                        arena.make(tandem__control__point_reach__init) {
                            $0.number = arena.string(point.number)
                            $0.waiting = point.waiting
                            $0.fitting = point.fitting
                            $0.available = point.available
                        })
                })
        }
    }

    static func report(
        _ message: borrowing Tandem__Control__ReachReport, type: UInt16
    ) throws(WireError) -> ReachReport {
        guard message.n_points <= PointReport.maximumCount else { throw .tooMany(type: type) }
        guard let report = message.report else { throw .badValue(type: type, field: "report") }
        var reach = ReachReport()
        reach.report = try ReportCodec.nodeReport(report.pointee, type: type)
        for packed in messages(message.n_points, message.points) {
            var point = PointReach(text(packed.pointee.number))
            point.waiting = packed.pointee.waiting
            point.fitting = packed.pointee.fitting
            point.available = packed.pointee.available
            guard max(point.waiting, point.fitting, point.available) < 1 << 48 else {
                throw .badValue(type: type, field: "figure")
            }
            reach.points.append(point)
        }
        return reach
    }

    static func pack(
        _ nodes: [NodeReach], _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__ReachAnswers> {
        arena.make(tandem__control__reach_answers__init) {
            $0.n_nodes = nodes.count
            $0.nodes = arena.array(
                nodes.map { node in
                    Optional(
                        arena.make(tandem__control__node_reach__init) {
                            $0.name = arena.string(node.name)
                            $0.data_center = arena.string(node.dataCenter)
                            $0.state = arena.string(node.state.rawValue)
                            $0.report = node.report.map { pack($0, arena) }
                        })
                })
        }
    }

    static func nodes(
        _ message: borrowing Tandem__Control__ReachAnswers, type: UInt16
    ) throws(WireError) -> [NodeReach] {
        var nodes: [NodeReach] = []
        for packed in messages(message.n_nodes, message.nodes) {
            var node = NodeReach(text(packed.pointee.name), dataCenter: text(packed.pointee.data_center))
            node.state = NodeState(rawValue: text(packed.pointee.state)) ?? .stopped
            if let report = packed.pointee.report { node.report = try self.report(report.pointee, type: type) }
            nodes.append(node)
        }
        return nodes
    }
}
