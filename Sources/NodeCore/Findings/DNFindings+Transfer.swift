import ClusterModel

// What the successor of a process is given of what it has found. The ages go with the DNs, so a restart does not make anything
// young again. Who has changed its owner often, whose REGISTERs were refused, and how far the pass was, is forgotten: the first two
// come again within minutes if they still are so, and the last costs one pass.
extension DNFindings {
    /// The ages of a DN, four bits each; 0 for none.
    func packedAges(of dn: DNIndex) -> UInt32 {
        State.all.reduce(0) { $0 | UInt32(ages[$1.rawValue].age(of: dn)) << UInt32($1.rawValue * 4) }
    }

    mutating func setAges(of dn: DNIndex, to packed: UInt32) {
        for state in State.all {
            let age = UInt8(packed >> UInt32(state.rawValue * 4) & 0xF)
            ages[state.rawValue].set(dn, to: min(age, AgePages.oldest))
        }
    }
}

extension DNFindings: Transferable {
    mutating func transfer(_ state: inout StateTransfer) {
        state.perNode(1, &silentSince)
        // One for each kind: a later build has more of them, at the end.
        var tallies = state.isReading ? [] : shown
        state.list(2, &tallies)
        guard state.isReading else { return }
        for (place, tally) in tallies.prefix(shown.count).enumerated() { shown[place] = tally }
    }
}

extension DNFindings.Tally: Restorable {
    static var blank: DNFindings.Tally { DNFindings.Tally() }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &count)
        state.list(2, &examples)
        guard state.isReading else { return }
        examples = Array(examples.prefix(DNFindingReport.maximumExamples))
        if examples.isEmpty { count = 0 }
    }
}

extension DNFindings.Example: Restorable {
    static var blank: DNFindings.Example { DNFindings.Example(dn: DNIndex(0), since: 0) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &dn)
        state.number(2, &since)
    }
}
