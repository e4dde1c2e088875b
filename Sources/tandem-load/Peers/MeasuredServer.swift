import ClusterModel
import LinuxSystem

/// A registrar under measurement: started for it, and stopped after it.
protocol MeasuredServer: AnyObject {
    /// Where phones register.
    var address: NetworkAddress { get }
    /// Where they do so over TCP, if it serves that.
    var streamAddress: NetworkAddress { get }

    /// All processes that serve them.
    func processes() throws -> [Int32]

    /// Ends everything that was started. May be called again.
    func stop()
}

extension MeasuredServer {
    /// Processor time of all its processes, user and kernel, in nanoseconds.
    func processorNanoseconds() throws -> UInt64 {
        try sum("processor time", ProcessInformation.processorNanoseconds)
    }

    /// Memory of all its processes in bytes. What they share counts once.
    func memoryBytes() throws -> Int {
        try sum("memory", ProcessInformation.proportionalBytes)
    }

    private func sum<Number: AdditiveArithmetic>(_ what: String, _ read: (Int32) -> Number?) throws -> Number {
        try processes().reduce(.zero) { sum, process in
            guard let value = read(process) else { throw LoadFailure("process \(process) tells no \(what)") }
            return sum + value
        }
    }
}

/// One node of Tandem, without peers.
final class TandemServer: MeasuredServer {
    let address: NetworkAddress
    let streamAddress: NetworkAddress
    private let cluster: BenchCluster
    private let worker: Int32

    /// - Parameters:
    ///   - authentication: what phones are challenged with; nil when nothing is asked.
    ///   - processor: where the worker runs.
    init(dns: Int, authentication: DigestAlgorithm? = nil, processor: Int, interruption: Interruption) throws {
        cluster = try BenchCluster(nodes: 1, dns: dns, authentication: authentication, interruption: interruption)
        address = cluster.sip[0]
        streamAddress = cluster.streamSIP[0]
        worker = try cluster.worker(0)
        try ProcessInformation.pin(worker, toProcessor: processor)
    }

    func processes() -> [Int32] { [worker] }

    func stop() { cluster.stop() }
}
