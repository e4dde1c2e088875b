import ClusterModel
import Glibc
import LinuxSystem

/// The C echo, restarted as a server is that does not hand its sockets over. It has nothing to read when it starts, and
/// nothing to finish when it ends: a server that has takes longer.
final class RestartedEcho {
    enum Way: String, CaseIterable {
        /// The new process binds beside the old one (SO_REUSEPORT), which is then told to end and ends at once.
        case share
        /// The same, but the old one answers what waits in its socket before it closes that.
        case drain
        /// The old process ends, and then the new one is started and binds.
        case rebind

        fileprivate var words: [String] {
            switch self {
            case .share: ["share"]
            case .drain: ["share", "drain"]
            case .rebind: []
            }
        }
    }

    private enum Step {
        case resting(until: UInt64)
        case starting(ChildProcess, isBound: OwnedDescriptor)
        case ending(ChildProcess)
        case over
    }

    let address: NetworkAddress
    private let way: Way
    /// Nil between two processes that do not share.
    private var serving: ChildProcess?
    private var step = Step.over
    private var restartsToDo = 0
    private var pause: UInt64 = 0

    init(_ way: Way) throws {
        self.way = way
        address = try Kamailio.freeAddress()
        let (process, isBound) = try Self.start(way, address)
        serving = process
        guard try isBound.wait(forReading: true, nanoseconds: 5_000_000_000), Self.hasWord(isBound) else {
            throw LoadFailure("\(Echo.program) does not start at \(address)")
        }
    }

    deinit {
        stop()
    }

    /// - Returns: the process, and what can be read when it is bound or has ended.
    private static func start(_ way: Way, _ address: NetworkAddress) throws -> (ChildProcess, OwnedDescriptor) {
        let (ours, theirs) = try Sockets.streamPair()
        let process = try ChildProcess.spawn(
            Echo.program, arguments: ["\(address.port)"] + way.words, environment: Executables.environment,
            inherited: [ChildProcess.Inheritance(theirs, as: 1)], group: .new)
        return (process, ours)
    }

    /// Whether there was a word; otherwise the process has ended.
    private static func hasWord(_ isBound: OwnedDescriptor) -> Bool {
        var byte: UInt8 = 0
        return read(isBound.number, &byte, 1) == 1
    }

    /// Begins several restarts, one after the other.
    ///
    /// - Parameter pause: nanoseconds before the first, between two, and after the last.
    func begin(_ restarts: Int, pause: UInt64, now: UInt64) {
        restartsToDo = restarts
        self.pause = pause
        step = .resting(until: now + pause)
    }

    /// What can be done without waiting.
    ///
    /// - Returns: whether all restarts are done.
    func turn(_ now: UInt64, _ load: SteadyLoad) throws -> Bool {
        switch step {
        case .over: return true
        case .resting(let resumption):
            guard now >= resumption else { return false }
            guard restartsToDo > 0 else {
                step = .over
                return true
            }
            restartsToDo -= 1
            try way == .rebind ? end(load) : start(load)
        case .starting(let process, let isBound):
            guard try isBound.wait(forReading: true, nanoseconds: 0) else { return false }
            guard Self.hasWord(isBound) else { throw LoadFailure("\(Echo.program) does not start again") }
            if serving == nil { step = .resting(until: now + pause) } else { try end(load) }
            serving = process
        case .ending(let process):
            guard try process.exitStatus() != nil else { return false }
            if way == .rebind { try start(load) } else { step = .resting(until: now + pause) }
        }
        return false
    }

    private func start(_ load: SteadyLoad) throws {
        let (process, isBound) = try Self.start(way, address)
        try load.awaken(by: isBound)
        step = .starting(process, isBound: isBound)
    }

    private func end(_ load: SteadyLoad) throws {
        guard let process = serving else { return }
        serving = nil
        try load.awaken(by: process.descriptor)
        try process.send(.terminate)
        step = .ending(process)
    }

    func stop() {
        var processes = [serving]
        if case .starting(let process, _) = step { processes.append(process) }
        if case .ending(let process) = step { processes.append(process) }
        for process in processes.compactMap(\.self) {
            _ = try? process.send(.kill)
            _ = try? process.descriptor.wait(forReading: true, nanoseconds: 1_000_000_000)
            _ = try? process.exitStatus()
        }
        serving = nil
        step = .over
    }
}
