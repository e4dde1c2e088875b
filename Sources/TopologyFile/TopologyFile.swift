package import ClusterModel

/// The door to topology files: reads one, and turns it into a `Topology` or into everything that is wrong with it.
package enum TopologyFile {
    /// The most bytes that a topology file may have: two million lines, more DNs one by one than most carriers have.
    package static let maximumBytes = 64 << 20

    /// Checks a file and, unless it has an error, makes the topology that it declares.
    package static func load(_ source: TopologySource) -> LoadResult {
        var faults = FaultList()
        let tree: YAMLTree
        do throws(YAMLFault) {
            tree = try YAMLReader.read(source.text)
        } catch {
            faults.append(error.diagnostic)
            return LoadResult(topology: nil, diagnostics: placed(faults, in: source))
        }
        var decoder = TopologyDecoder(tree: tree)
        let topology = decoder.decode()
        return LoadResult(topology: topology, diagnostics: placed(decoder.faults, in: source))
    }

    /// Where a file is that a topology file names.
    ///
    /// - Parameter topologyPath: a path that is not absolute counts from this file's directory.
    static func path(_ path: String, beside topologyPath: String) -> String {
        guard !path.hasPrefix("/"), let slash = topologyPath.lastIndex(of: "/") else { return path }
        return topologyPath[...slash] + path
    }

    /// All on lines that the file has.
    private static func placed(_ faults: FaultList, in source: TopologySource) -> [Diagnostic] {
        guard !faults.diagnostics.isEmpty, source.text.last != 0x0A else { return faults.sorted }
        let end = SourceText.span(ofByte: source.text.count, in: source.text)
        return faults.sorted.map { $0.moved(before: end) }
    }
}

/// What loading a file gave.
package struct LoadResult: Equatable, Sendable {
    /// nil if any diagnostic is an error.
    package var topology: Topology?
    /// By position in the file.
    package var diagnostics: [Diagnostic]

    package init(topology: Topology?, diagnostics: [Diagnostic]) {
        self.topology = topology
        self.diagnostics = diagnostics
    }

    /// Whether the file can be used.
    package var isValid: Bool { topology != nil }
}

/// A topology file's name and bytes.
package struct TopologySource: Equatable, Sendable {
    /// The path as the user gave it; diagnostics begin with it.
    package let name: String
    /// Without a byte order mark.
    package let text: [UInt8]
    /// Whether the file begins with a mark that some editors put before UTF-8.
    package let hadByteOrderMark: Bool

    package init(name: String, text: some Collection<UInt8>) {
        self.name = name
        // The mark is no character of the file: with it every column of the first line would be one off.
        hadByteOrderMark = text.starts(with: [0xEF, 0xBB, 0xBF])
        self.text = Array(text.dropFirst(hadByteOrderMark ? 3 : 0))
    }
}
