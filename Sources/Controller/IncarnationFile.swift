import ClusterModel
import LinuxSystem

/// The last incarnation given to each node, or the next one, on disk: a life of a node never gets the number of an earlier one, also
/// after a crash of the controller.
struct IncarnationFile {
    private let path: String
    private var last: [String: UInt64] = [:]
    /// What is on disk: at least as great, so that most lives begin without waiting for it.
    private var written: [String: UInt64] = [:]

    init(directory: String) throws(SystemError) {
        path = directory + "/incarnations"
        do throws(SystemError) {
            let text = String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self)
            for line in text.split(separator: "\n") {
                let fields = line.split(separator: " ")
                guard fields.count == 2, let number = UInt64(fields[1]) else { continue }
                last[String(fields[0])] = number
            }
            written = last
        } catch {
            guard error.isNoSuchFile else { throw error }
        }
    }

    /// The incarnation of a new life of the node; on disk before it is returned.
    mutating func next(for node: String) throws(SystemError) -> Incarnation {
        let number = (last[node] ?? 0) + 1
        if number > written[node] ?? 0 { try write(written.merging([node: number]) { $1 }) }
        last[node] = number
        return Incarnation(rawValue: number)
    }

    /// Writes down the next incarnation of nodes ahead: their next lives will not wait for the disk. A later controller, which
    /// cannot tell whether one was given, leaves it out.
    mutating func reserve(for nodes: [String]) throws(SystemError) {
        var numbers = written
        for node in nodes { numbers[node] = max(written[node] ?? 0, (last[node] ?? 0) + 1) }
        if numbers != written { try write(numbers) }
    }

    /// A life that was found going on: later ones get greater numbers, also when the file had been lost.
    mutating func noteLife(_ incarnation: Incarnation, of node: String) throws(SystemError) {
        guard incarnation.rawValue > last[node] ?? 0 else { return }
        last[node] = incarnation.rawValue
        guard incarnation.rawValue > written[node] ?? 0 else { return }
        try write(written.merging([node: incarnation.rawValue]) { $1 })
    }

    private mutating func write(_ numbers: [String: UInt64]) throws(SystemError) {
        let lines = numbers.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
        try Files.writeAtomically(Array(lines.joined().utf8), to: path)
        written = numbers
    }
}
