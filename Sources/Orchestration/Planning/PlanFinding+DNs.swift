import ClusterModel

// What nodes report of DNs, in words.
extension PlanFinding {
    /// Of how many DNs of a kind it is told one by one.
    package static let maximumDetails = 5

    /// - Parameters:
    ///   - exceptions: some of this kind, in any order.
    ///   - number: how many there are.
    package init(_ kind: DNException.Kind, _ exceptions: [DNException], count number: UInt64) {
        let listed = Self.told(exceptions)
        let words = kind.words
        let subject =
            number == 1 ? listed.first.map { "DN \($0.dn)" } ?? "1 DN" : PlanWords.count(number, "DN")
        let shown = listed.prefix(Self.maximumDetails)
        self.init(
            .dn(kind), shown.map(\.dn.description), count: number,
            "\(subject) \(number == 1 ? words.one : words.many)")
        details = shown.map { exception in
            let detail = exception.detail.isEmpty ? "" : ", \(exception.detail)"
            return "\(exception.dn) at \(exception.node)\(detail), for \(PlanWords.time(exception.milliseconds))"
        }
        if number > UInt64(shown.count), !shown.isEmpty { details.append("and \(number - UInt64(shown.count)) more") }
        byItself = words.byItself
        remedy = words.remedy
        command = words.command.isEmpty ? "tandem dn list" : words.command
        if let first = shown.first { command = command.replacingDN(with: first.dn.description) }
    }

    /// Each DN once, rising: of several nodes that report it the one that has seen it for longest.
    static func told(_ exceptions: [DNException]) -> [DNException] {
        let all = exceptions.sorted { ($1.milliseconds, $0.node, $0.detail) < ($0.milliseconds, $1.node, $1.detail) }
        let first = Dictionary(all.map { ($0.dn, $0) }, uniquingKeysWith: { first, _ in first })
        return first.values.sorted { $0.dn < $1.dn }
    }
}

extension String {
    /// The word `DN` in a command, as a DN.
    fileprivate func replacingDN(with dn: String) -> String {
        split(separator: " ").map { $0 == "DN" ? dn : String($0) }.joined(separator: " ")
    }
}
