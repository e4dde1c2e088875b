import ClusterModel
import Glibc
import LinuxSystem

/// A program that is not ours, run for a measurement in a private directory.
final class PeerProgram {
    let directory: String
    private let name: String
    private let process: ChildProcess
    /// Held by descriptors from the start, so that none is left when the first process ends before them.
    private var children: [ChildProcess] = []
    private var isStopped = false

    /// Starts it, and waits until it answers at an address.
    ///
    /// - Parameters:
    ///   - processor: where it runs, with all processes that it starts.
    ///   - back: where we run.
    ///   - arguments: what it is to be told, knowing its directory.
    init(
        _ path: String, processor: Int, back: Int, answersAt address: NetworkAddress, interruption: Interruption,
        arguments: (_ directory: String) throws -> [String]
    ) throws {
        name = path
        directory = try Self.makeDirectory()
        do {
            // A child runs where its parent does, and its own children where it does: none runs elsewhere even at first.
            try OwnProcess.pin(toProcessor: processor)
            defer { _ = try? OwnProcess.pin(toProcessor: back) }
            process = try Self.spawn(path, try arguments(directory), log: directory + "/log")
        } catch {
            Self.remove(directory)
            throw error
        }
        do {
            try awaitAnswer(at: address, interruption)
            children = try ProcessInformation.children(of: process.process).map { try ChildProcess.adopt($0) }
        } catch {
            stop()
            throw error
        }
    }

    deinit {
        stop()
    }

    var processes: [Int32] { [process.process] + children.map(\.process) }

    private static func makeDirectory() throws -> String {
        var template = Array("/tmp/tandem-load-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LoadFailure("cannot make a directory under /tmp") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func spawn(_ path: String, _ arguments: [String], log: String) throws -> ChildProcess {
        let file = OwnedDescriptor(adopting: open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
        let inherited = [ChildProcess.Inheritance(file, as: 1), ChildProcess.Inheritance(file, as: 2)]
        // It ends with us even if we are killed.
        let tied = "/usr/bin/setpriv"
        let command = (Files.isExecutable(tied) ? [tied, "--pdeathsig", "TERM"] : []) + [path] + arguments
        // A group of its own: Ctrl-C is ours to handle.
        return try ChildProcess.spawn(
            command[0], arguments: Array(command.dropFirst()), environment: Executables.environment,
            inherited: inherited, group: .new)
    }

    private func awaitAnswer(at address: NetworkAddress, _ interruption: Interruption) throws {
        let query = try RegistrarQuery(of: address)
        let end = SystemClock.monotonicNanoseconds() + 10_000_000_000
        while SystemClock.monotonicNanoseconds() < end {
            try interruption.check()
            if let end = try process.exitStatus() { throw LoadFailure("\(name) ended with \(end): \(logEnd)") }
            if try query.answer(for: BenchCluster.firstDN) != nil { return }
        }
        throw LoadFailure("\(name) does not answer at \(address): \(logEnd)")
    }

    private var logEnd: String {
        guard let log = try? Files.read(directory + "/log", limit: 1 << 22) else { return "" }
        return String(decoding: log.suffix(2000), as: UTF8.self)
    }

    func stop() {
        guard !isStopped else { return }
        isStopped = true
        _ = try? process.send(.terminate)
        if (try? process.descriptor.wait(forReading: true, nanoseconds: 3_000_000_000)) != true {
            _ = try? process.send(.kill)
            _ = try? process.descriptor.wait(forReading: true, nanoseconds: 1_000_000_000)
        }
        _ = try? process.exitStatus()
        for child in children { _ = try? child.send(.kill) }
        Self.remove(directory)
    }

    private static func remove(_ directory: String) {
        HelperProgram.remove(directory: directory)
    }
}
