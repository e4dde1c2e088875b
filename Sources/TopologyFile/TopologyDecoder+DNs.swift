package import ClusterModel

/// The DNs as far as they are decoded.
package struct DNDeclarations {
    package var blocks: [DNBlock] = []
    /// For every block, the node that holds its number or range.
    package var places: [UInt32] = []
    /// The first list is empty: anywhere.
    package var homes: [[Int]] = [[]]
    package var homesPositions: [[Int]: Int] = [[]: 0]
    /// The first is nil: nothing.
    package var expectations: [ServiceExpectation?] = [nil]
    package var expectationPositions: [ServiceExpectation: Int] = [:]
    package var dialStrings: [DN: String] = [:]
    package var count = 0
    /// Every entry has a place in `blocks`, so that a DN not found there is not declared.
    package var isComplete = true
}

extension TopologyDecoder {
    package mutating func decodeDNs(_ top: Fields) {
        guard let section = top["dns"] else { return }
        guard tree.kind(of: section.value) == .sequence else {
            reportType(
                section, "a list of entries such as `- { range: 1000-1999, agentType: sip-phone }`",
                hint: "begin each entry with `- `"
            )
            return
        }
        dns.blocks.reserveCapacity(Int(tree.nodes[section.value].count))
        dns.places.reserveCapacity(Int(tree.nodes[section.value].count))
        var position = section.value + 1
        let end = tree.end(of: section.value)
        while position < end {
            let entry = tree.resolved(position)
            position = tree.end(of: position)
            decodeDN(
                Field(name: "", key: entry, value: entry), hasTypes: top["agentTypes"] != nil, top["dataCenters"] != nil
            )
        }
        reportOverlaps()
        if dns.count > DNDirectory.maximumCount {
            report(
                .tooMany, "`dns` declares more than \(DNDirectory.maximumCount) DNs", at: span(section.key),
                hint: "divide the DNs among several clusters"
            )
        }
    }

    /// - Parameters:
    ///   - hasTypes, hasDataCenters: without the section, that it is missing is reported once, and no reference to it.
    private mutating func decodeDN(_ entry: Field, hasTypes: Bool, _ hasDataCenters: Bool) {
        guard let fields = fields(of: entry, .dn) else {
            dns.isComplete = false
            return
        }
        let first = dnRange(entry, fields)
        let type = fields["agentType"].flatMap { agentTypePosition($0, hasTypes: hasTypes) }
        let homes = fields["homes"].map { homesPosition($0, hasDataCenters: hasDataCenters) } ?? 0
        let dial = fields["dial"].flatMap { dialString($0) }
        let expectation = fields["expect"].map { expectationPosition($0) } ?? 0
        if let type { checkDial(fields, agentTypes[type]) }
        guard let first else {
            dns.isComplete = false
            return
        }
        let place = fields["range"] ?? fields["number"] ?? entry
        dns.blocks.append(
            DNBlock(
                first: first.dn, count: first.count, agentType: type ?? 0, homes: homes ?? 0, expectation: expectation))
        dns.places.append(UInt32(place.value))
        dns.count = min(dns.count + min(first.count, DNDirectory.maximumCount + 1), DNDirectory.maximumCount + 1)
        if let dial { dns.dialStrings[first.dn] = dial }
    }

    private mutating func dnRange(_ entry: Field, _ fields: Fields) -> (dn: DN, count: Int)? {
        if let range = fields["range"], let number = fields["number"] {
            report(
                .contradiction, "an entry of `dns` has either `number` or `range`", at: span(number.key),
                secondary: span(range.key).labelled("`range` is here"), hint: "make two entries of it"
            )
            return nil
        }
        if let number = fields["number"] { return dn(number).map { ($0, 1) } }
        if let range = fields["range"] { return self.range(range) }
        // A key without a value is reported as that.
        if fields.empty.contains(where: { $0 == "range" || $0 == "number" }) { return nil }
        report(
            .missingKey, "an entry of `dns` has neither `range` nor `number`", at: span(entry.value),
            hint: "add `range: 1000-1999` or `number: 1000`"
        )
        return nil
    }

    /// A DN, as text as written.
    package mutating func dn(_ field: Field) -> DN? {
        guard tree.kind(of: field.value) == .scalar else {
            reportType(field, "a number such as `1000`")
            return nil
        }
        return DN(tree.bytes(of: field.value)) ?? reportBadDN(field)
    }

