import ClusterModel
import NodeCore
import SIPCore

/// A REGISTER that has come and was not answered at once.
struct UnansweredRegister: Sendable {
    let act: PhoneAct
    let seconds: Int
    let came: Instant
    /// When its last copy reached the node's socket.
    var arrival: UInt64
}

// What nodes write down, what becomes of it, and the answers that wait for it.
extension ClusterSimulation {
    /// At the end of a node's turn.
    mutating func writeStore(_ node: NodeIndex) {
        guard let disk = plan.disk else { return }
        disks[node.position].waiting += cores[node.position].takeWrites(now: instant(node))
        guard let time = disks[node.position].begin(disk) else { return }
        schedule(.commit(node, life: nodes[node.position].life), after: time)
    }

    mutating func commitEnds(_ node: NodeIndex, life: UInt64) {
        guard let disk = plan.disk, nodes[node.position].isUp, nodes[node.position].life == life,
            let outcome = disks[node.position].end(disk, now: now, isStorming: isStorming)
        else { return }
        cause = .commit
        fold.add(outcome.through)
        if outcome.isWritten {
            count(.storeCommitted)
            sayInDetail("\(name(node)) has written down everything up to \(outcome.through)")
            cores[node.position].storeCommitted(through: outcome.through, now: instant(node))
        } else {
            count(.storeFailed)
            say("\(name(node)) cannot write down what there is up to \(outcome.through)")
            cores[node.position].storeFailed(through: outcome.through, now: instant(node))
        }
        touch(node)
        guard let time = disks[node.position].begin(disk) else { return }
        schedule(.commit(node, life: life), after: time)
    }

    mutating func diskLosesProcess(_ node: NodeIndex) {
        guard let disk = plan.disk else { return }
        switch disks[node.position].losesProcess(disk) {
        case .none: return
        case .lastMoments:
            count(.powerCut)
            nodes[node.position].isWithoutPower = true
            say("the power of \(name(node)) fails, and the last moments on its disk are lost")
        case .everything:
            count(.storeDamaged)
            say("the store of \(name(node)) is damaged")
        }
        for position in nodes[node.position].seen.indices {
            nodes[node.position].seen[position].acknowledgedUntil = 0
            nodes[node.position].seen[position].keptUntil = .max
        }
    }

    /// What a new life holds at its beginning is what it has found; and 6: every registration that was acknowledged is there.
    mutating func remember(_ node: NodeIndex) {
        forgetDoubtful(node)
        for position in nodes[node.position].seen.indices {
            let dn = DNIndex(position)
            let former = nodes[node.position].seen[position]
            var seen = Seen()
            defer { nodes[node.position].seen[position] = seen }
            guard plan.disk != nil else { continue }
            let record = inspect(dn, at: node)
            (seen.owner, seen.stamp, seen.service, seen.view) = (
                record.owner, record.stamp, record.service, record.view
            )
            seen.session = record.session
            if record.owner == node, let session = record.session { sessionsMade.insert(session.digest) }
            if record.owner == node { ledger.said(record.service, of: dn, by: node, under: record.stamp) }
            fold.add(record.stamp.rawValue)
            seen.keptUntil = former.keptUntil
            invariantNothingExpiredComesBack(node, dn, record, former)
            guard former.acknowledgedUntil > now, !nodes[node.position].hasChangedClocks else { continue }
            seen.acknowledgedUntil = former.acknowledgedUntil
            seen.acknowledgedStamp = former.acknowledgedStamp
            seen.acknowledgedSequence = former.acknowledgedSequence
            invariantAcknowledgedSurvives(node, dn, record, former)
        }
    }

    /// What was asked and not answered may have been done: only as much is left of what was acknowledged as it left.
    private mutating func forgetDoubtful(_ node: NodeIndex) {
        for (key, request) in nodes[node.position].unanswered where request.act != .queries {
            let number = UInt64(phones[Int(key >> 32)].number)
            guard let dn = topology.directory.index(of: DN(decimal: number, length: 4)) else { continue }
            let until = request.act == .adds ? request.came.monotonic + UInt64(request.seconds) * .second : 0
            let former = nodes[node.position].seen[dn.position].acknowledgedUntil
            nodes[node.position].seen[dn.position].acknowledgedUntil = min(former, until)
            if request.act == .adds { mayComeBack(dn, at: node, seconds: request.seconds) }
            ledger.mayHaveRegistered(dn, at: node, time: now)
        }
        nodes[node.position].unanswered = [:]
    }

