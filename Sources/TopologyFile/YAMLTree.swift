/// A YAML document as flat arrays: nodes in the order of the file, and the bytes of all scalars one after another.
///
/// A file may have a million lines, so a node costs 24 bytes and no allocation of its own. The children of a node follow
/// it; those of a mapping alternate between key and value. A node is named by its position.
package struct YAMLTree: Sendable {
    package enum Kind: UInt8, Sendable {
        case scalar, sequence, mapping
        /// Stands for a node declared earlier.
        case alias
    }

    package struct Node: Sendable {
        /// Counted from 0, as libyaml does.
        var line: UInt32
        var column: UInt32
        /// Characters that the node covers, if it stands on one line; else 0.
        var length: UInt32
        /// Scalar: where its bytes begin. Sequence and mapping: the position after its last descendant. Alias: the node.
        var link: UInt32
        /// Scalar: bytes. Sequence and mapping: children; a mapping has two for each entry.
        var count: UInt32
        var kind: Kind
        /// Written without quotes, so that an empty scalar, `~` and `null` mean no value.
        var isPlain: Bool
    }

    package var nodes: [Node] = []
    package var bytes: [UInt8] = []

    package init() {}

    /// The node itself, or the one that an alias stands for.
    package func resolved(_ node: Int) -> Int {
        nodes[node].kind == .alias ? Int(nodes[node].link) : node
    }

    package func kind(of node: Int) -> Kind {
        nodes[node].kind
    }

    /// The position after a node and its descendants: its next sibling, if it has one.
    package func end(of node: Int) -> Int {
        switch nodes[node].kind {
        case .scalar, .alias: node + 1
        case .sequence, .mapping: Int(nodes[node].link)
        }
    }

    /// A scalar's bytes, escapes resolved.
    package func bytes(of node: Int) -> ArraySlice<UInt8> {
        let scalar = nodes[node]
        return bytes[Int(scalar.link)..<Int(scalar.link) + Int(scalar.count)]
    }

    /// A scalar's text.
    package func text(of node: Int) -> String {
        String(decoding: bytes(of: node), as: UTF8.self)
    }

    /// Whether a scalar says that there is no value.
    package func isNull(_ node: Int) -> Bool {
        guard nodes[node].kind == .scalar, nodes[node].isPlain else { return false }
        switch nodes[node].count {
        case 0: return true
        case 1: return bytes[Int(nodes[node].link)] == UInt8(ascii: "~")
        case 4: return bytes(of: node).elementsEqual("null".utf8)
        default: return false
        }
    }

    /// Where to put the caret for a node. Of a node that takes several lines, its beginning: the opening bracket, or the
    /// first key.
    package func span(of node: Int) -> Span {
        var shown = nodes[node]
        if shown.length == 0, shown.kind == .mapping || shown.kind == .sequence, shown.count > 0 {
            let child = nodes[node + 1]
            if child.line == shown.line && child.column == shown.column { shown = child }
        }
        return Span(line: Int(shown.line) + 1, column: Int(shown.column) + 1, length: Int(shown.length))
    }

    /// The children of a sequence or mapping, aliases not resolved.
    package func children(of node: Int) -> Children {
        Children(tree: self, position: node + 1, end: end(of: node))
    }

    package struct Children: Sequence, IteratorProtocol {
        let tree: YAMLTree
        var position: Int
        let end: Int

        package mutating func next() -> Int? {
            guard position < end else { return nil }
            defer { position = tree.end(of: position) }
            return position
        }
    }
}
