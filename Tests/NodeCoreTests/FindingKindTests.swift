import NodeCore
import Testing

@Suite struct FindingKindTests {
    @Test func `kinds have the names that JSON has for them`() {
        #expect(
            DNFinding.Kind.allCases.map(\.rawValue) == [
                "not-provisioned", "forbidden-home", "away-from-home", "claimed-twice", "owner-gone", "not-in-service",
                "wrong-phone", "flapping", "agent-without-desktop", "endless-reservation", "endless-call",
            ])
    }
}
