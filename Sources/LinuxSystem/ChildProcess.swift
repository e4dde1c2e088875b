internal import CLinuxSystem
import Glibc

/// How a process ended.
package enum ProcessEnd: Hashable, Sendable {
    case exited(code: Int32)
    case signalled(Int32)
    /// The process was not our child, so the kernel does not tell.
    case unknown
}

extension ProcessEnd: CustomStringConvertible {
    package var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signalled(let signal): "signal \(signal)"
        case .unknown: "unknown exit status"
        }
    }
}

/// A process that we started or found again, held by a descriptor: unlike its number, it cannot come to mean another.
package final class ChildProcess {
    /// What a child finds open, besides standard output and error.
    package struct Inheritance {
        /// Ours. The open file is shared, and not blocking is a property of the open file.
        package let source: OwnedDescriptor
        /// The number that it has in the child.
        package let target: Int32

        package init(_ source: OwnedDescriptor, as target: Int32) {
            self.source = source
            self.target = target
        }
    }

    /// Which process group a child joins; signals of a terminal go to a whole group.
    package enum Group {
        case ours
        case new
        case existing(Int32)
    }

    package let process: Int32
    /// Readable once the process has ended.
    package let descriptor: OwnedDescriptor

    /// Kept, because the kernel tells it once.
    private var end: ProcessEnd?

    private init(process: Int32, descriptor: OwnedDescriptor) {
        self.process = process
        self.descriptor = descriptor
    }

    /// Takes hold of a running process, child or not. Its identity must be checked afterwards by other means: the number
    /// may have been given away since it was written down.
    package static func adopt(_ process: Int32) throws(SystemError) -> ChildProcess {
        let number = try systemCall("open", "process \(process)") { tandem_pidfd_open(process) }
        return ChildProcess(process: process, descriptor: OwnedDescriptor(adopting: number))
    }

    /// Starts a program. It begins with no signal blocked or ignored, and with no descriptors but the standard ones
    /// (input from `/dev/null` unless inherited) and the inherited: even what a library of ours, or whoever started us,
    /// left open without close-on-exec is closed there.
    ///
    /// - Parameters:
    ///   - path: of the executable; no search.
    ///   - arguments: without the program's name.
    ///   - environment: `NAME=value` texts; the child has no others.
    ///   - inherited: at most 16, with different targets.
    package static func spawn(
        _ path: String, arguments: [String], environment: [String], inherited: [Inheritance] = [], group: Group = .ours
    ) throws(SystemError) -> ChildProcess {
        // A target may be the number of another's source: first all sources move above every target.
        let floor = max(64, (inherited.map(\.target).max() ?? 0) + 1)
        var moved: [OwnedDescriptor] = []
        for entry in inherited { moved.append(try entry.source.duplicate(atLeast: floor)) }
        let sources = moved.map(\.number)
        let targets = inherited.map(\.target)
        let groupNumber: Int32 =
            switch group {
            case .ours: -1
            case .new: 0
            case .existing(let number): number
            }
        var process: pid_t = 0
        try systemCall("start", path) {
            withCStrings([path] + arguments) { arguments in
                withCStrings(environment) { environment in
                    tandem_spawn(
                        &process, path, arguments, environment, sources, targets, sources.count,
                        targets.contains(0) ? 0 : 1, groupNumber)
                }
            }
        }
        withExtendedLifetime(moved) {}
        // The child cannot be gone before somebody waits for it, so the number still means it.
        return try adopt(process)
    }

    /// How the process ended; nil while it runs. To be asked once the descriptor is readable; a child is reaped by it.
    package func exitStatus() throws(SystemError) -> ProcessEnd? {
        if let end { return end }
        var code: Int32 = 0
        var signalled: Int32 = 0
        do throws(SystemError) {
            let ended = try systemCall("wait for", "process \(process)") {
                tandem_pidfd_wait(descriptor.number, &code, &signalled)
            }
            guard ended > 0 else { return nil }
            end = signalled != 0 ? .signalled(code) : .exited(code: code)
            return end
        } catch {
            guard error.code == ECHILD else { throw error }
            return try descriptor.wait(forReading: true, nanoseconds: 0) ? .unknown : nil
        }
    }

    /// Sends a signal to exactly this process.
    ///
    /// - Returns: false when it has ended already.
    @discardableResult
    package func send(_ signal: Signal) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try systemCall("signal", "process \(process)") { tandem_pidfd_signal(descriptor.number, signal.rawValue) }
            return true
        } catch {
            guard error.code == ESRCH else { throw error }
            return false
        }
    }
}

/// Lends a null-terminated array of C strings, as exec takes its arguments.
private func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result
) -> Result {
    // Copies that are freed below; nil ends the array and is skipped by free.
    let copies = texts.map { strdup($0) } + [nil]
    defer { copies.forEach { free($0) } }
    return copies.withUnsafeBufferPointer { body($0.baseAddress) }
}
