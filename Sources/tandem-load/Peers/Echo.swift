import ClusterModel
import LinuxSystem

/// A program in C that answers each request and does nothing else: as fast as this machine and the generator allow.
final class Echo: MeasuredServer {
    /// `make bench` builds it beside this program, from `Benchmarks/echo/echo.c`.
    static var program: String { Executables.companion("tandem-echo") }

    let address: NetworkAddress
    var streamAddress: NetworkAddress { address }
    private let program: PeerProgram

    /// - Parameters:
    ///   - processor: where it runs.
    ///   - otherProcessor: where we run.
    init(processor: Int, otherProcessor: Int, interruption: Interruption) throws {
        let address = try Kamailio.freeAddress()
        self.address = address
        program = try PeerProgram(
            Self.program, processor: processor, back: otherProcessor, answersAt: address, interruption: interruption
        ) { _ in ["\(address.port)"] }
    }

    func processes() -> [Int32] { program.processes }

    func stop() { program.stop() }
}
