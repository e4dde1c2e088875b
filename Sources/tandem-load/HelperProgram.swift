import LinuxSystem

/// Programs of the system that run to their end.
enum HelperProgram {
    static func run(_ command: [String]) throws -> ProcessEnd {
        let process = try ChildProcess.spawn(
            command[0], arguments: Array(command.dropFirst()), environment: Executables.environment)
        guard try process.descriptor.wait(forReading: true, nanoseconds: 10_000_000_000) else {
            try process.send(.kill)
            throw LoadFailure("\(command[0]) does not end")
        }
        return try process.exitStatus() ?? .unknown
    }

    /// With everything in it.
    static func remove(directory: String) { _ = try? run(["/bin/rm", "-rf", directory]) }
}
