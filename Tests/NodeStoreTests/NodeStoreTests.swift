import ClusterModel
import GRDB
import Glibc
import LinuxSystem
import NodeCore
import NodeStore
import SIPCore
import Testing

@Suite struct NodeStoreTests {
    private let directory = Scratch()

    private func open(_ node: String = "dc1/sip1", cluster: String = "test") throws(StoreProblem) -> NodeStore.Opened {
        try NodeStore.open(directory.path + "/store", cluster: cluster, node: node, wallMilliseconds: 7)
    }

    /// Hands writes over and waits for what becomes of them.
    private func write(_ writes: [StoreWrite], to store: NodeStore) throws -> [StoreOutcome] {
        let reader = try store.reader()
        store.submit(writes)
        var outcomes: [StoreOutcome] = []
        let last = writes.last { if case .row = $0.change { true } else { false } }
        // Nobody is told of history; an answer comes after it.
        if last == nil { _ = try history("0", of: store) }
        while outcomes.last?.through != last?.number {
            try #require(try reader.wait(forReading: true, nanoseconds: 5_000_000_000))
            outcomes += store.takeOutcomes()
        }
        return outcomes
    }

    private func row(_ number: Int, agent: Bool = false, contacts: Int = 1) -> StoredDN {
        var row = StoredDN(
            claim: Stamp(milliseconds: UInt64(number), counter: 3), registered: Stamp(milliseconds: 8, counter: 1),
            service: .inService, session: nil, contacts: [])
        for contact in 0..<contacts {
            var binding = Binding(
                contact: Array("sip:\(number)@192.0.2.\(contact):5060".utf8), callID: Array("call-\(number)".utf8),
                cseq: 4, expiry: 0, quality: contact == 1 ? 500 : nil, path: Array("<sip:proxy;lr>".utf8),
                source: SIPSource(NetworkAddress(ipv4: 0x0A00_0001, port: 5060), listener: 2))
            binding.isTied = contact == 2
            binding.isFlow = contact == 1
            binding.device = UInt64(number)
            row.contacts.append(StoredDN.Contact(binding, keptUntil: 1_700_000_000_000 + UInt64(contact)))
        }
        if agent {
            var reasons = Reasons()
            _ = reasons.add("why", "lunch")
            row.session = AgentSession(
                agent: AgentID("agent\(number)")!, state: .notReady, workMode: .auxWork, reasons: reasons,
                profile: AgentProfile(skills: [Skill("english", level: 5)!], priority: 9)!,
                login: Stamp(rawValue: 5), stamp: Stamp(rawValue: 6))
        }
        return row
    }

    private func put(_ number: UInt64, _ dn: String, _ row: StoredDN?) -> StoreWrite {
        StoreWrite(number: number, dn: DN(dn)!, change: .row(row), greatestStamp: Stamp(rawValue: 1_000 + number))
    }

    private func add(_ number: UInt64, _ dn: String, _ transition: Transition) -> StoreWrite {
        StoreWrite(
            number: number, dn: DN(dn)!, change: .transition(transition), greatestStamp: Stamp(rawValue: 1_000 + number)
        )
    }

    private func transition(_ number: UInt64) -> Transition {
        Transition(
            time: 1_700_000_000_000 + number, cause: Transition.Cause.allCases[Int(number % 7)], service: .expired,
            owner: "dc1/sip1", formerOwner: "dc2/sip1", stamp: Stamp(rawValue: number), agent: "ann\(number)",
            phone: "192.0.2.7:5060")
    }

    private func history(_ dn: String, of store: NodeStore) throws -> [Transition]? {
        let reader = try store.reader()
        store.askHistory(of: DN(dn)!, number: 5)
        while true {
            try #require(try reader.wait(forReading: true, nanoseconds: 5_000_000_000))
            _ = store.takeOutcomes()
            if let answer = store.takeHistories().first {
                #expect(answer.number == 5)
                return answer.transitions
            }
        }
    }

    // MARK: What is written is there

    @Test func `what is written is found again, with every part of it`() throws {
        let first = try open()
        #expect(first.state == StoredState() && first.setAside == nil)
        let rows = [row(1), row(2, agent: true, contacts: 3), row(3, contacts: 0)]
        let outcomes = try write(
            [put(1, "1001", rows[0]), put(2, "1002", rows[1]), put(3, "1003", rows[2])], to: first.store)
        #expect(outcomes.allSatisfy { $0.problem == nil })
        first.store.close()
        let second = try open()
        #expect(second.state.dns == [DN("1001")!: rows[0], DN("1002")!: rows[1], DN("1003")!: rows[2]])
        #expect(second.state.greatestStamp == Stamp(rawValue: 1_003))
        second.store.close()
    }

