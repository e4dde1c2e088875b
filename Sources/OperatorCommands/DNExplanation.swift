import ClusterModel
package import Orchestration

/// Why a DN can or cannot take a call now, node by node, and what to do.
package struct DNExplanation: Sendable {
    package let details: DNDetails
    /// The nodes with their addresses, for the advice.
    package let status: ClusterStatus

    package init(_ details: DNDetails, status: ClusterStatus) {
        self.details = details
        self.status = status
    }

    /// Nodes that show the DN in service.
    var showing: [String] { nodes { $0.shown.isInService } }
    /// Nodes that show it out of service.
    var hiding: [String] { nodes { !$0.shown.isInService } }
    var owner: String { details.authority?.owner ?? "" }
    var isPSTN: Bool { details.phone == AgentType.Phone.pstn.rawValue }

    private func nodes(where condition: (DNReport) -> Bool) -> [String] {
        details.answers.filter { $0.report.map(condition) == true }.map(\.node).sorted()
    }

    /// Whether a call that arrives somewhere can be given to the DN.
    package var canTakeCall: Bool { !showing.isEmpty && dialProblem == nil }

    /// One sentence: whether the DN can take a call now, and if not why and what to do.
    package var closing: String {
        if details.answers.allSatisfy({ $0.report == nil }) {
            return
                "Whether DN \(details.dn) can take a call is not known, because no node answered; look at `tandem "
                + "nodes`."
        }
        if canTakeCall { return closingInService }
        if !showing.isEmpty, let dialProblem { return "DN \(details.dn) cannot take a call now: \(dialProblem)." }
        return "DN \(details.dn) cannot take a call now: \(cause)."
    }

    private var closingInService: String {
        let unknown = details.answers.filter { $0.report == nil }.map(\.node).sorted()
        var text = "DN \(details.dn) can take a call now"
        if hiding.isEmpty && unknown.isEmpty { return text + ", whichever node the call arrives at." }
        text += " when it arrives at \(Wording.list(showing))"
        if !hiding.isEmpty {
            text +=
                ", and not at \(Wording.list(hiding)), which cannot hear the owner \(owner); `tandem links` shows why"
        }
        if !unknown.isEmpty { text += "; \(Wording.list(unknown)) did not answer, see `tandem nodes`" }
        return text + "."
    }

    /// Why the DN is out of service and what to do, without a capital and full stop.
    private var cause: String {
        switch details.lastWord {
        case .inService:
            "its owner \(owner) cannot be heard by \(Wording.list(hiding)); see `tandem nodes` and `tandem links`, or "
                + "\(remedy) to give it another owner"
        case .ownerUnreachable:
            "its owner \(owner) cannot be heard; see `tandem links`, or \(remedy) to give it another owner"
        case .neverRegistered:
            isPSTN ? "no agent has logged in with it yet; \(remedy)" : "no phone has registered for it yet; \(remedy)"
        case .unregistered:
            isPSTN
                ? "its agent has logged out at \(owner); \(remedy)"
                : "its phone has unregistered at \(owner); \(remedy)"
        case .expired:
            "the registration of its phone at \(owner) ran out without a refresh; check that the phone is on and has a "
                + "network, and \(remedy)"
        case .flowLost:
            "the connection between its phone and \(owner) broke; check the phone's network, and \(remedy)"
        case .desktopGone:
            "the desktop that was connected to \(owner) for it is gone; \(remedy)"
        case .restarted:
            "its owner \(owner) restarted and no longer has the registration; wait for the phone's next refresh, "
                + "or \(remedy)"
        case .draining:
            "its owner \(owner) is being drained; \(remedy)"
        case .notProvisioned:
            "the topology no longer has it; add it under `dns:` and start the cluster again"
        case .superseded:
            "it is moving to another owner than \(owner) at this moment; ask again, and if it stays so, \(remedy)"
        }
    }

    // MARK: Where to go

    private var remedy: String {
        guard let node = homeNode else {
            return "start a node of its homes first (`tandem nodes`), and let it register there"
        }
        if isPSTN {
            let port = node.tcontroller.isEmpty ? "" : " (\(node.tcontroller))"
            return "let its agent log in, which sends TRegisterAddress to a node such as \(node.name)\(port)"
        }
        guard let registrar = Self.registrar(of: node) else { return "let its phone register at \(node.name)" }
        return "let its phone register at \(registrar) (\(node.name))"
    }

    /// A node where the DN may register: in the most preferred home, a ready one if there is any, and none that is
    /// known to be of no use.
    private var homeNode: NodeStatus? {
        let nodes = status.sipNodes.filter { isHome($0.dataCenter) }.sorted {
            ($0.rank(details.homes)) < $1.rank(details.homes)
        }
        let avoided: Set<Service> = [.draining, .inService, .ownerUnreachable]
        let others = avoided.contains(details.lastWord) ? nodes.filter { $0.name != owner } : nodes
        return others.first { $0.state == .ready } ?? nodes.first { $0.state == .ready } ?? nodes.first
    }

    private func isHome(_ dataCenter: String) -> Bool {
        details.homes.isEmpty || details.homes.contains(dataCenter)
    }

    /// The address that a phone is given as its registrar: `sip:127.0.0.1:5071`.
    private static func registrar(of node: NodeStatus) -> String? {
        let listener = node.sip.first { $0.hasPrefix("udp:") } ?? node.sip.first
        guard let listener, let colon = listener.firstIndex(of: ":") else { return nil }
        let transport = listener[..<colon]
        return "sip:\(listener[listener.index(after: colon)...])"
            + (transport == "udp" ? "" : ";transport=\(transport)")
    }
}

