import ClusterModel
import Testing
import WorkspaceCore

@Suite struct `what pages have missed` {
    private func beats(_ events: [StreamEvent]?) -> [UInt64]? {
        events?.map { event in
            guard case .beat(let now) = event.content else { return .max }
            return now
        }
    }

    @Test func `who comes back hears what came since, and nothing twice`() {
        var log = EventLog(epoch: 10)
        #expect(log.lastID == nil)
        let ids = (1...5).map { log.append(.beat(now: $0)).id! }
        #expect(ids[0] == "000000000000000a-1")
        #expect(log.lastID == ids[4])
        #expect(beats(log.missed(after: ids[4])) == [])
        #expect(beats(log.missed(after: ids[2])) == [4, 5])
    }

    @Test func `what is not known any more is told anew`() {
        var log = EventLog(epoch: 10)
        for number in 1...1_000 { _ = log.append(.beat(now: UInt64(number))) }
        #expect(beats(log.missed(after: "000000000000000a-984"))?.count == EventLog.capacity)
        #expect(log.missed(after: "000000000000000a-983") == nil)
        for strange in [
            "", "-", "1", "000000000000000b-900", "000000000000000a-1001", "000000000000000a-0", "000000000000000a--1",
            "000000000000000a-99999999999999999999999", "000000000000000a-900-1",
        ] {
            #expect(log.missed(after: strange) == nil, "\(strange)")
        }
    }
}
