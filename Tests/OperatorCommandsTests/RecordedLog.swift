import ClusterModel
import OperatorCommands
import Orchestration
import Testing
import TopologyFile
import Wire

/// A log of decisions as a controller writes it: two workers are told another topology, and one of them fails.
struct RecordedLog {
    static let statDirectory = "/run/tandem/stat"
    static let start = Instant(monotonic: 5_000_000_000, wallMilliseconds: now)

    var frames: [DecisionFrame] = []

    /// - Parameter version: of the program that decides.
    init(version: String = TandemVersion.current) throws {
        var recorder = DecisionRecorder()
        let applied = [1: try Self.topology(1), 2: try Self.topology(2)] as [UInt64: Topology]
        var observed = ObservedCluster(
            generation: 2,
            workers: DeclaredWorker.all(applied[1]!).map { declared in
                var worker = ObservedWorker(declared.name, declared.role, dataCenter: declared.dataCenter, .ready)
                (worker.generation, worker.incarnation, worker.dnsInService) = (1, 3, 7)
                return worker
            })
        func look(_ seconds: UInt64) {
            _ = recorder.observed(
                observed, desired: Desired(topology: applied[2]!, generation: 2), applied: applied,
                now: Self.start.advanced(by: seconds * 1_000_000_000))
        }
        func at(_ seconds: UInt64) -> Instant { Self.start.advanced(by: seconds * 1_000_000_000) }
        recorder.accept(2, now: at(0))
        look(1)
        recorder.ended("dc1/sip1", "", now: at(2))
        recorder.ended("dc1/stat1", "it is not ready", now: at(3))
        for position in observed.workers.indices { observed.workers[position].generation = 2 }
        look(4)
        let entries = recorder.take()
        frames = [
            .segment(
                DecisionSegment(
                    version: version, cluster: "pair", began: now, statDirectory: Self.statDirectory)),
            .state(entries[0].before),
        ]
        for entry in entries {
            if entry.decision.number == 2 {
                for generation in 1...2 as ClosedRange<UInt64> {
                    TopologyPiece.each(of: Self.text(generation), generation: generation, size: 100) {
                        frames.append(.topology($0))
                    }
                }
            }
            frames.append(.decision(entry.decision))
        }
    }

    /// Another generation has another timing. The address of the Stat Server is left to the controller.
    private static func text(_ generation: UInt64) -> [UInt8] {
        Array(
            """
            version: 1
            cluster: pair
            domain: cc.example.com
            agentTypes:
              sip-phone: { phone: sip }
            dataCenters:
              dc1:
                nodes:
                  sip1:
                    sip: [ "udp:127.0.0.1:5071" ]
                    tcontroller: "tcp:127.0.0.1:7101"
                    mesh: "tcp:127.0.0.1:7301"
                statServers:
                  stat1: {}
            dns:
              - { range: 1000-1009, agentType: sip-phone }
            timing: { keepalive: \(generation * 250)ms, linkTimeout: 2s }

            """.utf8)
    }

    private static func topology(_ generation: UInt64) throws -> Topology {
        let loaded = TopologyFile.load(TopologySource(name: "", text: text(generation)))
        let topology = try #require(loaded.topology, "\(loaded.diagnostics)")
        return StatSockets(directory: statDirectory).resolved(topology)
    }

    /// Each frame by itself, or all together.
    func bytes(together: Bool = true) -> [UInt8] {
        var bytes: [UInt8] = []
        var batch = DecisionBatch()
        for frame in frames {
            let isTaken = batch.add(frame)
            #expect(isTaken)
            guard !together else { continue }
            bytes += batch.sealed()
            batch = DecisionBatch()
        }
        return together ? batch.sealed() : bytes
    }

    /// - Parameter change: of the decision of this number.
    func changing(_ number: UInt64, _ change: (inout Decision) -> Void) -> RecordedLog {
        var log = self
        for (position, frame) in frames.enumerated() {
            guard case .decision(var decision) = frame, decision.number == number else { continue }
            change(&decision)
            log.frames[position] = .decision(decision)
        }
        return log
    }

    func without(_ isLeftOut: (DecisionFrame) -> Bool) -> RecordedLog {
        var log = self
        log.frames.removeAll(where: isLeftOut)
        return log
    }

    /// All decisions, made again.
    func replayed() throws -> (decisions: [ReplayedDecision], run: DecisionRun) {
        var run = DecisionRun(bytes())
        var decisions: [ReplayedDecision] = []
        while let replayed = try run.next() { decisions.append(replayed) }
        return (decisions, run)
    }
}

/// Which decision a frame is; nil for anything else.
func number(of frame: DecisionFrame) -> UInt64? {
    if case .decision(let decision) = frame { decision.number } else { nil }
}
