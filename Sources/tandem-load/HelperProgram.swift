import LinuxSystem

/// Programs of the system that run to their end.
enum HelperProgram {
    /// What became of one.
    struct Result {
        var end: ProcessEnd?
        /// The beginning of what it wrote to its standard output.
        var output: String
        /// From before it was started until it had ended.
        var nanoseconds: UInt64

        /// All numbers that it wrote.
        var numbers: [Double] { output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) } }
    }

    static func run(_ command: [String]) throws -> ProcessEnd {
        let process = try ChildProcess.spawn(
            command[0], arguments: Array(command.dropFirst()), environment: Executables.environment)
        guard try process.descriptor.wait(forReading: true, nanoseconds: 10_000_000_000) else {
            try process.send(.kill)
            throw LoadFailure("\(command[0]) does not end")
        }
        return try process.exitStatus() ?? .unknown
    }

    /// Runs a program that writes a line or two, however long it takes.
    static func output(of command: [String], _ interruption: Interruption) throws -> Result {
        let (ours, theirs) = try Sockets.streamPair()
        let begun = SystemClock.monotonicNanoseconds()
        let child = try ChildProcess.spawn(
            command[0], arguments: Array(command.dropFirst()), environment: Executables.environment,
            inherited: [ChildProcess.Inheritance(theirs, as: 1)])
        theirs.close()
        while try !child.descriptor.wait(forReading: true, nanoseconds: 100_000_000) {
            do {
                try interruption.check()
            } catch {
                _ = try? child.send(.kill)
                throw error
            }
        }
        let nanoseconds = SystemClock.monotonicNanoseconds() - begun
        let end = try child.exitStatus()
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try ours.read(into: &bytes) ?? 0
        return Result(
            end: end, output: String(decoding: bytes.prefix(count), as: UTF8.self), nanoseconds: nanoseconds)
    }

    /// With everything in it.
    static func remove(directory: String) { _ = try? run(["/bin/rm", "-rf", directory]) }
}
