import ArgumentParser
import ClusterModel
import Histogram
import LinuxSystem

/// Calls through nodes that are running already.
struct CallsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calls",
        abstract: "Registers phones at nodes of this machine and has them call each other.",
        discussion: """
            A call is INVITE, 180, 200, ACK, BYE, 200, over UDP. The DNs must be provisioned numbers of equal length, one after the \
            other: first the callers, then as many callees.
            """
    )

    @Option(help: ArgumentHelp("The SIP address of the callers' node.", valueName: "address:port"))
    var target: String

    @Option(help: ArgumentHelp("That of the callees' node, if it is another.", valueName: "address:port"))
    var calleeTarget: String?

    @Option(help: "The domain in the phones' addresses.")
    var domain = "cc.example.com"

    @Option(help: ArgumentHelp("The first caller's DN.", valueName: "dn"))
    var first: String

    @Option(help: "How many callers, and how many callees.")
    var phones = 100

    @Option(help: "How many calls; without it, as many as there is time for.")
    var calls: Int?

    @Option(help: "Calls a second; without it, as many as may be in progress.")
    var rate: Double?

    @Option(help: "The most calls in progress.")
    var inFlight = 64

    @Option(help: "How long.")
    var seconds = 10

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (1...100_000).contains(phones) else { throw ValidationError("--phones is from 1 to 100000") }
        guard (1...CallBank.maximumInFlight).contains(inFlight) else {
            throw ValidationError("--in-flight is from 1 to \(CallBank.maximumInFlight)")
        }
        guard calls.map({ $0 > 0 }) ?? true else { throw ValidationError("--calls is above 0") }
        guard (1...3600).contains(seconds) else { throw ValidationError("--seconds is from 1 to 3600") }
        guard rate.map({ $0 > 0 && $0 <= 1_000_000 }) ?? true else { throw ValidationError("--rate is above 0") }
    }

    func run() throws {
        guard let server = NetworkAddress(target), let other = NetworkAddress(calleeTarget ?? target) else {
            throw ValidationError("a target is an IP address with a port, as 127.0.0.1:5071")
        }
        let bank = try CallBank(
            callerServer: server, calleeServer: other, domain: domain, firstDN: first, phones: phones,
            interruption: Interruption())
        try bank.register()
        let result = try bank.run(calls: calls ?? .max, inFlight: inFlight, rate: rate, seconds: Double(seconds))
        print(json ? Self.json(result) : Self.text(result))
        guard result.failed == 0 else { throw ExitCode(1) }
    }

    private static func text(_ result: CallResult) -> String {
        let refused = result.refused.sorted { $0.key < $1.key }.map { ", \($0.value) refused with \($0.key)" }.joined()
        return """
            \(result.completed) calls, \(FigureTable.grouped(result.perSecond)) a second\(refused), \(result.lost) lost, \
            \(result.repeats) requests sent again
            post-dial delay: p50 \(microseconds(result.postDial.valueAtPercentile(50))) µs, \
            p99 \(microseconds(result.postDial.valueAtPercentile(99))) µs
            whole call: p50 \(microseconds(result.whole.valueAtPercentile(50))) µs, \
            p99 \(microseconds(result.whole.valueAtPercentile(99))) µs
            """
    }

    private static func json(_ result: CallResult) -> String {
        let refused = result.refused.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }
        return """
            {"completed": \(result.completed), "perSecond": \(result.perSecond), \
            "refused": {\(refused.joined(separator: ", "))}, "lost": \(result.lost), "repeats": \(result.repeats), \
            "postDialMicroseconds": {"p50": \(result.postDial.valueAtPercentile(50) / 1000), \
            "p99": \(result.postDial.valueAtPercentile(99) / 1000)}}
            """
    }

    private static func microseconds(_ nanoseconds: UInt64) -> String {
        FigureTable.grouped(Double(nanoseconds) / 1000)
    }
}
