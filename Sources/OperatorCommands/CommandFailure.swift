/// The exit codes that scripts rely on.
package enum ExitStatus: Int32, Equatable, Sendable, CaseIterable {
    case done = 0
    case failed = 1
    /// The cluster is not as it should be.
    case degraded = 3
    case usage = 64
    case invalidTopology = 65
    case noSuchFile = 66
    case notReachable = 69
    case tryAgain = 75
    case notPermitted = 77
    case timedOut = 124
}

/// Why a command ends: one sentence for people that says what, where and what to do next, and the exit code.
package struct CommandFailure: Error, Equatable, Sendable {
    package let message: String
    /// Usually an `ExitStatus`; the controller and `tandemd` choose theirs themselves.
    package let exitCode: Int32

    package init(_ message: String, exitCode: Int32) {
        self.message = message
        self.exitCode = exitCode
    }

    package init(_ message: String, _ status: ExitStatus) {
        self.init(message, exitCode: status.rawValue)
    }

    /// Ends the command with a code, after everything has been said.
    package static func silent(_ status: ExitStatus) -> CommandFailure {
        CommandFailure("", status)
    }
}
