import ArgumentParser
import ClusterModel
import LinuxSystem

/// Calls through a node, or through any other server, that is running already.
struct CallsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calls",
        abstract: "Registers phones at a server of this machine, and lets them call each other through it.",
        discussion: """
            The callees answer at once; the callers hang up after the hold time. Without --rate a call begins when another
            ends: that is the most the server can do. With --rate calls begin at that rate whatever becomes of them.
            The exit code is 1 if a call failed.
            """
    )

    @Option(help: ArgumentHelp("Where callers register and call.", valueName: "udp:address:port"))
    var server: String

    @Option(help: ArgumentHelp("Where callees register; --server unless given.", valueName: "udp:address:port"))
    var calleeServer: String?

    @Option(help: "The domain in the phones' addresses.")
    var domain = "cc.example.com"

    @Option(help: ArgumentHelp("The callers' DNs.", valueName: "first-last"))
    var callers = "1000-1999"

    @Option(help: ArgumentHelp("The callees' DNs.", valueName: "first-last"))
    var callees = "2000-2999"

    @Option(help: "How many calls; without it, as many as the time lets through.")
    var calls: Int?

    @Option(help: "How long calls are begun; with --calls at the most.")
    var seconds: Int?

    @Option(help: "Calls begun a second; without it, as many as may be in flight.")
    var rate: Double?

    @Option(help: "The most calls in flight; 64 unless given, with --rate 20000.")
    var inFlight: Int?

    @Option(help: "Milliseconds between the answer and the end of a call.")
    var hold = 0

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard calls.map({ $0 > 0 }) ?? true else { throw ValidationError("--calls is above 0") }
        guard (1...86_400).contains(seconds ?? 1) else { throw ValidationError("--seconds is from 1 to 86400") }
        guard rate.map({ $0 > 0 && $0 <= 1_000_000 }) ?? true else { throw ValidationError("--rate is above 0") }
        guard (1...500_000).contains(inFlight ?? 1) else { throw ValidationError("--in-flight is from 1 to 500000") }
        guard (0...3_600_000).contains(hold) else { throw ValidationError("--hold is from 0 to 3600000") }
    }

    func run() throws {
        let address = try Self.address(server, "--server")
        let elsewhere = try calleeServer.map { try Self.address($0, "--callee-server") }
        let bank = try CallBank(
            callers: try Self.phones(callers, "--callers", at: address),
            callees: try Self.phones(callees, "--callees", at: elsewhere ?? address), domain: domain,
            interruption: Interruption())
        defer { try? bank.unregister() }
        try bank.register()
        let plan = CallBank.Plan(
            calls: calls ?? .max, seconds: seconds ?? (calls == nil ? 10 : 3600),
            inFlight: inFlight ?? (rate == nil ? 64 : 20_000), rate: rate, hold: UInt64(hold) * 1_000_000)
        let result = try bank.run(plan) { Self.tell($0) }
        print(json ? CallReport(result).json : CallReport(result).text)
        if result.failed > 0 { throw ExitCode(1) }
    }

    private static func tell(_ result: CallResult) {
        StandardError.write("\(result.completed) calls completed, \(result.failed) failed")
    }

    private static func address(_ text: String, _ option: String) throws -> NetworkAddress {
        guard text.hasPrefix("udp:"), let address = NetworkAddress(String(text.dropFirst(4))) else {
            throw ValidationError("\(option) is an IP address with a port, as udp:127.0.0.1:5071")
        }
        return address
    }

    /// Numbers of equal length.
    private static func phones(_ text: String, _ option: String, at server: NetworkAddress) throws -> CallBank.Phones {
        let ends = text.split(separator: "-").map { UInt64($0) }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first > 0, first <= last,
            last - first < 1_000_000, text == "\(first)-\(last)", "\(first)".count == "\(last)".count
        else { throw ValidationError("\(option) are two numbers of equal length, as 1000-1999") }
        return CallBank.Phones(server: server, firstDN: first, count: Int(last - first) + 1)
    }
}