    @Test func `later writes take the place of earlier ones, and what is removed is gone`() throws {
        let store = try open().store
        _ = try write([put(1, "1001", row(1)), put(2, "1002", row(2)), put(3, "1001", row(9))], to: store)
        _ = try write([put(4, "1002", nil)], to: store)
        store.close()
        #expect(try open().state.dns == [DN("1001")!: row(9)])
    }

    @Test func `many writes of many turns are committed together, each once and in order`() throws {
        let store = try open().store
        let reader = try store.reader()
        for number in UInt64(1)...2_000 { store.submit([put(number, "\(1_000 + number % 100)", row(Int(number)))]) }
        var outcomes: [StoreOutcome] = []
        while outcomes.last?.through != 2_000 {
            try #require(try reader.wait(forReading: true, nanoseconds: 5_000_000_000))
            outcomes += store.takeOutcomes()
        }
        #expect(outcomes.map(\.through) == outcomes.map(\.through).sorted())
        #expect(outcomes.count < 2_000)
        store.close()
        let state = try open().state
        #expect(state.dns.count == 100)
        #expect(state.dns[DN("1000")!] == row(2_000))
    }

    @Test func `what was handed over before the end is written`() throws {
        let store = try open().store
        store.submit([put(1, "1001", row(1))])
        store.close()
        #expect(try open().state.dns.count == 1)
    }

    // MARK: History

    @Test func `of each DN the last transitions are kept, in order, over lives`() throws {
        let first = try open().store
        #expect(try history("1001", of: first) == [])
        first.submit((1...20).map { add($0, "1001", transition($0)) } + [add(21, "1002", transition(21))])
        // What was handed over before is there, whatever has become of the DN.
        first.submit([put(22, "1001", nil)])
        #expect(try history("1001", of: first) == (1...20).map(transition))
        first.close()
        let second = try open().store
        _ = try write((23...50).map { add($0, "1001", transition($0)) }, to: second)
        let all = (Array(1...20) + Array(23...50)).map(transition)
        #expect(try history("1001", of: second) == all.suffix(Transition.maximumCount))
        #expect(try history("1002", of: second) == [transition(21)])
        second.close()
    }

    @Test func `a store of the first schema is brought up to date with all that is in it`() throws {
        let path = directory.path + "/store"
        var store = try open().store
        _ = try write([put(1, "1001", row(1))], to: store)
        store.close()
        let queue = try DatabaseQueue(path: path)
        try queue.write {
            try $0.execute(sql: "DROP TABLE transition; DELETE FROM grdb_migrations WHERE identifier = '2'")
        }
        try queue.close()
        let opened = try open()
        #expect(opened.setAside == nil && opened.state.dns == [DN("1001")!: row(1)])
        store = opened.store
        #expect(try write([add(1, "1001", transition(1)), put(2, "1002", row(2))], to: store).last?.problem == nil)
        #expect(try history("1001", of: store) == [transition(1)])
    }

    @Test func `a line of history that is not what was written is left out`() throws {
        let store = try open().store
        _ = try write((1...3).map { add($0, "1001", transition($0)) }, to: store)
        store.close()
        let queue = try DatabaseQueue(path: directory.path + "/store")
        try queue.write { try $0.execute(sql: "UPDATE transition SET sum = sum + 1 WHERE number = 2") }
        try queue.close()
        #expect(try history("1001", of: open().store) == [transition(1), transition(3)])
    }

    @Test func `what waits is part of the answer, and rows do not wait for it`() throws {
        let store = try open().store
        // More than one commit takes.
        let lines = (0..<5_000).map { add(UInt64($0 + 1), "\(1_000 + $0 % 500)", transition(UInt64($0))) }
        store.submit(lines + [put(5_001, "1001", row(1))])
        #expect(try history("1499", of: store) == (0..<10).map { transition(UInt64($0 * 500 + 499)) })
        store.close()
        #expect(try history("1000", of: open().store)?.count == 10)
    }

