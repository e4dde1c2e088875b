import Testing
import Workspace

/// How often the log says what strangers do.
@Suite struct AuditPaceTests {
    private static let second: UInt64 = 1_000_000_000

    @Test func `a flood is a few lines at once, and then one a second`() {
        let pace = AuditPace()
        let start = 1_000 * Self.second
        #expect((0..<1_000).count { _ in pace.take(now: start) } == 20)
        #expect((1...10_000).count { pace.take(now: start + UInt64($0) * Self.second / 1_000) } == 10)
        #expect((0..<1_000).count { _ in pace.take(now: start + 3_600 * Self.second) } == 20)
    }
}
