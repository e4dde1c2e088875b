/// An entry of a mapping: the positions of its key and of its value, aliases resolved.
package struct Field {
    var name: String
    var key: Int
    var value: Int
}

/// Which keys a mapping may have.
package struct Shape: Sendable {
    /// As it stands in a sentence.
    let what: String
    /// Mandatory keys with an example value.
    let required: KeyValuePairs<String, String>
    let optional: [String]

    init(_ what: String, required: KeyValuePairs<String, String> = [:], optional: [String] = []) {
        self.what = what
        self.required = required
        self.optional = optional
    }

    func allows(_ key: String) -> Bool {
        optional.contains(key) || required.contains { $0.key == key }
    }

    var keys: [String] { required.map(\.key) + optional }
}

/// The known entries of a mapping.
package struct Fields {
    var entries: [Field] = []

    subscript(name: String) -> Field? {
        entries.first { $0.name == name }
    }
}

extension TopologyDecoder {
    /// Records an error.
    mutating func report(
        _ code: DiagnosticCode, _ message: String, at span: Span, secondary: Diagnostic.Label? = nil, hint: String? = nil
    ) {
        faults.append(Diagnostic(code: code, message: message, at: span, secondary: secondary, hint: hint))
    }

    /// Where a node stands.
    func span(_ node: Int) -> Span { tree.span(of: node) }

    /// A scalar as it stands in a sentence.
    func quoted(_ node: Int) -> String { SourceText.quoted(tree.bytes(of: node)) }

    /// The entries of a mapping with known keys. Unknown, repeated and missing keys are reported.
    ///
    /// - Returns: nil when the value is no mapping.
    mutating func fields(of field: Field, _ shape: Shape) -> Fields? {
        guard let entries = entries(of: field, "a mapping with \(Self.listed(shape.keys))") else { return nil }
        var fields = Fields()
        for entry in entries {
            if let earlier = fields[entry.name] {
                reportDuplicate(entry, earlier: earlier.key)
            } else if shape.allows(entry.name) {
                if tree.isNull(entry.value) { reportNoValue(entry) }
                fields.entries.append(entry)
            } else {
                reportUnknown(entry, shape)
            }
        }
        for (key, example) in shape.required where fields[key] == nil {
            let what = field.name.isEmpty ? shape.what : "`\(field.name)`"
            report(
                .missingKey, "\(what) has no `\(key)`", at: span(field.key), hint: "add `\(key): \(example)`"
            )
        }
        fields.entries.removeAll { tree.isNull($0.value) }
        return fields
    }

    /// The entries of a mapping whose keys are names that the operator gives, in the order of the file.
    ///
    /// - Parameter rule: reports a key that cannot be such a name.
    mutating func declarations(
        of field: Field, _ what: String, rule: (inout TopologyDecoder, Field) -> Bool = { $0.checkName($1) }
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
            if declared.count == Self.maximumNames + 1 {
                report(.tooMany, "`\(field.name)` has more than \(Self.maximumNames) entries", at: span(entry.key))
                break
            }
        }
        return declared
    }

    private mutating func entries(of field: Field, _ wanted: @autoclosure () -> String) -> [Field]? {
        let node = field.value
        guard tree.kind(of: node) == .mapping else {
            if !tree.isNull(node) || field.name.isEmpty { reportType(field, wanted()) }
            return nil
        }
        var entries: [Field] = []
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

    private mutating func reportUnknown(_ entry: Field, _ shape: Shape) {
        if entry.name == "<<" {
            report(
                .unusedFeature, "a topology file has no merge keys", at: span(entry.key),
                hint: "write the keys out; an alias can stand for a whole value"
            )
            return
        }
        let nearest = Suggestion.nearest(to: entry.name, among: shape.keys)
        report(
            .unknownKey, "\(quoted(entry.key)) is not a key of \(shape.what)", at: span(entry.key),
            hint: nearest.map { "did you mean `\($0)`?" } ?? "its keys are \(Self.listed(shape.keys))"
        )
    }

    /// Says that something else was wanted.
    mutating func reportType(_ field: Field, _ wanted: String) {
        let what = field.name.isEmpty ? "this" : SourceText.quoted(field.name.utf8)
        report(.wrongType, "\(what) must be \(wanted), and is \(kindWords(field.value))", at: span(field.value))
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
    static func listed(_ words: [String], _ last: String = "and") -> String {
        let quoted = words.map { "`\($0)`" }
        guard quoted.count > 1 else { return quoted.first ?? "" }
        return quoted.dropLast().joined(separator: ", ") + " \(last) " + quoted[quoted.count - 1]
    }
}
