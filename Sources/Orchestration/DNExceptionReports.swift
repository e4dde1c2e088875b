import ClusterModel

// What the reports of several nodes say of DNs together.
extension NodeReport {
    /// The examples, with the name of the node that reports them.
    package func exceptions(of node: String) -> [DNException] {
        exceptions.map { exception in
            var named = exception
            named.node = node
            return named
        }
    }
}

extension DNException.Kind {
    /// Every node says it that sees it, and not one of them alone: of how many DNs it is so, the one with the most says best.
    package var isSaidByMany: Bool {
        switch self {
        case .notProvisioned, .claimedTwice, .ownerGone: true
        case .forbiddenHome, .awayFromHome, .notInService, .wrongPhone, .flapping, .agentWithoutDesktop,
            .endlessReservation, .endlessCall:
            false
        }
    }

    /// How many DNs there are in the cluster.
    ///
    /// - Parameter counts: of its nodes.
    package func total(of counts: [UInt64]) -> UInt64 {
        isSaidByMany
            ? counts.max() ?? 0 : counts.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 }
    }
}
