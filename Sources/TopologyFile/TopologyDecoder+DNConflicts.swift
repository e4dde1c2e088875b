package import ClusterModel

extension TopologyDecoder {
    /// What is dialled: digits, `*` and `#`, perhaps with a leading plus sign.
    package mutating func dialString(_ field: Field) -> String? {
        guard let text = text(field, "a number such as `\"+15551230001\"`") else { return nil }
        let digits = text.utf8.first == UInt8(ascii: "+") ? text.utf8.dropFirst() : text.utf8[...]
        let isGood =
            (1...32).contains(digits.count)
            && digits.allSatisfy { $0.isASCIIDigit || $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "#") }
        guard !isGood else { return text }
        report(
            .badDN, "\(quoted(field.value)) cannot be dialled", at: span(field.value),
            hint: "write 1 to 32 digits, * or #, perhaps with a leading +, and no spaces or hyphens"
        )
        return nil
    }

    /// A PSTN phone is reached by dialling, each DN by a number of its own; a SIP phone where it registers.
    package mutating func checkDial(_ fields: Fields, _ type: AgentType) {
        guard let place = fields["agentType"] else { return }
        switch (type.phone, fields["dial"]) {
        case (.sip, let dial?):
            report(
                .wrongPhone, "agent type `\(type.name)` has SIP phones, which are reached where they register",
                at: span(dial.key), hint: "remove `dial`, or use an agent type with `phone: pstn`"
            )
        case (.pstn, _) where fields["range"] != nil:
            report(
                .wrongPhone, "agent type `\(type.name)` has PSTN phones, and a range cannot say what to dial for each",
                at: span(fields["range"]?.key ?? place.value),
                hint: "make an entry for each DN: `- { number: 7001, agentType: \(type.name), dial: \"+15551230001\" }`"
            )
        case (.pstn, nil):
            report(
                .wrongPhone, "agent type `\(type.name)` has PSTN phones, and there is no `dial` for this DN",
                at: span(place.value), hint: "add what to dial, such as `dial: \"+15551230001\"`"
            )
        case (.pstn, _), (.sip, nil):
            break
        }
    }

    /// A run of DNs on a line on which no two may overlap: numbers by length and value, other DNs by text.
    private struct Run {
        var length: UInt8
        var first: UInt64
        var last: UInt64
        var low: UInt64
        var block: UInt32

        init(_ block: DNBlock, position: Int) {
            if let decimal = block.first.decimal {
                (length, first, last, low) = (UInt8(block.first.length), decimal, decimal + UInt64(block.count) - 1, 0)
            } else {
                (length, first, last, low) = (255, block.first.high, block.first.high, block.first.low)
            }
            self.block = UInt32(position)
        }

        static func isBefore(_ left: Run, _ right: Run) -> Bool {
            if left.length != right.length { return left.length < right.length }
            if left.first != right.first { return left.first < right.first }
            if left.low != right.low { return left.low < right.low }
            return left.block < right.block
        }

        /// - Precondition: `other` does not stand before this run.
        func overlaps(_ other: Run) -> Bool {
            length == other.length && other.first <= last && (length != 255 || low == other.low)
        }
    }

    /// Reports every declaration that shares a DN with one that reaches further.
    package mutating func reportOverlaps() {
        var runs: [Run] = []
        runs.reserveCapacity(dns.blocks.count)
        for (position, block) in dns.blocks.enumerated() { runs.append(Run(block, position: position)) }
        runs.sort(by: Run.isBefore)
        guard var furthest = runs.first else { return }
        for run in runs.dropFirst() {
            if furthest.overlaps(run) { reportOverlap(run, furthest) }
            if run.length != furthest.length || run.last > furthest.last || run.length == 255 { furthest = run }
        }
    }

    private mutating func reportOverlap(_ left: Run, _ right: Run) {
        let places = [left, right].map { Int(dns.places[Int($0.block)]) }.sorted()
        let shared = (first: max(left.first, right.first), last: min(left.last, right.last))
        let first = dns.blocks[Int(left.block)].first
        let count = shared.last - shared.first + 1
        let last = left.length == 255 ? first : DN(decimal: shared.last, length: Int(left.length))
        report(
            .overlappingDNs,
            count == 1 ? "DN \(first) is declared twice" : "DNs \(first) to \(last) are declared twice",
            at: span(places[1]), secondary: span(places[0]).labelled("first declared here"),
            hint: left.first == right.first && left.last == right.last
                ? "remove one of the two"
                : count == 1 ? "remove it from one of the two" : "let one of the two end before the other begins"
        )
    }
}
