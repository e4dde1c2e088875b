import LinuxSystem
import Orchestration

/// What a soak came to.
struct SoakOutcome {
    let options: Soak.Options
    let seconds: Int
    let checks: [SoakChecks.Row]
    let phones: SoakPhones.Counts
    let clients: SoakClientCounts
    let mishaps: SoakMishaps.Counts
    let status: ClusterStatus

    var isGood: Bool { checks.allSatisfy(\.isGood) }

    private var counts: [(name: String, words: String, value: Int)] {
        let links = status.nodes.flatMap { $0.report?.links ?? [] }
        let sum = { (value: (LinkStatus) -> UInt64) in Int(links.reduce(0) { $0 + value($1) }) }
        return [
            ("registrations", "registrations", phones.registrations), ("refreshes", "refreshes", phones.refreshes),
            ("moves", "moves to another node", phones.moves), ("removals", "unregistered", phones.removals),
            ("expiries", "found expired at the next registration", phones.expiries),
            ("refused", "answered with another status than 200", phones.refused),
            ("repeats", "requests sent again", phones.repeats), ("givenUp", "requests given up", phones.givenUp),
            ("cuts", "links cut", mishaps.cuts), ("kills", "workers killed with signal 9", mishaps.kills),
            ("controllerKills", "controllers killed with signal 9", mishaps.controllerKills),
            ("longStops", "workers stopped for longer than the link timeout", mishaps.longStops),
            ("shortStops", "workers stopped for less", mishaps.shortStops),
            ("restarts", "restarts by the controller", status.nodes.reduce(0) { $0 + Int($1.restarts) }),
            ("losses", "losses of links, of the present lives", sum { $0.losses }),
            ("linkSnapshots", "snapshots over links, of the present lives", sum { $0.snapshots }),
            ("linkResumptions", "resumptions of links, of the present lives", sum { $0.resumptions }),
            ("mismatches", "sums that did not match, just now", sum { UInt64($0.mismatches) }),
            ("events", "events delivered to clients", clients.events),
            ("clientSnapshots", "snapshots for clients", clients.snapshots),
            ("clientResumes", "resumes by clients", clients.resumes),
            ("clientsCutOff", "clients cut off with a reason", clients.cutOff),
            ("clientsBroken", "connections of clients that broke", clients.broken),
            ("queries", "TQueryAddress", clients.queries),
            ("ownerAnswers", "of them answered by the owner", clients.ownerAnswers),
        ]
    }

    private var headline: String {
        "\(options.nodes) nodes, \(options.dns) DNs, \(options.rate) requests a second, \(seconds) s, "
            + "seed \(options.seed), links \(options.canCut ? "were cut" : "could not be cut")"
    }

    var text: String {
        let width = counts.map { FigureTable.grouped(Double($0.value)).count }.max() ?? 0
        let figures = counts.map { count in
            let number = FigureTable.grouped(Double(count.value))
            return String(repeating: " ", count: width - number.count) + number + "  " + count.words
        }
        let rows = checks.map { "\($0.isGood ? "good" : "BAD ")  \($0.name): \($0.words)" }
        return ([headline, ""] + figures + [""] + rows).joined(separator: "\n")
    }

    var json: String {
        let figures = counts.map { "    \"\($0.name)\": \($0.value)" }
        let rows = checks.map { "    {\"check\": \"\($0.name)\", \"good\": \($0.isGood), \"words\": \"\($0.words)\"}" }
        return """
            {
              "good": \(isGood), "seed": \(options.seed), "nodes": \(options.nodes), "dns": \(options.dns),
              "seconds": \(seconds), "rate": \(options.rate), "linksWereCut": \(options.canCut),
              "counts": {
            \(figures.joined(separator: ",\n"))
              },
              "checks": [
            \(rows.joined(separator: ",\n"))
              ]
            }
            """
    }
}

/// A line on standard error every few seconds.
struct SoakProgress {
    private static let interval: UInt64 = 5_000_000_000

    private let nodes: [String]
    private var nextAt: UInt64 = 0
    private var lastAt: UInt64 = 0
    private var lastAnswered = 0

    init(nodes: [String]) { self.nodes = nodes }

    mutating func isDue(now: UInt64) -> Bool {
        guard now >= nextAt else { return false }
        nextAt = now + Self.interval
        return true
    }

    mutating func tell(_ status: ClusterStatus, now elapsed: UInt64, at now: UInt64, answered: Int, fault: String) {
        let rate = lastAt == 0 ? 0 : Double(answered - lastAnswered) / (Double(now - lastAt) / 1e9)
        lastAt = now
        lastAnswered = answered
        let links = status.nodes.flatMap { $0.report?.links ?? [] }
        let processes = status.nodes.sorted { $0.name < $1.name }.map { node -> String in
            let pid = Int32(node.pid)
            guard let bytes = ProcessInformation.residentBytes(of: pid),
                let descriptors = ProcessInformation.openDescriptors(of: pid)
            else { return "gone" }
            return "\(bytes >> 20) MiB \(descriptors) fds"
        }
        StandardError.write(
            "\(elapsed / 1_000_000_000) s: \(FigureTable.grouped(rate)) registrations/s, "
                + "\(FigureTable.grouped(Double(status.inService))) in service, "
                + "\(links.count { $0.state == "live" })/\(nodes.count * (nodes.count - 1)) links live, "
                + processes.joined(separator: ", ") + ", fault: \(fault)")
    }
}
