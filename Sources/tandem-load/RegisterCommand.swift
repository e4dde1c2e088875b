import ArgumentParser
import ClusterModel
import LinuxSystem

/// Load for a node that is running already.
struct RegisterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Registers phones at a node of this machine and refreshes them.",
        discussion: "Every answer is checked. The DNs must be provisioned numbers of equal length, one after the other."
    )

    @Option(help: ArgumentHelp("The node's SIP address.", valueName: "address:port"))
    var target: String

    @Option(help: "The domain in the phones' addresses.")
    var domain = "cc.example.com"

    @Option(help: ArgumentHelp("The first phone's DN.", valueName: "dn"))
    var first: String

    @Option(help: "How many phones.")
    var count: Int

    @Option(help: "Requests a second; without it, as many as the window lets through.")
    var rate: Double?

    @Option(help: "The most requests without an answer.")
    var window = 256

    @Option(help: "How long.")
    var seconds = 10

    @Option(help: "How long a registration shall hold, in seconds.")
    var expires = 3600

    @Flag(help: "Phones register over TCP.")
    var tcp = false

    @Option(help: "With --tcp: how many connections the phones share.")
    var connections = 64

    @Option(
        help: ArgumentHelp(
            "Phones answer challenges of this algorithm.", valueName: "md5|sha-256|sha-512-256"),
        transform: Self.algorithm)
    var digest: DigestAlgorithm?

    @Option(help: "With --digest: the password of all phones. Each one's name is its DN.")
    var password: String?

    @Flag(help: "Each phone registers once, however long that takes within the time.")
    var once = false

    @Flag(help: "With --once: each phone removes its contact afterwards.")
    var leave = false

    private static func algorithm(_ key: String) throws -> DigestAlgorithm {
        guard let algorithm = DigestAlgorithm.allCases.first(where: { $0.key == key }) else {
            throw ValidationError("--digest is \(DigestAlgorithm.allCases.map(\.key).joined(separator: ", "))")
        }
        return algorithm
    }

    func validate() throws {
        guard (digest == nil) == (password == nil) else {
            throw ValidationError("--digest and --password go together")
        }
        guard (1...10_000).contains(connections) else { throw ValidationError("--connections is from 1 to 10000") }
        guard once || !leave else { throw ValidationError("--leave goes with --once") }
        guard (1...3600).contains(seconds) else { throw ValidationError("--seconds is from 1 to 3600") }
        guard (1...65_536).contains(window) else { throw ValidationError("--window is from 1 to 65536") }
        guard !(once && rate != nil) else { throw ValidationError("--once and --rate exclude each other") }
        guard rate.map({ $0 > 0 && $0 <= 10_000_000 }) ?? true else { throw ValidationError("--rate is above 0") }
        guard (1...86_400).contains(expires) else { throw ValidationError("--expires is from 1 to 86400") }
    }

    func run() throws {
        guard let address = NetworkAddress(target) else {
            throw ValidationError("--target is an IP address with a port, as 127.0.0.1:5071")
        }
        let phones = try PhoneBank(
            target: address, domain: domain, firstDN: first, count: count, expires: expires,
            interruption: Interruption(), transport: tcp ? .tcp : .udp, connections: connections, digest: digest,
            password: password ?? ""
        )
        var result: LoadResult
        if once {
            result = try phones.registerOnce(0..<count, window: window, seconds: seconds)
            if leave { result += try phones.registerOnce(0..<count, removes: true, window: window, seconds: seconds) }
        } else {
            result = try phones.refresh(0..<count, window: window, rate: rate, seconds: seconds)
        }
        let rate = FigureTable.grouped(result.perSecond)
        print("\(result.answered) answered with 200, \(rate) a second, \(result.repeats) sent again")
        let (p50, p99) = (Self.microseconds(result.p50), Self.microseconds(result.p99))
        print("latency: p50 \(p50) µs, p99 \(p99) µs; \(result.challenges) challenges answered")
    }

    private static func microseconds(_ nanoseconds: UInt64) -> String {
        FigureTable.grouped(Double(nanoseconds) / 1000)
    }
}
