import Foundation
import LinuxSystem
import Testing

/// The load generator's own runs work.
@Suite(.serialized) struct SoakTests {
    @Test func `a quick soak comes to its end and everything adds up`() throws {
        let counts = try soak(["--quick", "--seed", "4"], seconds: 120)
        #expect(counts["registrations", default: 0] >= 2_000)
        #expect(counts["events", default: 0] > 0)
        let faults = ["cuts", "kills", "longStops", "shortStops"].reduce(0) { $0 + counts[$1, default: 0] }
        #expect(faults > 0, "\(counts)")
    }

    @Test func `a storm of a minute: workers and the controller die, and nothing acknowledged is lost`() throws {
        let counts = try soak(
            ["--storm", "--minutes", "1", "--nodes", "3", "--dns", "2000", "--rate", "1000", "--seed", "5"],
            seconds: 180)
        #expect(counts["kills", default: 0] > 10 && counts["controllerKills", default: 0] > 2, "\(counts)")
    }

    /// - Returns: what it has counted.
    private func soak(_ arguments: [String], seconds: UInt64) throws -> [String: Int] {
        let command = [Executables.companion("tandem-load"), "soak", "--json"] + arguments
        let result = try Program.run(command, seconds: seconds)
        #expect(result.code == 0, "\(result.output)")
        let start = try #require(result.output.firstIndex(of: "{"), "\(result.output)")
        let end = try #require(result.output.lastIndex(of: "}"))
        let text = String(result.output[start...end])
        let json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(json["good"] as? Bool == true)
        return try #require(json["counts"] as? [String: Int])
    }
}
