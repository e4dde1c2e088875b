import ClusterModel
import LinuxSystem
import TLibrary
import TLibraryPorts
import Transport
import Wire

/// What happened to the clients of all T-Controller ports.
struct SoakClientCounts {
    var events = 0
    var snapshots = 0
    var resumes = 0
    var cutOff = 0
    var broken = 0
    var queries = 0
    var answers = 0
    var ownerAnswers = 0
    var lostQueries = 0
}

/// A monitoring client that leaves and comes back, and stalls now and then.
final class SoakMonitor {
    /// At most this many events a visit, so that nobody waits for one client.
    private static let share = 4_096

    let node: Int
    private let address: StreamAddress
    private let takesOwnerEvents: Bool
    private var client: TLibraryClient?
    private(set) var views: SoakViews
    private var position: FeedPosition?
    private var isComplete = false
    private var stalledUntil: UInt64 = 0
    private var nextTurn: UInt64 = 0
    private var nextConnect: UInt64 = 0
    private var random: SoakRandom

    init(node: Int, at address: StreamAddress, takesOwnerEvents: Bool, views: SoakViews, seed: UInt64) {
        self.node = node
        self.address = address
        self.takesOwnerEvents = takesOwnerEvents
        self.views = views
        random = SoakRandom(seed: seed)
    }

    /// It has heard a whole snapshot and everything since, as far as it has arrived.
    var isReady: Bool { client != nil && isComplete }

    /// - Parameters:
    ///   - isQuiet: it stays and reads.
    ///   - isReachable: the node runs, so that a connection is answered.
    func tick(now: UInt64, isQuiet: Bool, isReachable: Bool, _ counts: inout SoakClientCounts) {
        if client == nil {
            guard isReachable, now >= nextConnect else { return }
            connect(now: now, &counts)
        }
        if !isQuiet, now >= nextTurn {
            turn(now: now)
            nextTurn = max(now, stalledUntil) + random.nanoseconds(3_000, 12_000)
        }
        if isQuiet || now >= stalledUntil { read(now: now, &counts) }
    }

    private func turn(now: UInt64) {
        if random.below(3) == 0 {
            stalledUntil = now + random.nanoseconds(1_000, 40_000)
        } else {
            if random.below(4) == 0 { position = nil }
            drop(now: now)
        }
    }

    private func drop(now: UInt64) {
        client?.close()
        client = nil
        nextConnect = now + random.nanoseconds(100, 2_000)
    }

    private func connect(now: UInt64, _ counts: inout SoakClientCounts) {
        do {
            let client = try TLibraryClient(to: address, name: "soak", timeout: .milliseconds(500))
            let options = MonitorOptions(
                acceptsOwnerEvents: takesOwnerEvents, resume: isComplete ? position : nil)
            let answer = try client.monitorAll(options, timeout: .milliseconds(500))
            if answer.isResumed {
                counts.resumes += 1
            } else {
                counts.snapshots += 1
                views.forget()
                isComplete = false
            }
            position = FeedPosition(lineage: Incarnation(rawValue: answer.lineage), sequence: answer.sequence)
            self.client = client
        } catch {
            drop(now: now)
        }
    }

    private func read(now: UInt64, _ counts: inout SoakClientCounts) {
        for _ in 0..<Self.share {
            guard let client else { return }
            do throws(TLibraryClientError) {
                guard let event = try client.nextEvent(timeout: .zero) else { return }
                counts.events += 1
                views.take(event)
                if event.privateInfo == .endOfSnapshot { isComplete = true }
                if event.sequence > 0 { position?.sequence = event.sequence }
            } catch {
                if case .closed(_, .some) = error { counts.cutOff += 1 } else { counts.broken += 1 }
                return drop(now: now)
            }
        }
    }
}

/// A client that asks for DNs wherever their owners are.
final class SoakDesktop {
    private static let patience: UInt64 = 20_000_000_000

    let node: Int
    private let address: StreamAddress
    private let firstDN: UInt64
    private let count: Int
    private var client: TLibraryClient?
    private var asked: [UInt32: UInt64] = [:]
    private var nextAt: UInt64 = 0
    private var random: SoakRandom

    init(node: Int, at address: StreamAddress, firstDN: UInt64, count: Int, seed: UInt64) {
        self.node = node
        self.address = address
        self.firstDN = firstDN
        self.count = count
        random = SoakRandom(seed: seed)
    }

    var isReady: Bool { client != nil && asked.isEmpty }

    func tick(now: UInt64, isQuiet: Bool, isReachable: Bool, _ counts: inout SoakClientCounts) {
        do {
            if client == nil {
                guard isReachable, now >= nextAt else { return }
                nextAt = now + 500_000_000
                asked = [:]
                client = try TLibraryClient(to: address, name: "soak", timeout: .milliseconds(500))
            }
            guard let client else { return }
            while let event = try client.nextEvent(timeout: .zero) {
                guard let id = event.referenceID, asked.removeValue(forKey: id) != nil else { continue }
                counts.answers += 1
                if event.ownerDetail != nil { counts.ownerAnswers += 1 }
            }
            if isReachable {
                counts.lostQueries += asked.values.count { now > $0 + Self.patience }
                asked = asked.filter { now <= $0.value + Self.patience }
            }
            guard !isQuiet, isReachable, now >= nextAt else { return }
            nextAt = now + 20_000_000
            let id = client.nextReferenceID()
            try client.send(
                .queryAddress(referenceID: id, dn: "\(firstDN + UInt64(random.below(count)))"),
                timeout: .milliseconds(200))
            asked[id] = now
            counts.queries += 1
        } catch {
            client?.close()
            client = nil
            asked = [:]
        }
    }
}
