import ClusterModel
import Orchestration

// The calls that the DN has, and where others can come from.
extension DNExplanation {
    /// A sentence a call.
    ///
    /// - Parameter now: milliseconds since 1970.
    package func callPart(now: UInt64) -> [String] {
        let doubt = details.ownerAnswered ? "" : ", as other nodes knew it last"
        return details.calls.map { call in
            let words = CallScreen.words(call, now: now)
            return words.prefix(1).uppercased() + words.dropFirst() + doubt + "."
        }
    }

    /// The nodes at which a call to the DN, or one that is routed there, can be given to it: those that hear its owner.
    package var reachPart: String {
        let beginning = "Can take calls from: "
        if !showing.isEmpty { return beginning + showing.joined(separator: ", ") }
        if details.answers.allSatisfy({ $0.report == nil }) { return beginning + "not known, as no node answered" }
        guard details.lastWord.isInService else {
            return beginning + "nobody, as it is out of service (\(details.lastWord.reason ?? ""))"
        }
        return beginning + "nobody, as no node that answers has a live link to its owner \(owner)"
    }
}
