import AgentSessions
package import ClusterModel
import DNOwnership
import SIPCore

// What has been found, in words.
extension NodeCore {
    /// DNs that are not as they should be, as far as has been looked.
    package mutating func exceptions(now: Instant) -> DNFindingReport {
        var report = DNFindingReport()
        for kind in DNFinding.Kind.allCases {
            switch kind {
            case .notProvisioned: tellUnknown(&report, now)
            case .wrongPhone: tellRefused(&report, now)
            case .flapping: tellFlapping(&report, now)
            case .forbiddenHome, .awayFromHome, .claimedTwice, .ownerGone, .notInService, .agentWithoutDesktop,
                .endlessReservation, .endlessCall:
                tellPass(kind, room: DNFindingReport.maximumExamples, &report, now)
            }
        }
        return report
    }

    /// What the last pass has found of a kind.
    private mutating func tellPass(
        _ kind: DNFinding.Kind, room: Int, _ report: inout DNFindingReport, _ now: Instant
    ) {
        let tally = findings.shown[kind.place]
        guard tally.count > 0 else { return }
        report.counts[kind, default: 0] += tally.count
        for example in tally.examples.prefix(room) {
            report.examples.append(
                DNFinding(
                    kind, topology.directory.dn(at: example.dn), detail: detail(of: kind, example.dn, now),
                    milliseconds: now.since(example.since) / 1_000_000))
        }
    }

    private mutating func tellUnknown(_ report: inout DNFindingReport, _ now: Instant) {
        let heard = ownership.unknownDNs(
            after: DNFindings.grace, limit: DNFindingReport.maximumExamples, now: now)
        var found = heard.named.map { unknown in
            DNFinding(
                .notProvisioned, unknown.dn, detail: "owner \(topology.name(of: unknown.owner))",
                milliseconds: now.since(unknown.since) / 1_000_000)
        }
        var count = heard.count
        let age = now.since(findings.stored.since)
        if findings.stored.count > 0, age <= DNFindings.storedPatience {
            count += findings.stored.count
            found += findings.stored.names.map {
                DNFinding(.notProvisioned, $0, detail: "in the store", milliseconds: age / 1_000_000)
            }
        }
        guard count > 0 else { return }
        report.counts[.notProvisioned] = count
        found.sort { ($0.dn, $0.detail) < ($1.dn, $1.detail) }
        report.examples += found.prefix(DNFindingReport.maximumExamples)
    }

    private mutating func tellRefused(_ report: inout DNFindingReport, _ now: Instant) {
        // One that is bound all the same is counted as that.
        let bound = DNFindings.State.boundPSTN.rawValue
        let refused = findings.refused.present(now).filter {
            findings.ages[bound].age(of: $0.dn) < DNFindings.countingAge
        }
        // Of several phones the one that has tried for longest speaks for the DN.
        var first: [RefusedPhones.Entry] = []
        for entry in refused {
            if first.last?.dn != entry.dn {
                first.append(entry)
            } else if entry.first < first[first.count - 1].first {
                first[first.count - 1] = entry
            }
        }
        if !first.isEmpty { report.counts[.wrongPhone] = UInt64(first.count) }
        for entry in first.prefix(DNFindingReport.maximumExamples) {
            report.examples.append(
                DNFinding(
                    .wrongPhone, topology.directory.dn(at: entry.dn), detail: words(of: entry),
                    milliseconds: now.since(entry.first) / 1_000_000))
        }
        tellPass(
            .wrongPhone, room: max(0, DNFindingReport.maximumExamples - first.count), &report, now)
    }

    private mutating func tellFlapping(_ report: inout DNFindingReport, _ now: Instant) {
        let flapping = findings.flaps.flapping(now).filter { ownership.owns($0.dn) }
        guard !flapping.isEmpty else { return }
        report.counts[.flapping] = UInt64(flapping.count)
        for entry in flapping.prefix(DNFindingReport.maximumExamples) {
            report.examples.append(
                DNFinding(
                    .flapping, topology.directory.dn(at: entry.dn), detail: words(of: entry),
                    milliseconds: now.since(entry.since) / 1_000_000))
        }
    }

    /// Phones of which is known that they were refused: `RefusedPhones.maximumCount` at most.
    package var refusedPhoneCount: Int { findings.refused.entries.count }

    // MARK: One DN

