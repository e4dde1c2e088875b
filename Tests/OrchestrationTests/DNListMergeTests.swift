import ClusterModel
import Orchestration
import Testing

@Suite struct DNListMergeTests {
    private func entry(
        _ position: UInt32, _ owner: String, _ stamp: UInt64, _ word: Service = .inService, shown: Service? = nil,
        here: Bool = false
    ) -> DNListEntry {
        DNListEntry(
            dn: "\(1000 + position)", owner: owner, stamp: Stamp(rawValue: stamp), lastWord: word,
            shown: shown ?? word, isOwnedHere: here, agentType: "sip-phone", position: position)
    }

    private func list(_ entries: [DNListEntry], next: UInt32? = nil) -> DNList {
        var list = DNList()
        list.entries = entries
        list.next = next
        return list
    }

    private func merged(_ lists: [DNList], _ fill: (inout DNFilter) -> Void = { _ in }) -> [DNListEntry] {
        var filter = DNFilter()
        fill(&filter)
        return DNListMerge.merged(lists, filter) { $0.split(separator: "/").first.map(String.init) ?? "" }
    }

    @Test func `candidates end where the shortest list ends`() {
        let long = list([entry(1, "dc1/a", 1), entry(5, "dc1/a", 1), entry(9, "dc1/a", 1)])
        let short = list([entry(2, "dc1/a", 1), entry(5, "dc1/a", 1)], next: 6)
        let (positions, next) = DNListMerge.candidates([long, short])
        #expect(positions == [1, 2, 5])
        #expect(next == 6)
        #expect(DNListMerge.candidates([]).positions == [])
    }

    @Test func `the greatest claim counts, and among equal ones the owner's own word`() {
        let stale = entry(1, "dc1/a", 1, .inService, here: true)
        let told = entry(1, "dc2/b", 2, .superseded)
        let own = entry(1, "dc2/b", 2, .expired, here: true)
        for lists in [[stale, told, own], [own, told, stale]].map({ $0.map { list([$0]) } }) {
            #expect(merged(lists).map(\.lastWord) == [.expired])
        }
    }

    @Test func `a filter holds for the greatest claim, not for what a node that was cut off still believes`() {
        let stale = list([entry(1, "dc1/a", 1, .inService)])
        let fresh = list([entry(1, "dc2/b", 2, .expired, here: true)])
        #expect(merged([stale, fresh]) { $0.state = .inService }.isEmpty)
        #expect(merged([stale, fresh]) { $0.owner = "dc1/a" }.isEmpty)
        #expect(merged([stale, fresh]) { $0.dataCenter = "dc1" }.isEmpty)
        #expect(merged([stale, fresh]) { $0.dataCenter = "dc2" }.count == 1)
        #expect(merged([stale, fresh]) { $0.state = .reason(.expired) }.count == 1)
    }

    @Test func `a DN is in service if any node shows it so, and its owner unreachable if none does`() {
        let hidden = entry(1, "dc2/b", 2, .inService, shown: .ownerUnreachable)
        let seen = entry(1, "dc2/b", 2, .inService)
        #expect(merged([list([hidden]), list([seen])]).map(\.service) == [.inService])
        #expect(merged([list([hidden]), list([hidden])]).map(\.service) == [.ownerUnreachable])
        #expect(merged([list([hidden])]) { $0.state = .inService }.isEmpty)
        for state in [DNFilter.State.outOfService, .reason(.ownerUnreachable)] {
            #expect(merged([list([hidden])]) { $0.state = state }.count == 1)
        }
    }

    @Test func `no node leaves a DN out that may fit when all are heard`() {
        for state in DNFilter.State.allTexts.compactMap({ DNFilter.State($0) }) {
            for word in Service.allCases where word != .ownerUnreachable {
                for shown in [word, .ownerUnreachable] {
                    let entry = entry(1, "dc1/a", 1, word, shown: shown)
                    if state.fits(entry.service) { #expect(state.mayFit(word: word, shown: shown)) }
                    if state.fits(word) { #expect(state.mayFit(word: word, shown: shown)) }
                }
            }
        }
    }

    @Test func `states come out as they went in, and others are none`() {
        for text in DNFilter.State.allTexts { #expect(DNFilter.State(text)?.text == text) }
        #expect(DNFilter.State.allTexts.contains("owner-unreachable"))
        #expect(DNFilter.State("") == nil)
        #expect(DNFilter.State("InSrv") == nil)
    }
}