    @Test func `a damaged page of history keeps nothing else from being written`() throws {
        let store = try open().store
        let path = store.path
        _ = try write([put(1, "1001", row(1))], to: store)
        // So many that the table has inner pages, whose bytes are the first that are read.
        _ = try write((0..<400).map { add(UInt64($0 + 2), "\(2_000 + $0)", transition(1)) }, to: store)
        store.close()
        let queue = try DatabaseQueue(path: path)
        let root = try queue.read {
            try Int.fetchOne($0, sql: "SELECT rootpage FROM sqlite_master WHERE name = 'transition'")!
        }
        try queue.close()
        var bytes = try Files.read(path, limit: 1 << 22)
        for position in 0..<64 { bytes[(root - 1) * 4_096 + position] = 0xFF }
        try Files.writeAtomically(bytes, to: path)
        let opened = try open()
        #expect(opened.setAside == nil && opened.state.dns.count == 1)
        let outcomes = try write([add(1, "1001", transition(1)), put(2, "1002", row(2))], to: opened.store)
        #expect(outcomes.last?.problem == nil)
        #expect(
            try write([add(3, "1001", transition(1)), put(4, "1003", row(3))], to: opened.store).last?.problem == nil)
        #expect(try history("1001", of: opened.store) == nil)
        opened.store.close()
        #expect(try open().state.dns.count == 3)
    }

    // MARK: What is not right

    @Test func `a flipped byte anywhere puts the file aside, or harms nothing`() throws {
        let store = try open().store
        _ = try write((1...40).map { put(UInt64($0), "\(1_000 + $0)", row($0, agent: true, contacts: 2)) }, to: store)
        store.close()
        let path = directory.path + "/store"
        let good = try Files.read(path, limit: 1 << 20)
        let whole = try open()
        whole.store.close()
        var setAside = 0
        for position in stride(from: 5, to: good.count, by: 211) {
            var bad = good
            bad[position] ^= 0x10
            for suffix in ["", "-wal", "-shm"] { _ = try? Files.remove(path + suffix) }
            try Files.writeAtomically(bad, to: path)
            let opened: NodeStore.Opened
            do throws(StoreProblem) {
                opened = try open()
            } catch {
                // The name of its node, or the number of its schema.
                if case .unusable = error { Issue.record("byte \(position): \(error.sentence)") }
                continue
            }
            opened.store.close()
            if let aside = opened.setAside {
                setAside += 1
                #expect(opened.state == StoredState())
                #expect(try Files.read(aside, limit: 1 << 20) == bad)
            } else {
                // A byte that nothing stands in.
                var state = opened.state
                state.greatestStamp = whole.state.greatestStamp
                #expect(state == whole.state, "byte \(position)")
            }
        }
        #expect(setAside > 20)
    }

    @Test func `a file that is no database is put aside`() throws {
        try Files.writeAtomically(
            Array("hello, this is no database at all, but a text".utf8), to: directory.path + "/store")
        let opened = try open()
        #expect(opened.setAside == directory.path + "/store.damaged-7")
        #expect(try write([put(1, "1001", row(1))], to: opened.store).last?.problem == nil)
    }

    @Test func `a file of a newer build is left alone`() throws {
        try open().store.close()
        let queue = try DatabaseQueue(path: directory.path + "/store")
        try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('999')") }
        try queue.close()
        let before = try Files.read(directory.path + "/store", limit: 1 << 20)
        #expect(throws: StoreProblem.newer(path: directory.path + "/store")) { try open() }
        #expect(try Files.read(directory.path + "/store", limit: 1 << 20) == before)
    }

    @Test func `a file of another node is left alone`() throws {
        try open().store.close()
        let path = directory.path + "/store"
        #expect(throws: StoreProblem.foreign(path: path, node: "node dc1/sip1 of cluster test")) {
            try open("dc1/sip2")
        }
        #expect(throws: StoreProblem.self) { try open(cluster: "other") }
        #expect(try open().setAside == nil)
    }

    @Test func `a file that another process has open, and a directory that is not there, are said to be so`() throws {
        let first = try open()
        #expect(throws: StoreProblem.unusable(path: first.store.path, reason: "another process has it open")) {
            try open()
        }
        first.store.close()
        #expect(throws: StoreProblem.self) {
            try NodeStore.open("/nowhere/store", cluster: "test", node: "n", wallMilliseconds: 0)
        }
    }
}

/// A directory that goes with its owner.
private final class Scratch: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/tandem-store-XXXXXX\0".utf8CString)
        path = String(cString: mkdtemp(&template))
    }

    deinit {
        for name in (try? Files.names(in: path)) ?? [] { unlink(path + "/" + name) }
        rmdir(path)
    }
}

extension StoredState {
    fileprivate var dns: [DN: StoredDN] { Dictionary(uniqueKeysWithValues: rows.map { ($0.dn, $0.row) }) }
}
