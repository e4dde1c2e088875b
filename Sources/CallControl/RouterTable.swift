import ClusterModel

/// The routers that have registered for routing points. Of each routing point one is asked about all calls, so that these wait in
/// one order; all nodes find the same one, as its name decides. The others stand by.
struct RouterTable: Sendable {
    struct Router {
        var name: String
        var points: Set<Int> = []
    }

    var routers: [RouterID: Router] = [:]
    /// By routing point: the one that is asked.
    var first: [Int: RouterID] = [:]

    mutating func register(_ router: RouterID, name: String, for point: Int) {
        routers[router, default: Router(name: name)].points.insert(point)
        findFirst(for: point)
    }

    /// - Parameter point: nil for all.
    mutating func unregister(_ router: RouterID, from point: Int?) {
        if let point { routers[router]?.points.remove(point) } else { routers[router] = nil }
        for known in first.keys.sorted() where point == nil || point == known { findFirst(for: known) }
    }

    func isRegistered(_ router: RouterID, for point: Int) -> Bool {
        routers[router]?.points.contains(point) == true
    }

    /// The one whose name is least; of two connections of a name the older one.
    func best(for point: Int) -> RouterID? { first[point] }

    func count(for point: Int) -> Int { routers.values.count { $0.points.contains(point) } }

    mutating func findFirst(for point: Int) {
        first[point] =
            routers.filter { $0.value.points.contains(point) }.min { left, right in
                let (one, other) = (left.value.name, right.value.name)
                return one != other ? one.utf8.lexicographicallyPrecedes(other.utf8) : left.key < right.key
            }?.key
    }
}
