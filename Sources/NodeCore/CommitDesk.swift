import AgentSessions
import ClusterModel
import SIPCore
import TLibraryPorts

/// What is on its way to the node's store, and whoever waits for it: bookkeeping without decisions.
///
/// A REGISTER, or what an agent does, that changes what is kept is judged, written down, and only then applied and answered, so
/// nothing ever has to be taken back. Until then its DN is held, and further ones of it wait. What nobody waits for is noted
/// by DN, and written as it is when its turn comes.
package struct CommitDesk: Sendable {
    /// How many may wait for the store.
    static let limit = 65_536
    /// How many bytes they may have, all together and those of one DN.
    static let byteLimit = 64 << 20
    static let byteLimitOfDN = 128 << 10
    /// After a failure, what nobody waits for is written again so much later, nanoseconds.
    static let patience: UInt64 = 1_000_000_000

    /// A REGISTER whose sender has proven who it is.
    struct Request: Sendable {
        var datagram: [UInt8]
        var sender: DNIndex?
        var source: SIPSource
        /// It has come back from another node, which has not taken it.
        var returned: ReturnedRequest?
        /// The most bytes that its answer may have.
        var answerLimit: Int
        /// When it came, if that was long before it was heard.
        var belated: UInt64?

        init(_ datagram: Span<UInt8>, sender: DNIndex?, source: SIPSource, answerLimit: Int, belated: UInt64?) {
            self.datagram = [UInt8](capacity: datagram.count) { output in
                for position in 0..<datagram.count { output.append(datagram[position]) }
            }
            self.sender = sender
            self.source = source
            self.answerLimit = answerLimit
            self.belated = belated
        }

        init(_ returned: ReturnedRequest) {
            datagram = returned.request
            source = returned.source
            self.returned = returned
            answerLimit = .max
        }
    }

    /// What somebody asks of the agent of a DN.
    struct AgentAsk: Sendable {
        /// A client of this node, or a peer for one of its clients.
        enum Asker: Sendable {
            case client(ProxiedRequest)
            case peer(NodeIndex, number: UInt64, connection: UInt64)
        }

        var request: AgentRequest
        var asker: Asker
    }

    enum Work: Sendable {
        case register(Request)
        case agent(AgentAsk)

        /// The stream over which the answer goes.
        var flow: FlowID? {
            if case .register(let request) = self { request.source.flow } else { nil }
        }

        /// What it takes, roughly.
        var byteCount: Int {
            if case .register(let request) = self { request.datagram.count } else { 1_024 }
        }
    }

    /// One that is being written down.
    struct Held: Sendable {
        var work: Work
        /// Lifetimes count from here.
        var came: Instant
        var stamp: Stamp
        /// What is written.
        var row: StoredDN
        /// The stream that it came over has ended: nobody can be told.
        var isVoid = false
    }

    private struct UnderWay {
        var number: UInt64
        var dn: DNIndex
        /// Somebody waits for it.
        var isAwaited: Bool
    }

    private(set) var held: [DNIndex: Held] = [:]
    private var waiting: [DNIndex: [Work]] = [:]
    private var waitingCount = 0
    /// Of everything that waits or is held.
    private var byteCount = 0
    /// How many of these are answered over which stream.
    private var flows: [FlowID: Int] = [:]
    /// DNs of which something is to be written that nobody waits for.
    private var dirty: Set<DNIndex> = []
    private var underWay: [UnderWay] = []
    private var underWayHead = 0
    private var writes: [StoreWrite] = []
    private var lastNumber: UInt64 = 0
    private var retryTime: UInt64?
    /// The node begins: what earlier lives have written is being taken back, which is no history.
    var isRestoring = false
    /// Holds what a DN's bindings would be.
    var scratch = Registrar(dnCount: 1)

    var heldCount: Int { held.count }
    /// Something is on its way, or waits for its turn.
    var hasMore: Bool { !held.isEmpty || !dirty.isEmpty || underWayHead < underWay.count }
    var isFull: Bool { held.count + waitingCount >= Self.limit || byteCount >= Self.byteLimit }

    /// Something is being written down, or waits for that.
    var isBusy: Bool { !held.isEmpty || underWayHead < underWay.count || !writes.isEmpty }
    /// DNs of which something is to be written, in order.
    var noted: [DNIndex] { dirty.sorted() }

    // MARK: Who waits

    /// Somebody waits until something of the DN is written.
    func holds(_ dn: DNIndex) -> Bool { !held.isEmpty && held[dn] != nil }

    /// Whether the very same datagram is here already: its sender has heard no answer yet, and will.
    func isHere(_ datagram: Span<UInt8>, from source: SIPSource, of dn: DNIndex) -> Bool {
        guard let first = held[dn]?.work else { return false }
        if Self.isSame(first, datagram, source) { return true }
        return waiting[dn]?.contains { Self.isSame($0, datagram, source) } ?? false
    }

    private static func isSame(_ work: Work, _ datagram: Span<UInt8>, _ source: SIPSource) -> Bool {
        guard case .register(let request) = work, request.source == source, request.datagram.count == datagram.count
        else { return false }
        let known = request.datagram.span
        for position in 0..<known.count where known[position] != datagram[position] { return false }
        return true
    }

    private mutating func enter(_ work: Work) {
        byteCount += work.byteCount
        if let flow = work.flow, flow != .none { flows[flow, default: 0] += 1 }
    }

    private mutating func leave(_ work: Work) {
        byteCount -= work.byteCount
        guard let flow = work.flow, flow != .none else { return }
        let left = (flows[flow] ?? 1) - 1
        flows[flow] = left == 0 ? nil : left
    }

    mutating func hold(_ held: Held, of dn: DNIndex, named name: DN, greatestStamp: Stamp) {
        self.held[dn] = held
        enter(held.work)
        write(name, dn, held.row, isAwaited: true, greatestStamp)
    }

    mutating func release(_ dn: DNIndex) -> Held? {
        guard let former = held.removeValue(forKey: dn) else { return nil }
        leave(former.work)
        return former
    }

    /// - Returns: false when too many wait already.
    mutating func wait(_ work: Work, of dn: DNIndex) -> Bool {
        let before = waiting[dn]?.reduce(0) { $0 + $1.byteCount } ?? 0
        guard !isFull, before + work.byteCount <= Self.byteLimitOfDN else { return false }
        waiting[dn, default: []].append(work)
        waitingCount += 1
        enter(work)
        return true
    }

    mutating func nextWaiting(_ dn: DNIndex) -> Work? {
        guard var requests = waiting.removeValue(forKey: dn), !requests.isEmpty else { return nil }
        let first = requests.removeFirst()
        waitingCount -= 1
        leave(first)
        if !requests.isEmpty { waiting[dn] = requests }
        return first
    }

    /// Somebody waits for an answer over a stream.
    func isAwaited(over flow: FlowID) -> Bool { flows[flow] != nil }

    /// A stream has ended: who sent something over it waits no more. What is being written comes to nothing.
    mutating func flowEnded(_ flow: FlowID) {
        guard isAwaited(over: flow) else { return }
        for dn in held.filter({ $0.value.work.flow == flow }).keys { held[dn]!.isVoid = true }
        for (dn, requests) in waiting {
            let rest = requests.filter { $0.flow != flow }
            waitingCount -= requests.count - rest.count
            for request in requests where request.flow == flow { leave(request) }
            waiting[dn] = rest.isEmpty ? nil : rest
        }
    }

    // MARK: Writes

    /// When what could not be written is tried again, monotonic nanoseconds; nil without any.
    var retryAt: UInt64? { dirty.isEmpty ? nil : retryTime }

    mutating func note(_ dn: DNIndex) { dirty.insert(dn) }

    mutating func forget(_ dn: DNIndex) { dirty.remove(dn) }

    /// The noted DNs whose turn it is, sorted. They are noted no more.
    mutating func takeDue(now: Instant) -> [DNIndex] {
        guard !dirty.isEmpty else { return [] }
        if let retryTime {
            guard retryTime <= now.monotonic else { return [] }
            self.retryTime = nil
        }
        // What is held is written as it will be; then one sees whether that is all.
        let due = dirty.filter { held[$0] == nil }.sorted()
        dirty.subtract(due)
        return due
    }

    mutating func write(
        _ name: DN, _ dn: DNIndex, _ row: StoredDN?, isAwaited: Bool = false, _ greatestStamp: Stamp
    ) {
        lastNumber += 1
        writes.append(StoreWrite(number: lastNumber, dn: name, change: .row(row), greatestStamp: greatestStamp))
        underWay.append(UnderWay(number: lastNumber, dn: dn, isAwaited: isAwaited))
    }

    /// Nobody waits for history, and what cannot be written of it is not tried again.
    mutating func write(_ name: DN, _ transition: Transition, _ greatestStamp: Stamp) {
        lastNumber += 1
        writes.append(
            StoreWrite(number: lastNumber, dn: name, change: .transition(transition), greatestStamp: greatestStamp))
    }

    mutating func takeWrites() -> [StoreWrite] {
        guard !writes.isEmpty else { return [] }
        defer { writes.removeAll(keepingCapacity: true) }
        return writes
    }

    /// Everything up to a number has been written, or could not be.
    ///
    /// - Returns: the next DN of these for which somebody waits; nil when there is none left.
    mutating func settled(through number: UInt64, isWritten: Bool, now: Instant) -> DNIndex? {
        while underWayHead < underWay.count, underWay[underWayHead].number <= number {
            let next = underWay[underWayHead]
            underWayHead += 1
            if next.isAwaited { return next.dn }
            guard !isWritten else { continue }
            dirty.insert(next.dn)
            retryTime = now.monotonic + Self.patience
        }
        if underWayHead == underWay.count {
            underWay.removeAll(keepingCapacity: true)
            underWayHead = 0
        } else if underWayHead > 4_096 {
            underWay.removeFirst(underWayHead)
            underWayHead = 0
        }
        if isWritten { retryTime = nil }
        return nil
    }
}
