import ClusterModel
import LinuxSystem

/// The last incarnation given to each node, on disk: a life of a node never gets the number of an earlier one, also
/// after a crash of the controller.
struct IncarnationFile {
    private let path: String
    private var last: [String: UInt64] = [:]

    init(stateDirectory: String) throws(SystemError) {
        path = stateDirectory + "/incarnations"
        do throws(SystemError) {
            let text = String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self)
            for line in text.split(separator: "\n") {
                let fields = line.split(separator: " ")
                guard fields.count == 2, let number = UInt64(fields[1]) else { continue }
                last[String(fields[0])] = number
            }
        } catch {
            guard error.isNoSuchFile else { throw error }
        }
    }

    /// The incarnation of a new life of the node; on disk before it is returned.
    mutating func next(for node: String) throws(SystemError) -> Incarnation {
        let number = (last[node] ?? 0) + 1
        try note(number, for: node)
        return Incarnation(rawValue: number)
    }

    /// A life that was found going on: later ones get greater numbers, also when the file had been lost.
    mutating func noteLife(_ incarnation: Incarnation, of node: String) throws(SystemError) {
        guard incarnation.rawValue > last[node] ?? 0 else { return }
        try note(incarnation.rawValue, for: node)
    }

    private mutating func note(_ number: UInt64, for node: String) throws(SystemError) {
        last[node] = number
        let lines = last.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
        try Files.writeAtomically(Array(lines.joined().utf8), to: path)
    }
}