    /// Whatever is not as it should be about one DN, by kind; of each kind once. What has to last has lasted.
    package mutating func exceptions(of dn: DNIndex, now: Instant) -> [DNFinding] {
        let name = topology.directory.dn(at: dn)
        var found: [DNFinding.Kind: DNFinding] = [:]
        func add(_ kind: DNFinding.Kind, _ detail: String, since: UInt64) {
            guard found[kind] == nil else { return }
            found[kind] = DNFinding(kind, name, detail: detail, milliseconds: now.since(since) / 1_000_000)
        }
        for state in DNFindings.State.all {
            let age = findings.ages[state.rawValue].age(of: dn)
            guard age >= DNFindings.countingAge else { continue }
            let since = now.monotonic - min(now.monotonic, UInt64(age - 2) * DNFindings.step)
            add(state.kind, detail(of: state.kind, dn, now), since: since)
        }
        var scanned: [ScannedDN] = []
        ownership.scan(dn.position..<dn.position + 1, into: &scanned)
        let held = scanned[0]
        if held.owner == me {
            if held.occupancy.contains(.reserved), let since = endlessReservation(of: dn, now) {
                add(.endlessReservation, detail(of: .endlessReservation, dn, now), since: since)
            }
            if held.occupancy.contains(.busy), let since = endlessCall(of: dn, now) {
                add(.endlessCall, detail(of: .endlessCall, dn, now), since: since)
            }
            if let entry = findings.flaps.flapping(now).first(where: { $0.dn == dn }) {
                add(.flapping, words(of: entry), since: entry.since)
            }
        } else if held.owner != .none, held.service.isInService,
            findings.pass.gone.indices.contains(held.owner.position),
            let since = findings.pass.gone[held.owner.position]
        {
            add(.ownerGone, detail(of: .ownerGone, dn, now), since: since)
        }
        if let entry = findings.refused.present(now).first(where: { $0.dn == dn }) {
            add(.wrongPhone, words(of: entry), since: entry.first)
        }
        return DNFinding.Kind.allCases.compactMap { found[$0] }
    }

    // MARK: Details

    private func words(of entry: FlapTable.Entry) -> String {
        let former = entry.former == .none ? "" : "before at \(topology.name(of: entry.former)), "
        return "\(former)\(entry.count) changes"
    }

    private mutating func words(of entry: RefusedPhones.Entry) -> String {
        let times = entry.count == 1 ? "once" : "\(entry.count) times"
        let reason =
            switch entry.reason {
            case .kind: "the DN is a PSTN phone's"
            case .dataCenter: "the DN may not register in \(topology.dataCenters[dataCenter].name)"
            }
        return "\(entry.agent) at \(entry.source) refused \(times): \(reason)"
    }

    private mutating func detail(of kind: DNFinding.Kind, _ dn: DNIndex, _ now: Instant) -> String {
        switch kind {
        case .forbiddenHome: "homes \(names(ofHomesOf: dn).joined(separator: ", "))"
        case .awayFromHome: "first home \(names(ofHomesOf: dn).first ?? "")"
        case .claimedTwice: ownership.lesserClaimant(of: dn).map { "also by \(topology.name(of: $0))" } ?? ""
        case .ownerGone: owner(of: dn).map { "owner \($0)" } ?? ""
        case .notInService: ownership.lastWord(of: dn).reason ?? ""
        case .wrongPhone: registrar.newestSource(of: dn).map { "registered from \($0.address)" } ?? ""
        case .agentWithoutDesktop:
            "\(ownership.session(of: dn)?.agent.text ?? ""), \(ownership.lastWord(of: dn).reason ?? "in service")"
        case .endlessReservation: desk.lease(of: dn).map { words(of: $0, now) } ?? ""
        case .endlessCall: words(ofCallOf: dn)
        case .notProvisioned, .flapping: ""
        }
    }

    private mutating func owner(of dn: DNIndex) -> String? {
        let owner = ownership.view(of: dn).owner
        return owner == .none ? nil : topology.name(of: owner)
    }

    private func names(ofHomesOf dn: DNIndex) -> [String] {
        // Few; what one is told of is told to be cut, not to be endless.
        topology.directory.homes[topology.directory.block(of: dn).homes].prefix(4).map { topology.dataCenters[$0].name }
    }

    private func words(of lease: ReservationDesk.Lease, _ now: Instant) -> String {
        let holder = lease.holder.node == .none ? "" : ", by a client of \(topology.name(of: lease.holder.node))"
        return now.since(lease.deadline) > DNFindings.reservationSlack
            ? "past its end\(holder)" : "agent reserved\(holder)"
    }

    private mutating func words(ofCallOf dn: DNIndex) -> String {
        let calls = ownership.calls(of: dn)?.calls ?? []
        guard let call = calls.min(by: { $0.since < $1.since }) else { return "" }
        let other = call.other.isEmpty ? "" : ", with \(call.other)"
        return "\(call.word) \(call.connection)\(other)"
    }
}
