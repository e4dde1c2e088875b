import AgentSessions
import ClusterModel

// Who is asked first follows from who is there.
extension RouterTable: Transferable {
    mutating func transfer(_ state: inout StateTransfer) {
        state.table(1, &routers)
        guard state.isReading else { return }
        first = [:]
        for point in Set(routers.values.flatMap(\.points)) { findFirst(for: point) }
    }

    /// Whether all are registered for routing points that there are.
    func isWithin(_ pointCount: Int) -> Bool { routers.values.allSatisfy { $0.points.allSatisfy { $0 < pointCount } } }
}

extension RouterTable.Router: Restorable {
    static var blank: RouterTable.Router { RouterTable.Router(name: "") }

    mutating func transfer(_ state: inout StateTransfer) {
        state.text(1, &name)
        var positions = points.sorted()
        state.points(2, &positions)
        if state.isReading { points = Set(positions) }
    }
}