extension NodeStatus {
    /// Preferred homes first, then by name.
    fileprivate func rank(_ homes: [String]) -> (Int, String) {
        (homes.firstIndex(of: dataCenter) ?? homes.count, name)
    }
}

// MARK: Output

extension DNExplanation {
    /// - Parameter now: milliseconds since 1970.
    package func rendered(now: UInt64, _ style: Style) -> String {
        var lines = ["\(style.bold("DN \(details.dn)")) is a \(details.phone) phone of type \(details.agentType)."]
        if let authority = details.authority {
            lines.append("\(authority.owner) owns it since \(DNScreen.since(authority.stamp, now: now)).")
            lines.append(details.ownerAnswered ? ownersWord(authority) : "\(authority.owner) did not answer.")
        } else {
            lines.append("No node owns it.")
        }
        for binding in details.bindings { lines.append("  " + DNScreen.binding(binding)) }
        return lines.map { $0 + "\n" }.joined() + "\n" + DNScreen.views(details, style) + "\n" + style.bold(closing)
            + "\n" + (linkPart + [trunkPart].compactMap(\.self) + callPart(now: now)).map { $0 + "\n" }.joined()
            + agentPart(now: now) + "\n" + topologyPart + "\n" + reachPart + "\n"
            + findings.map { Self.line($0, style) + "\n" }.joined()
    }

    private func ownersWord(_ authority: DNReport) -> String {
        let held =
            isPSTN
            ? Wording.count(authority.desktops, "desktop connection")
            : Wording.count(details.bindings.count, "binding")
        return "Its owner says \(authority.lastWord.shortWord), and has \(held)\(details.bindings.isEmpty ? "." : ":")"
    }

    /// - Parameter now: milliseconds since 1970.
    package func json(now: UInt64) -> DNExplanationJSON {
        DNExplanationJSON(
            agentExplanation: agentPart(now: now), canTakeCall: canTakeCall, canTakeCallsFrom: showing,
            details: DNDetailsJSON(details), explanation: closing, findings: findings.map { DNFindingJSON($0) },
            links: linkPart, topology: topologyPart)
    }
}

/// What `tandem explain DN --json` prints.
package struct DNExplanationJSON: Encodable, Equatable, Sendable {
    var agentExplanation: String
    var canTakeCall: Bool
    var canTakeCallsFrom: [String]
    var details: DNDetailsJSON
    var explanation: String
    var findings: [DNFindingJSON]
    /// Why nodes do not hear the owner, a sentence each.
    var links: [String]
    var topology: String
}

/// What `tandem explain T012 --json` prints.
package struct CodeExplanationJSON: Encodable, Equatable, Sendable {
    var code: String
    var explanation: String
}
