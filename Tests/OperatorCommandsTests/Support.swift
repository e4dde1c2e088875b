import ClusterModel
import Orchestration

/// The moment at which the tests look: 31 January 2026, 12:00:00 UTC.
let now: UInt64 = 1_769_860_800_000

/// A cluster of two nodes, `dc1/sip1` and `dc2/sip1`, with everything as it should be.
func healthyStatus() -> ClusterStatus {
    var status = ClusterStatus()
    status.cluster = "pair"
    status.domain = "cc.example.com"
    status.version = "0.1.0"
    status.topologyPath = "pair.yaml"
    status.controllerPID = 100
    // Not in order, as an answer may be.
    status.nodes = [
        node("dc2/sip1", dataCenter: "dc2", pid: 102, peer: "dc1/sip1", sip: "udp:127.0.0.1:5072"),
        node("dc1/sip1", dataCenter: "dc1", pid: 101, peer: "dc2/sip1", sip: "udp:127.0.0.1:5071"),
    ]
    status.inService = 1
    status.outOfService = 9
    return status
}

func node(_ name: String, dataCenter: String, pid: UInt32, peer: String, sip: String) -> NodeStatus {
    var node = NodeStatus(name: name)
    node.dataCenter = dataCenter
    node.state = .ready
    node.pid = pid
    node.incarnation = 3
    node.sip = [sip]
    node.tcontroller = "tcp:127.0.0.1:7101"
    var report = NodeReport()
    report.memoryBytes = 17_500_000
    report.uptimeMilliseconds = 65_000
    report.cpuMicroseconds = 1_500_000
    report.ownedDNs = 2
    report.ownedInService = 1
    report.bindings = 1
    report.clients = 4
    var link = LinkStatus(peer: peer, state: "live")
    link.roundTripMicroseconds = 250
    link.transmitMicroseconds = 100
    link.receiveMicroseconds = 150
    link.queuedBytes = 1
    link.unacknowledgedBytes = 2
    link.unreadBytes = 4
    link.silenceMilliseconds = 120
    report.links = [link]
    node.report = report
    return node
}

/// `dc2/sip1` has died, and `dc1/sip1` no longer hears it.
func degradedStatus() -> ClusterStatus {
    var status = healthyStatus()
    status.nodes[0].state = .backingOff
    status.nodes[0].pid = 0
    status.nodes[0].restarts = 2
    status.nodes[0].report = nil
    status.nodes[0].lastProblem = "worker ended with signal 9"
    status.nodes[0].logLines = ["ready", "Fatal error: gone"]
    status.nodes[0].logLinesLeftOut = 7
    status.nodes[1].report?.links = [LinkStatus(peer: "dc2/sip1", state: "down")]
    status.nodes[1].report?.links[0].losses = 1
    status.nodes[1].report?.links[0].lastProblem = "peer closed"
    status.conditions = ConditionRules.conditions(of: status.nodes, notices: [])
    return status
}

let claimed = Stamp(milliseconds: now - 245_000, counter: 7)

/// What the owner `dc1/sip1` and `dc2/sip1` say of DN 1000.
func details(
    _ word: Service, phone: String = "sip", shownAtOwner: Service? = nil, shownElsewhere: Service? = nil,
    ownerAnswers: Bool = true
) -> DNDetails {
    var details = DNDetails()
    details.dn = "1000"
    details.isProvisioned = true
    details.agentType = "\(phone)-phone"
    details.phone = phone
    details.homes = ["dc1", "dc2"]
    var report = DNReport()
    report.isProvisioned = true
    report.lastWord = word
    if word != .neverRegistered {
        report.owner = "dc1/sip1"
        report.stamp = claimed
    }
    var owners = report
    owners.isOwnedHere = word != .neverRegistered
    owners.shown = shownAtOwner ?? word
    if word == .inService && phone == "sip" {
        let contact = "sip:1000@192.0.2.1:5060"
        owners.bindings = [BindingReport(contact: contact, expiresInSeconds: 299, source: "192.0.2.1:5060")]
    }
    report.shown = shownElsewhere ?? word
    details.answers = [
        DNAnswer(node: "dc2/sip1", state: "ready", report: report),
        DNAnswer(node: "dc1/sip1", state: "ready", report: ownerAnswers ? owners : nil),
    ]
    return details
}
