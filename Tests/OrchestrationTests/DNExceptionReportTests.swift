import ClusterModel
import Orchestration
import Testing

@Suite struct DNExceptionReportTests {
    @Test func `a report gets the name of the node that has made it`() {
        var report = NodeReport()
        report.exceptions = [DNException(.flapping, DN("1000")!, node: "", detail: "4 changes", milliseconds: 7)]
        #expect(
            report.exceptions(of: "dc1/sip1")
                == [DNException(.flapping, DN("1000")!, node: "dc1/sip1", detail: "4 changes", milliseconds: 7)])
    }

    @Test func `what owners say adds up, and of what everybody says the most counts`() {
        #expect(DNException.Kind.notInService.total(of: [3, 0, 4]) == 7)
        #expect(DNException.Kind.ownerGone.total(of: [3, 0, 4]) == 4)
        #expect(DNException.Kind.claimedTwice.total(of: []) == 0)
        #expect(DNException.Kind.flapping.total(of: [.max, 1]) == .max)
        #expect(
            DNException.Kind.allCases.filter(\.isSaidByMany) == [.notProvisioned, .claimedTwice, .ownerGone])
    }
}
