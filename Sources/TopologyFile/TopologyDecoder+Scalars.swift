import ClusterModel

extension TopologyDecoder {
    /// A scalar's text.
    ///
    /// - Parameter wanted: what to ask for when it is something else.
    package mutating func text(_ field: Field, _ wanted: @autoclosure () -> String) -> String? {
        guard tree.kind(of: field.value) == .scalar, !tree.isNull(field.value) else {
            reportType(field, wanted(), hint: hintForSingle(field.value))
            return nil
        }
        return tree.text(of: field.value)
    }

    /// A list with one text in it is often meant as that text.
    private func hintForSingle(_ node: Int) -> String? {
        guard tree.kind(of: node) == .sequence, tree.nodes[node].count == 1 else { return nil }
        let child = tree.resolved(node + 1)
        guard tree.kind(of: child) == .scalar, tree.bytes(of: child).count < 60 else { return nil }
        return "write \(quoted(child)) without brackets"
    }

    /// The entries of a list, as fields of the list's name.
    package mutating func items(_ field: Field, _ wanted: String) -> [Field]? {
        guard tree.kind(of: field.value) == .sequence else {
            let isText = tree.kind(of: field.value) == .scalar && !tree.isNull(field.value)
            let written =
                tree.nodes[field.value].isPlain ? tree.text(of: field.value) : "\"\(tree.text(of: field.value))\""
            reportType(field, wanted, hint: isText && written.utf8.count < 60 ? "write `[ \(written) ]`" : nil)
            return nil
        }
        return tree.children(of: field.value).map {
            Field(name: field.name, key: tree.resolved($0), value: tree.resolved($0))
        }
    }

    /// The name of the cluster.
    package mutating func name(_ field: Field) -> String? {
        guard let text = text(field, "a name such as `two-datacenters`") else { return nil }
        return checkName(Field(name: text, key: field.value, value: field.value)) ? text : nil
    }

    /// Reports a name that is no `[a-z0-9][a-z0-9-]{0,30}`.
    package mutating func checkName(_ field: Field) -> Bool {
        let bytes = Array(field.name.utf8)
        let isGood =
            (1...31).contains(bytes.count) && bytes[0] != UInt8(ascii: "-")
            && bytes.allSatisfy { $0.isSmallLetter || $0.isASCIIDigit || $0 == UInt8(ascii: "-") }
        guard !isGood else { return true }
        let repaired = String(
            decoding: field.name.lowercased().utf8.map { $0.isSmallLetter || $0.isASCIIDigit ? $0 : UInt8(ascii: "-") }
                .drop { $0 == UInt8(ascii: "-") }.prefix(31),
            as: UTF8.self
        )
        let reason =
            bytes.count > 31
            ? "has \(bytes.count) characters, and a name has at most 31"
            : "is not a name: names are small letters, digits and hyphens, and begin with a letter or digit"
        report(
            .badName, "\(quoted(field.key)) \(reason)", at: span(field.key),
            hint: repaired.isEmpty ? nil : "`\(repaired)` would do"
        )
        return false
    }

    /// One of a few words.
    package mutating func word(_ field: Field, _ words: [String]) -> String? {
        guard let text = text(field, Self.listed(words, "or")) else { return nil }
        if words.contains(text) { return text }
        let nearest = Suggestion.nearest(to: text, among: words)
        report(
            .wrongValue, "`\(field.name)` is \(Self.listed(words, "or")), not \(quoted(field.value))",
            at: span(field.value), hint: nearest.map { "did you mean `\($0)`?" }
        )
        return nil
    }

    /// A whole number.
    package mutating func number(_ field: Field, _ bounds: ClosedRange<Int>) -> Int? {
        let wanted = "a number from \(bounds.lowerBound) to \(bounds.upperBound)"
        guard let text = text(field, wanted) else { return nil }
        guard let value = Int(text), text.utf8.allSatisfy(\.isASCIIDigit), bounds.contains(value) else {
            report(
                .wrongValue, "`\(field.name)` must be \(wanted), and is \(quoted(field.value))", at: span(field.value)
            )
            return nil
        }
        return value
    }

