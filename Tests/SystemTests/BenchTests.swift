import LinuxSystem
import Testing

/// The bench runs to its end; what it prints depends on the machine and is nobody's business here.
@Suite(.serialized) struct BenchTests {
    @Test func `agents, reservations, monitoring clients and a resumption are measured`() throws {
        let result = try Program.run(
            [Executables.companion("tandem-load"), "bench", "--only", "agents", "--quick", "--json"], seconds: 60)
        #expect(result.code == 0, "\(result.output)")
        for key in ["agentEventTail", "reservationTail", "reservationRate", "monitorCPU", "monitorBytes", "resume"] {
            #expect(result.output.contains("\"\(key)\""), "\(key): \(result.output)")
        }
    }

    @Test func `the registrar is measured, also where nobody else is there to compare`() throws {
        let result = try Program.run(
            [
                Executables.companion("tandem-load"), "bench", "--only", "registrar", "--quick", "--json", "--peers",
                "/nonexistent",
            ], seconds: 120)
        #expect(result.code == 0, "\(result.output)")
        for key in ["rate", "largeRate", "firstRate", "fewTail", "memory", "digestRate", "streamRate", "peerRate"] {
            #expect(result.output.contains("\"registrar-\(key)-tandem\""), "\(key): \(result.output)")
        }
        #expect(!result.output.contains("kamailio"))
    }
}
