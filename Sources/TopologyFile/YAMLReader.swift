import CYAML

/// The one fault that ends the reading of a file: after it nothing can be said about the rest.
package struct YAMLFault: Error {
    package var diagnostic: Diagnostic

    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}

/// Builds a `YAMLTree` from libyaml's events, within limits that no file of use comes near.
package struct YAMLReader {
    /// How deep mappings and sequences may nest; the deepest that a topology has is 6.
    package static let maximumDepth = 32
    /// How many nodes aliases may stand for, all together.
    package static let maximumAliasedNodes = 100_000
    /// How many nodes a file may have; a line that declares one DN has about seven.
    package static let maximumNodes = 16 << 20
    /// The longest scalar, in bytes.
    package static let maximumScalarBytes = 4096

    /// A mapping or sequence that has begun and not ended.
    private struct Open {
        var node: Int
        var anchor: String?
        /// Nodes in it, with those that its aliases stand for.
        var expanded: Int
    }

    /// A node that an alias can stand for; without a size until it has ended.
    private struct Anchored {
        var node: Int
        var expanded: Int?
    }

    private var tree = YAMLTree()
    private var open: [Open] = []
    private var anchors: [String: Anchored] = [:]
    private var aliasedNodes = 0
    private var hasDocument = false

    private let maximumNodes: Int

    private init(maximumNodes: Int) {
        self.maximumNodes = maximumNodes
    }

    /// - Parameter maximumNodes: what the file may have at most.
    /// - Returns: a tree with at least one node; the first is the root.
    package static func read(
        _ text: [UInt8], maximumNodes: Int = YAMLReader.maximumNodes
    ) throws(YAMLFault) -> YAMLTree {
        // The parser holds pointers into itself, so it stays at one place of the heap.
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else {
            throw fault(.invalidYAML, "there is no memory to read the file", Span(line: 1, column: 1, length: 1))
        }
        defer { yaml_parser_delete(parser) }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        var reader = YAMLReader(maximumNodes: maximumNodes)
        reader.tree.nodes.reserveCapacity(text.count / 7)
        reader.tree.bytes.reserveCapacity(text.count / 2)
        let result = text.withUnsafeBufferPointer { buffer in
            yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
            return Result { () throws(YAMLFault) in try reader.readStream(parser, text) }
        }
        try result.get()
        return reader.tree
    }

    private mutating func readStream(
        _ parser: UnsafeMutablePointer<yaml_parser_t>, _ text: [UInt8]
    ) throws(YAMLFault) {
        var event = yaml_event_t()
        while true {
            guard yaml_parser_parse(parser, &event) == 1 else {
                throw Self.fault(parser.pointee, text)
            }
            defer { yaml_event_delete(&event) }
            if event.type == YAML_STREAM_END_EVENT { break }
            try handle(event)
            if tree.nodes.count > maximumNodes {
                throw Self.fault(
                    .tooMany, "the file has more than \(maximumNodes) values up to here", span(of: event),
                    hint: "declare DNs by range instead of one by one"
                )
            }
        }
        guard hasDocument, !tree.isNull(0) else {
            throw Self.fault(
                .emptyFile, "the file declares nothing", Span(line: 1, column: 1, length: 1),
                hint: "a topology begins with `version: 1`; clusters/single-node.yaml is a small one to copy"
            )
        }
    }

    private mutating func handle(_ event: yaml_event_t) throws(YAMLFault) {
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            if hasDocument {
                throw Self.fault(
                    .severalDocuments, "a second document begins here, and a topology file has one", span(of: event),
                    hint: "remove the `---`, or put what follows into a file of its own"
                )
            }
            hasDocument = true
        case YAML_SCALAR_EVENT:
            try addScalar(event)
        case YAML_SEQUENCE_START_EVENT:
            let data = event.data.sequence_start
            try begin(.sequence, event, anchor: data.anchor, tag: data.tag)
        case YAML_MAPPING_START_EVENT:
            let data = event.data.mapping_start
            try begin(.mapping, event, anchor: data.anchor, tag: data.tag)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            end(event)
        case YAML_ALIAS_EVENT:
            try addAlias(event)
        default:
            break
        }
    }

    private mutating func addScalar(_ event: yaml_event_t) throws(YAMLFault) {
        let data = event.data.scalar
        try refuseTag(data.tag, event)
        if data.length > Self.maximumScalarBytes {
            throw Self.fault(
                .tooMany, "this value has \(data.length) bytes; the most is \(Self.maximumScalarBytes)",
                span(of: event),
                hint: "look for a quote that was opened and never closed"
            )
        }
        let node = tree.nodes.count
        tree.nodes.append(
            entry(
                event, kind: .scalar, link: tree.bytes.count, count: data.length,
                isPlain: data.style == YAML_PLAIN_SCALAR_STYLE
            )
        )
        tree.bytes.append(contentsOf: UnsafeBufferPointer(start: data.value, count: data.length))
        countInParent(1)
        if let anchor = data.anchor { anchors[String(cString: anchor)] = Anchored(node: node, expanded: 1) }
    }

    private mutating func begin(
        _ kind: YAMLTree.Kind, _ event: yaml_event_t, anchor: UnsafePointer<UInt8>?, tag: UnsafePointer<UInt8>?
    ) throws(YAMLFault) {
        try refuseTag(tag, event)
        if open.count == Self.maximumDepth {
            throw Self.fault(
                .tooDeep, "this is nested more than \(Self.maximumDepth) levels deep", span(of: event),
                hint: "a topology needs 6 levels; look for brackets that were opened and never closed"
            )
        }
        let node = tree.nodes.count
        tree.nodes.append(entry(event, kind: kind, link: 0, count: 0, isPlain: false))
        countInParent(0)
        let name = anchor.map { String(cString: $0) }
        if let name { anchors[name] = Anchored(node: node, expanded: nil) }
        open.append(Open(node: node, anchor: name, expanded: 1))
    }

    private mutating func end(_ event: yaml_event_t) {
        guard let closed = open.popLast() else { return }
        tree.nodes[closed.node].link = UInt32(tree.nodes.count)
        if Int(tree.nodes[closed.node].line) == event.end_mark.line {
            let columns = event.end_mark.column - Int(tree.nodes[closed.node].column)
            tree.nodes[closed.node].length = UInt32(max(0, columns))
        }
        if let anchor = closed.anchor, anchors[anchor]?.node == closed.node {
            anchors[anchor]?.expanded = closed.expanded
        }
        if !open.isEmpty { open[open.count - 1].expanded += closed.expanded }
    }

    private mutating func addAlias(_ event: yaml_event_t) throws(YAMLFault) {
        let name = String(cString: event.data.alias.anchor)
        let quoted = SourceText.quoted("*\(name)".utf8)
        guard let anchored = anchors[name] else {
            let nearest = Suggestion.nearest(to: name, among: anchors.keys.sorted())
            throw Self.fault(
                .badAlias, "\(quoted) stands for nothing: no anchor `&\(name)` comes before it", span(of: event),
                hint: nearest.map { "did you mean `*\($0)`?" }
                    ?? "put `&\(name)` before the value that it shall repeat; quote the text if it begins with `*`"
            )
        }
        guard let expanded = anchored.expanded else {
            throw Self.fault(
                .badAlias, "\(quoted) stands for something that contains it", span(of: event),
                secondary: tree.span(of: anchored.node).labelled("begins here and has not ended"),
                hint: "a value cannot repeat itself; write out what is meant"
            )
        }
        aliasedNodes += expanded
        if aliasedNodes > Self.maximumAliasedNodes {
            throw Self.fault(
                .badAlias, "aliases repeat more than \(Self.maximumAliasedNodes) values up to here", span(of: event),
                hint: "declare DNs by range instead of repeating them"
            )
        }
        tree.nodes.append(entry(event, kind: .alias, link: anchored.node, count: 0, isPlain: false))
        countInParent(expanded)
    }

    /// - Parameter expanded: how many nodes a child without an end of its own stands for; 0 for those that have one.
    private mutating func countInParent(_ expanded: Int) {
        guard !open.isEmpty else { return }
        open[open.count - 1].expanded += expanded
        tree.nodes[open[open.count - 1].node].count += 1
    }

    private func refuseTag(_ tag: UnsafePointer<UInt8>?, _ event: yaml_event_t) throws(YAMLFault) {
        guard let tag else { return }
        // libyaml has written `!!str` out.
        let name = String(cString: tag)
        let prefix = "tag:yaml.org,2002:"
        let written = name.hasPrefix(prefix) ? "!!" + name.dropFirst(prefix.count) : name
        throw Self.fault(
            .unusedFeature, "a topology file has no use for the tag \(SourceText.quoted(written.utf8))",
            span(of: event), hint: "remove the tag; numbers are read as text where text is meant"
        )
    }

    private func entry(
        _ event: yaml_event_t, kind: YAMLTree.Kind, link: Int, count: Int, isPlain: Bool
    ) -> YAMLTree.Node {
        let start = event.start_mark
        let isOneLine = event.end_mark.line == start.line && kind != .mapping && kind != .sequence
        return YAMLTree.Node(
            line: UInt32(start.line), column: UInt32(start.column),
            length: isOneLine ? UInt32(max(0, event.end_mark.column - start.column)) : 0,
            link: UInt32(link), count: UInt32(count), kind: kind, isPlain: isPlain
        )
    }

    private func span(of event: yaml_event_t) -> Span {
        let isOneLine = event.end_mark.line == event.start_mark.line
        return Span(
            line: event.start_mark.line + 1, column: event.start_mark.column + 1,
            length: isOneLine ? event.end_mark.column - event.start_mark.column : 1
        )
    }

    /// Why the parser gave up.
    private static func fault(_ parser: yaml_parser_t, _ text: [UInt8]) -> YAMLFault {
        let words = parser.problem.map { String(cString: $0) } ?? "the parser stopped without a reason"
        if parser.error == YAML_READER_ERROR {
            return YAMLFault(
                ParserProblem.notText(
                    words, byteOffset: parser.problem_offset, value: Int(parser.problem_value), text: text
                )
            )
        }
        let span = { (mark: yaml_mark_t) in Span(line: mark.line + 1, column: mark.column + 1, length: 1) }
        let context = parser.context.map { (words: String(cString: $0), span: span(parser.context_mark)) }
        return YAMLFault(
            ParserProblem.invalidYAML(words, at: span(parser.problem_mark), context: context, text: text)
        )
    }

    private static func fault(
        _ code: DiagnosticCode, _ message: String, _ span: Span, secondary: Diagnostic.Label? = nil,
        hint: String? = nil
    ) -> YAMLFault {
        YAMLFault(Diagnostic(code: code, message: message, at: span, secondary: secondary, hint: hint))
    }
}