    private mutating func reportBadDN(_ field: Field) -> DN? {
        let bytes = tree.bytes(of: field.value)
        let reason: String
        if bytes.count > DN.maximumLength {
            reason = "has \(bytes.count) characters, and a DN has at most \(DN.maximumLength)"
        } else if let bad = String(decoding: bytes, as: UTF8.self).first(where: { !$0.utf8.allSatisfy(DN.isAllowed) }) {
            reason = "has the character \(SourceText.quoted(String(bad).utf8)), which a DN cannot have"
        } else {
            reason = "has no characters"
        }
        report(
            .badDN, "DN \(quoted(field.value)) \(reason)", at: span(field.value),
            hint: "a DN is 1 to \(DN.maximumLength) digits, letters or characters of * # + . _ -"
        )
        return nil
    }

    private mutating func range(_ field: Field) -> (dn: DN, count: Int)? {
        guard tree.kind(of: field.value) == .scalar else {
            reportType(field, "two numbers such as `1000-1999`")
            return nil
        }
        let bytes = tree.bytes(of: field.value)
        let ends = bytes.split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isASCIIDigit) }) else {
            return reportBadRange(
                field, "is not a range: two numbers with a hyphen, such as `1000-1999`", hint: rangeHint(bytes)
            )
        }
        guard ends[0].count == ends[1].count else {
            let padded = String(repeating: "0", count: max(0, ends[1].count - ends[0].count))
            let written = "`\(padded)\(String(decoding: bytes, as: UTF8.self))`"
            return reportBadRange(
                field, "has ends of different length, and a DN is text: `0042` is not `42`",
                hint: padded.isEmpty || ends[1].count > DN.maximumLength
                    ? "make a range for each length"
                    : "write \(written) if the zeros are dialled, or make a range for each length"
            )
        }
        guard let first = DN(ends[0]), let last = DN(ends[1]), let low = first.decimal, let high = last.decimal else {
            return reportBadRange(field, "has more than \(DN.maximumLength) digits at an end", hint: nil)
        }
        guard low <= high else {
            return reportBadRange(field, "ends before it begins", hint: "write `\(last)-\(first)`")
        }
        return (first, Int(high - low) + 1)
    }

    private func rangeHint(_ bytes: ArraySlice<UInt8>) -> String {
        let numbers = bytes.split { !$0.isASCIIDigit }.map { String(decoding: $0, as: UTF8.self) }
        if bytes.contains(where: { ($0 | 0x20).isSmallLetter }) {
            return "a range has digits only; declare other DNs by `number`"
        }
        switch numbers.count {
        case 1: return "write `number: \(numbers[0])` for a single DN"
        case 2: return "write `\(numbers[0])-\(numbers[1])`"
        default: return "make an entry of `dns` for each range"
        }
    }

    private mutating func reportBadRange(_ field: Field, _ what: String, hint: String?) -> (dn: DN, count: Int)? {
        report(.badRange, "\(quoted(field.value)) \(what)", at: span(field.value), hint: hint)
        return nil
    }

    private mutating func agentTypePosition(_ field: Field, hasTypes: Bool) -> Int? {
        guard let name = text(field, "the name of an agent type") else { return nil }
        if let position = agentTypePositions[name] { return position }
        if hasTypes { reportDangling(field, "agent type", agentTypePositions.keys, section: "agentTypes") }
        return nil
    }

    private mutating func homesPosition(_ field: Field, hasDataCenters: Bool) -> Int? {
        guard let items = items(field, "a list of data centers such as `[dc1, dc2]`") else { return nil }
        var homes: [Int] = []
        for item in items {
            guard let name = text(item, "names of data centers") else { continue }
            guard let position = dataCenterPositions[name] else {
                if hasDataCenters {
                    reportDangling(item, "data center", dataCenterPositions.keys, section: "dataCenters")
                }
                continue
            }
            if homes.contains(position) {
                report(
                    .duplicateKey, "`homes` names \(quoted(item.value)) twice", at: span(item.value),
                    hint: "name each data center once, the preferred one first"
                )
            } else {
                homes.append(position)
            }
        }
        if items.isEmpty {
            report(
                .wrongValue, "`homes` names no data center, so the DN could register nowhere", at: span(field.key),
                hint: "remove `homes` to let it register anywhere"
            )
        }
        if let position = dns.homesPositions[homes] { return position }
        dns.homesPositions[homes] = dns.homes.count
        dns.homes.append(homes)
        return dns.homes.count - 1
    }
}
