/// An entry of a mapping: the positions of its key and of its value, aliases resolved.
package struct Field {
    package var name: String
    package var key: Int
    package var value: Int
}

/// The known entries of a mapping.
package struct Fields {
    package var entries: [Field] = []
    /// Known keys without a value, which are reported already.
    package var empty: [String] = []

    package subscript(name: String) -> Field? {
        entries.first { $0.name == name }
    }
}

extension TopologyDecoder {
    /// Records an error.
    package mutating func report(
        _ code: DiagnosticCode, _ message: String, at span: Span, secondary: Diagnostic.Label? = nil,
        hint: String? = nil
    ) {
        faults.append(Diagnostic(code: code, message: message, at: span, secondary: secondary, hint: hint))
    }

    /// Where a node stands.
    package func span(_ node: Int) -> Span { tree.span(of: node) }

    /// A scalar as it stands in a sentence.
    package func quoted(_ node: Int) -> String { SourceText.quoted(tree.bytes(of: node)) }

    /// The entries of a mapping with known keys. Unknown, repeated and missing keys are reported.
    ///
    /// - Returns: nil when the value is no mapping.
    package mutating func fields(of field: Field, _ shape: Shape) -> Fields? {
        guard let entries = entries(of: field, "a mapping with \(Self.listed(shape.keys))", example: shape.example)
        else { return nil }
        var fields = Fields()
        fields.entries.reserveCapacity(entries.count)
        var meant: Set<String> = []
        for entry in entries {
            if let earlier = fields[entry.name] {
                reportDuplicate(entry, earlier: earlier.key)
            } else if shape.allows(entry.name) {
                if tree.isNull(entry.value) { reportNoValue(entry) }
                fields.entries.append(entry)
            } else {
                if let key = reportUnknown(entry, shape) { meant.insert(key) }
            }
        }
        // A key that was mistyped is reported as that, and not as missing too.
        for (key, example) in shape.required where fields[key] == nil && !meant.contains(key) {
            let what = field.name.isEmpty ? shape.what : "`\(field.name)`"
            report(
                .missingKey, "\(what) has no `\(key)`", at: span(field.key), hint: "add `\(key): \(example)`"
            )
        }
        for entry in fields.entries where tree.isNull(entry.value) { fields.empty.append(entry.name) }
        if !fields.empty.isEmpty { fields.entries.removeAll { tree.isNull($0.value) } }
        return fields
    }

    /// The entries of a mapping whose keys are names that the operator gives, in the order of the file.
    ///
    /// - Parameter rule: reports a key that cannot be such a name.
    package mutating func declarations(
        of field: Field, _ what: String, atMost maximum: Int = TopologyDecoder.maximumNames,
        rule: (inout TopologyDecoder, Field) -> Bool = { $0.checkName($1) }
    ) -> [Field] {
        guard let entries = entries(of: field, "a mapping from names to \(what)") else { return [] }
        var seen: [String: Int] = [:]
        var declared: [Field] = []
        for entry in entries {
            if let earlier = seen[entry.name] {
                reportDuplicate(entry, earlier: earlier)
                continue
            }
            seen[entry.name] = entry.key
            if tree.isNull(entry.value) { reportNoValue(entry) }
            // A bad name is declared all the same: what refers to it is not at fault.
            _ = rule(&self, entry)
            declared.append(entry)
            if declared.count == maximum + 1 {
                report(.tooMany, "`\(field.name)` has more than \(maximum) entries", at: span(entry.key))
                break
            }
        }
        return declared
    }

    private mutating func entries(
        of field: Field, _ wanted: @autoclosure () -> String, example: @autoclosure () -> String? = nil
    ) -> [Field]? {
        let node = field.value
        guard tree.kind(of: node) == .mapping else {
            if !tree.isNull(node) || field.name.isEmpty {
                reportType(field, wanted(), hint: example().map { "it looks like `\($0)`" })
            }
            return nil
        }
        var entries: [Field] = []
        entries.reserveCapacity(Int(tree.nodes[node].count) / 2)
        var position = node + 1
        let end = tree.end(of: node)
        while position < end {
            let key = tree.resolved(position)
            position = tree.end(of: position)
            let value = tree.resolved(position)
            position = tree.end(of: position)
            if tree.kind(of: key) == .scalar {
                entries.append(Field(name: tree.text(of: key), key: key, value: value))
            } else {
                report(
                    .wrongType, "a key must be a text, and this is \(kindWords(key))", at: span(key),
                    hint: "put the key into quotes if it begins with a bracket or brace"
                )
            }
        }
        return entries
    }

    private mutating func reportDuplicate(_ entry: Field, earlier: Int) {
        report(
            .duplicateKey, "\(quoted(entry.key)) stands here twice", at: span(entry.key),
            secondary: span(earlier).labelled("first here"), hint: "remove one of the two, or rename it"
        )
    }

    private mutating func reportNoValue(_ entry: Field) {
        report(
            .missingKey, "\(quoted(entry.key)) has no value", at: span(entry.key),
            hint: "write a value behind the colon, indent what belongs to it, or remove the key"
        )
    }

    /// - Returns: the key that seems to be meant.
    private mutating func reportUnknown(_ entry: Field, _ shape: Shape) -> String? {
        if entry.name == "<<" {
            report(
                .unusedFeature, "a topology file has no merge keys", at: span(entry.key),
                hint: "write the keys out; an alias can stand for a whole value"
            )
            return nil
        }
        let nearest = faults.isFull ? nil : Suggestion.nearest(to: entry.name, among: shape.keys)
        report(
            .unknownKey, "\(quoted(entry.key)) is not a key of \(shape.what)", at: span(entry.key),
            hint: nearest.map { "did you mean `\($0)`?" } ?? "its keys are \(Self.listed(shape.keys))"
        )
        return nearest
    }

    /// Says that something else was wanted.
    package mutating func reportType(_ field: Field, _ wanted: String, hint: String? = nil) {
        let what = field.name.isEmpty ? "this" : SourceText.quoted(field.name.utf8)
        report(
            .wrongType, "\(what) must be \(wanted), and is \(kindWords(field.value))", at: span(field.value),
            hint: hint
        )
    }

    private func kindWords(_ node: Int) -> String {
        switch tree.kind(of: node) {
        case .scalar: tree.isNull(node) ? "empty" : "the text \(quoted(node))"
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .alias: "an alias"
        }
    }

    /// `a`, `b` and `c`.
    package static func listed(_ words: [String], _ last: String = "and") -> String {
        let quoted = words.map { "`\($0)`" }
        guard quoted.count > 1 else { return quoted.first ?? "" }
        return quoted.dropLast().joined(separator: ", ") + " \(last) " + quoted[quoted.count - 1]
    }
}
