package import ClusterModel
package import Orchestration

/// What `tandem dn show` and `tandem dn list` show people.
package enum DNScreen {
    /// - Parameter now: milliseconds since 1970.
    package static func rendered(_ details: DNDetails, now: UInt64, _ style: Style) -> String {
        let home = details.homes.isEmpty ? "anywhere" : details.homes.joined(separator: ", ")
        return "\(style.bold("DN \(details.dn)")): \(service(details, style))\n"
            + "agent type   \(details.agentType) (\(details.phone))\n"
            + "homes        \(home)\n"
            + (details.expectation.isEmpty ? "" : "expected     \(details.expectation)\n")
            + "owner        \(owner(details, now: now))\n"
            + "bindings     \(bindings(details))\n"
            + "agent        \(AgentScreen.summary(details.authority?.agent, now: now))\n"
            + "calls        \(calls(details, now: now))\n\n" + views(details, style)
    }

    private static func calls(_ details: DNDetails, now: UInt64) -> String {
        let lines = details.calls.map { CallScreen.words($0, now: now) }
        return lines.isEmpty ? "-" : lines.joined(separator: "\n             ")
    }

    private static func service(_ details: DNDetails, _ style: Style) -> String {
        let word = details.lastWord
        guard word.isInService else { return style.bad(word.shortWord) }
        let isShown = details.answers.contains { $0.report?.shown.isInService == true }
        if isShown { return style.good(word.shortWord) }
        return style.bad("OOS everywhere") + ", because its owner, who said InSrv last, cannot be heard"
    }

    /// Who owns the DN and since when.
    package static func owner(_ details: DNDetails, now: UInt64) -> String {
        guard let authority = details.authority else { return "-" }
        return "\(authority.owner), since \(since(authority.stamp, now: now)) (stamp \(authority.stamp))"
    }

    /// A stamp as a moment: `2026-01-31 14:03:07, 4m 05s ago`.
    package static func since(_ stamp: Stamp, now: UInt64) -> String {
        let moment = Wording.localTime(milliseconds: stamp.milliseconds)
        // The owner's clock may be ahead of ours.
        guard now >= stamp.milliseconds else { return moment }
        return "\(moment), \(Wording.duration(milliseconds: now - stamp.milliseconds)) ago"
    }

    private static func bindings(_ details: DNDetails) -> String {
        if details.phone == AgentType.Phone.pstn.rawValue {
            return Wording.count(details.authority?.desktops ?? 0, "desktop connection")
        }
        if !details.ownerAnswered, let owner = details.authority?.owner { return "not known: \(owner) did not answer" }
        let lines = details.bindings.map(binding)
        return lines.isEmpty ? "-" : lines.joined(separator: "\n             ")
    }

    /// A binding on one line.
    package static func binding(_ binding: BindingReport) -> String {
        "\(Wording.printable(binding.contact)) from \(Wording.printable(binding.source)), expires in "
            + Wording.duration(milliseconds: UInt64(binding.expiresInSeconds) * 1000)
    }

    /// What each node shows its clients.
    package static func views(_ details: DNDetails, _ style: Style) -> String {
        var table = Table([.init("NODE"), .init("SHOWS"), .init("OWNER IT KNOWS"), .init("STAMP")])
        for answer in details.answers.sorted(by: { $0.node < $1.node }) {
            guard let report = answer.report else {
                table.add([.init(answer.node), .init("unknown (\(answer.state))", .doubtful), "", ""])
                continue
            }
            table.add([
                .init(answer.node), .init(report.shown.shortWord, report.shown.isInService ? .good : .bad),
                .init(report.owner), .init(report.owner.isEmpty ? "" : "\(report.stamp)"),
            ])
        }
        return table.rendered(style)
    }

    /// The table of `tandem dn list`, or a part of it.
    ///
    /// - Parameter widths: as the parts before left them.
    package static func list(_ entries: [DNListEntry], _ style: Style, widths: inout [Int]) -> String {
        var table = Table([.init("DN"), .init("SERVICE"), .init("OWNER"), .init("STAMP"), .init("AGENT TYPE")])
        for entry in entries {
            table.add([
                .init(entry.dn), .init(entry.service.shortWord, tone(entry.service)), .init(entry.owner),
                .init(entry.owner.isEmpty ? "" : "\(entry.stamp)"), .init(entry.agentType),
            ])
        }
        return table.rendered(style, widths: &widths)
    }

    /// Nobody needs to do anything about a DN that has no phone.
    private static func tone(_ service: Service) -> Table.Tone {
        switch service {
        case .inService: .good
        case .ownerUnreachable, .restarted, .flowLost: .bad
        case .neverRegistered, .unregistered, .expired, .desktopGone, .draining, .notProvisioned, .superseded: .faint
        }
    }
}