    /// A whole number with its unit: `500ms`, `2s`, `5m`, `1h`.
    package mutating func duration(_ field: Field, _ bounds: ClosedRange<Duration>) -> Duration? {
        guard let text = text(field, "a duration such as `500ms`, `2s`, `5m` or `1h`") else { return nil }
        let digits = text.utf8.prefix(while: \.isASCIIDigit)
        let unit = String(text.utf8.dropFirst(digits.count)) ?? ""
        guard let milliseconds = Self.milliseconds(in: unit), let value = Int64(String(digits) ?? ""), value < 1 << 40
        else {
            reportDuration(field, digits: String(digits) ?? "", unit: unit)
            return nil
        }
        let duration = Duration.milliseconds(value * milliseconds)
        guard bounds.contains(duration) else {
            report(
                .wrongValue,
                "`\(field.name)` must be between \(Self.words(bounds.lowerBound)) and \(Self.words(bounds.upperBound)), "
                    + "and is \(quoted(field.value))",
                at: span(field.value)
            )
            return nil
        }
        return duration
    }

    private mutating func reportDuration(_ field: Field, digits: String, unit: String) {
        if !digits.isEmpty && unit.isEmpty {
            report(
                .wrongUnit, "`\(field.name)` is a duration and needs a unit", at: span(field.value),
                hint: "write `\(digits)ms`, `\(digits)s`, `\(digits)m` or `\(digits)h`, whichever is meant"
            )
            return
        }
        let lower = unit.lowercased()
        if ["d", "day", "days"].contains(lower.trimmedOfSpaces), let days = Int64(digits), days < 1 << 20 {
            report(
                .wrongUnit, "\(quoted(field.value)) is not a duration: a whole number with ms, s, m or h",
                at: span(field.value), hint: "write `\(days * 24)h`"
            )
            return
        }
        let known = ["ms", "s", "m", "h"]
        let meant = known.first { lower.trimmedOfSpaces == $0 } ?? Self.longUnits[lower.trimmedOfSpaces]
        report(
            .wrongUnit, "\(quoted(field.value)) is not a duration: a whole number with ms, s, m or h",
            at: span(field.value),
            hint: digits.isEmpty
                ? "durations look like `500ms`, `2s`, `5m`, `1h`"
                : meant.map { "write `\(digits)\($0)`" }
                    ?? "write a smaller unit instead of fractions or sums: `1500ms`, not `1.5s`; `90s`, not `1m30s`"
        )
    }

    private static let longUnits = [
        "sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m", "minute": "m",
        "minutes": "m", "hour": "h", "hours": "h", "hr": "h", "msec": "ms", "millis": "ms", "milliseconds": "ms",
    ]

    private static func milliseconds(in unit: String) -> Int64? {
        switch unit {
        case "ms": 1
        case "s": 1000
        case "m": 60_000
        case "h": 3_600_000
        default: nil
        }
    }

    /// A duration in the largest unit that says it exactly.
    package static func words(_ duration: Duration) -> String {
        let milliseconds = Int64(duration.nanoseconds / 1_000_000)
        for (unit, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1000)] as [(String, Int64)]
        where milliseconds >= size && milliseconds % size == 0 {
            return "\(milliseconds / size)\(unit)"
        }
        return milliseconds == 0 ? "0s" : "\(milliseconds)ms"
    }
}

extension String {
    fileprivate var trimmedOfSpaces: String { filter { $0 != " " } }
}

extension UInt8 {
    /// `0` to `9`.
    package var isASCIIDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
    /// `a` to `z`.
    package var isSmallLetter: Bool { self >= UInt8(ascii: "a") && self <= UInt8(ascii: "z") }
}
