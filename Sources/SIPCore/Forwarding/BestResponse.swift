package import ClusterModel

/// Which of the final responses of a forked request the caller gets (RFC 3261 section 16.7, item 6).
package struct BestResponse: Equatable, Sendable {
    /// The branch that it came from, and its status; nil before the first.
    package private(set) var best: (branch: Int, status: UInt16)?
    private var isOwn = false

    /// None yet.
    package init() {}

    package static func == (left: BestResponse, right: BestResponse) -> Bool {
        left.best?.branch == right.best?.branch && left.best?.status == right.best?.status
    }

    /// A branch has ended with a final response other than 2xx, which are sent on at once.
    ///
    /// - Parameter isOwn: it came from another node of the cluster, which knows as much as this one of what a further request would meet.
    /// - Returns: whether it is better than those before.
    @discardableResult
    package mutating func consider(_ status: UInt16, of branch: Int, isOwn: Bool = false) -> Bool {
        if let best, Self.rank(best.status) <= Self.rank(status) { return false }
        best = (branch, status)
        self.isOwn = isOwn
        return true
    }

    /// What the caller is told: that this server is overloaded he is told only if it is (section 16.7).
    package var status: UInt16? { best.map { $0.status == 503 && !isOwn ? 500 : $0.status } }

    /// The lowest wins: 6xx, then the lowest class; among 4xx those after which the caller can try again with more.
    private static func rank(_ status: UInt16) -> Int {
        switch status {
        case 600...: 0
        case 300..<400: 1
        case 401, 407, 415, 420, 484: 2
        // Of a phone that did not answer in time little is learned.
        case 408: 4
        case 400..<500: 3
        case 503: 6
        case _: 5
        }
    }
}

extension BestResponse: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        var branch = best.map { Int64($0.branch) } ?? 0
        var status = best?.status
        state.signed(1, &branch)
        state.optional(2, &status)
        state.flag(3, &isOwn)
        if state.isReading { best = status.map { (Int(branch), $0) } }
    }
}