    /// What a phone has asked for may stand in the store.
    private mutating func mayComeBack(_ dn: DNIndex, at node: NodeIndex, seconds: Int) {
        let kept = nodes[node.position].seen[dn.position].keptUntil
        nodes[node.position].seen[dn.position].keptUntil = max(
            kept, Self.keptUntil(now, left: seconds, of: seconds))
    }

    /// 6. A registration that was acknowledged survives the death of the process.
    private mutating func invariantAcknowledgedSurvives(
        _ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection, _ former: Seen
    ) {
        count(.registrationSurvived)
        if record.owner == node, record.stamp >= former.acknowledgedStamp, record.service.isInService,
            record.hasBindings
        {
            return
        }
        fail(
            "invariantAcknowledgedSurvives",
            "\(name(dn)) was acknowledged until \(Self.clock(former.acknowledgedUntil - Self.origin)), and the next life of"
                + " \(name(node)) holds: \(words(record))")
    }

    /// 6. What is taken back has not expired: but for the tenth of its lifetime that it is kept longer.
    private mutating func invariantNothingExpiredComesBack(
        _ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection, _ former: Seen
    ) {
        guard record.hasBindings, former.keptUntil <= now, !nodes[node.position].hasChangedClocks else { return }
        fail(
            "invariantNothingExpiredComesBack",
            "\(name(dn)) at \(name(node)) was kept until \(Self.clock(former.keptUntil - Self.origin)): \(words(record))"
        )
    }

    /// - Parameter left: whole seconds of the lifetime, as the node has told at the time.
    static func keptUntil(_ now: UInt64, left: Int, of seconds: Int) -> UInt64 {
        now + UInt64(left) * .second + UInt64(seconds) * .second / 10 + .second
    }

    // MARK: Late answers

    static func key(_ phone: Int, _ sequence: UInt32) -> UInt64 { UInt64(phone) << 32 | UInt64(sequence) }

    /// A REGISTER is answered later, when it is written down or another node has spoken.
    mutating func answersRegister(_ phone: Int, by node: NodeIndex, _ text: SIPText) {
        let sequence = UInt32(text.value("CSeq").prefix { $0 != " " }) ?? 0
        guard let status = text.status, status >= 200,
            let request = nodes[node.position].unanswered.removeValue(forKey: Self.key(phone, sequence)),
            let dn = topology.directory.index(of: DN(decimal: UInt64(phones[phone].number), length: 4))
        else { return }
        fold.add(status)
        say("\(name(node)) → phone \(phones[phone].number): \(status) to REGISTER \(sequence)")
        // It was written down before a greater claim was heard, and the store is put right afterwards.
        if status == 503, request.act == .adds, plan.disk != nil,
            disks[node.position].row(of: topology.directory.dn(at: dn))?.contacts
                .contains(where: { $0.binding.cseq == sequence }) == true
        {
            mayComeBack(dn, at: node, seconds: request.seconds)
        }
        if status == 408 || status == 480 || status == 504 { return count(.askedElsewhere) }
        // One that has come again is answered again, and nothing was done.
        guard nodes[node.position].seen[dn.position].answers[sequence] == nil else { return }
        if status == 200, request.act != .queries {
            nodes[node.position].seen[dn.position].answers[sequence] = instant(node).monotonic
        }
        answered(
            phone, by: node, request.act, seconds: request.seconds, sequence: sequence, status: status, request.came,
            arrival: request.arrival, expires: Self.expires(text, of: phone))
    }

    /// What a 200 says of the phone's own contact, seconds; nil where it does not have it.
    static func expires(_ text: SIPText, of phone: Int) -> Int? {
        let contact = "@\(address(ofPhone: phone))>;expires="
        for line in text.lines where line.hasPrefix("Contact: ") {
            for part in line.split(separator: ",") {
                guard let range = part.firstRange(of: contact) else { continue }
                return Int(part[range.upperBound...].prefix { $0.isNumber })
            }
        }
        return nil
    }
}
