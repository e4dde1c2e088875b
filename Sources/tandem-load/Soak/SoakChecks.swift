import ClusterModel
import LinuxSystem
import TLibrary
import TLibraryPorts
import Wire

/// What a process takes of its host.
struct SoakCost {
    var process: String
    var residentBytes: Int
    var descriptors: Int
}

/// What has to hold at the end of a soak.
struct SoakChecks {
    struct Row {
        var name: String
        var isGood: Bool
        var words: String
    }

    /// What memory may grow by from the end of the warm-up to the end: allocators keep what was used at a peak.
    static let memoryFactor = 1.25
    static let memoryAllowance = 16 << 20
    /// What the number of descriptors may differ by: an operator's connection more or less.
    static let descriptorAllowance = 4

    private(set) var rows: [Row] = []
    private let soak: Soak
    private var views: [SoakViews] = []

    init(_ soak: Soak) { self.soak = soak }

    private mutating func add(_ name: String, _ isGood: Bool, _ words: String) {
        rows.append(Row(name: name, isGood: isGood, words: words))
    }

    /// Asks every node's T-Controller port for all DNs and compares them with each other and with the phones.
    mutating func compareViews(_ when: String) throws {
        views = try soak.cluster.nodes.indices.map { try snapshot($0) }
        let differences = views.dropFirst().map { views[0].differences(from: $0) }
        let differing = differences.reduce(0) { $0 + $1.count }
        let first = differences.compactMap(\.first).first.map { ", DN \($0) first" } ?? ""
        add("nodes agree on each DN \(when)", differing == 0, "\(differing) of \(soak.phones.count) differ\(first)")

        let now = SystemClock.monotonicNanoseconds()
        var wrong: [Int] = []
        var known = 0
        for phone in 0..<soak.phones.count {
            let isInService = views[0].isInService(phone)
            switch soak.phones.expectation(of: phone, now: now) {
            case .unknown: continue
            case .absent: if isInService { wrong.append(phone) }
            case .registered(let node):
                if !isInService || Int(views[0].owners[phone]) != node { wrong.append(phone) }
            }
            known += 1
        }
        let example = wrong.first.map { ", \(words(of: $0, now: now)) first" } ?? ""
        add(
            "DNs are where their phones registered last \(when)", wrong.isEmpty,
            "\(wrong.count) of \(known) wrong\(example); \(views[0].inService) in service")
    }

    /// What was expected of a phone, and what the first node shows.
    private func words(of phone: Int, now: UInt64) -> String {
        let name = { (node: Int) in soak.cluster.nodes.indices.contains(node) ? soak.cluster.nodes[node] : "no node" }
        let expected =
            switch soak.phones.expectation(of: phone, now: now) {
            case .registered(let node): "registered at \(name(node))"
            case .absent, .unknown: "not registered"
            }
        let service = Service(rawValue: views[0].services[phone]).map { $0.reason ?? $0.word } ?? "never-registered"
        return "DN \(Int(Soak.firstDN) + phone) (\(expected), shown \(service) at \(name(Int(views[0].owners[phone]))))"
    }

    /// What clients have gathered over all that happened, against a snapshot of now.
    mutating func compareClients() {
        var wrong = 0
        var words: [String] = []
        for monitor in soak.monitors {
            let difference = monitor.views.differences(from: views[monitor.node])
            guard difference.count > 0 else { continue }
            wrong += 1
            words.append(
                "\(soak.cluster.nodes[monitor.node]): \(difference.count) DNs, \(difference.first ?? 0) first")
        }
        add(
            "clients know what their nodes show", wrong == 0,
            "\(wrong) of \(soak.monitors.count) do not" + words.map { "; \($0)" }.joined())
        let lost = soak.clients.lostQueries
        add("every request of a desktop was answered", lost == 0, "\(lost) of \(soak.clients.queries) were not")
    }

    mutating func compareCost(_ warm: [SoakCost], _ end: [SoakCost]) {
        for (before, after) in zip(warm, end) {
            let limit = Int(Double(before.residentBytes) * Self.memoryFactor) + Self.memoryAllowance
            add(
                "memory of \(before.process)", after.residentBytes <= limit,
                "\(Self.mebibytes(before.residentBytes)) → \(Self.mebibytes(after.residentBytes)) MiB, "
                    + "at most \(Self.mebibytes(limit))")
            // A later controller holds no sockets of workers that it has found running, until it starts them itself.
            let isLater = before.process == "controller" && soak.mishaps.counts.controllerKills > 0
            let least =
                before.descriptors - (isLater ? soak.cluster.nodes.count * BenchCluster.socketsPerNode : 0)
                - Self.descriptorAllowance
            add(
                "descriptors of \(before.process)",
                (least...before.descriptors + Self.descriptorAllowance).contains(after.descriptors),
                "\(before.descriptors) → \(after.descriptors)")
        }
    }

    private static func mebibytes(_ bytes: Int) -> String {
        let tenths = (bytes * 10) >> 20
        return "\(tenths / 10).\(tenths % 10)"
    }

    private func snapshot(_ node: Int) throws -> SoakViews {
        let client = try TLibraryClient(to: soak.cluster.clientAddress(node), name: "soak check")
        defer { client.close() }
        try client.monitorAll(MonitorOptions(acceptsOwnerEvents: true))
        var views = SoakViews(nodes: soak.cluster.nodes, firstDN: Soak.firstDN, count: soak.phones.count)
        while let event = try client.nextEvent(timeout: .seconds(10)) {
            views.take(event)
            if event.privateInfo == .endOfSnapshot { return views }
        }
        throw LoadFailure("\(soak.cluster.nodes[node]) sends no snapshot")
    }
}
