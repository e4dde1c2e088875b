import ClusterModel
import LinuxSystem

/// A server under measurement: started for it, and stopped after it.
protocol MeasuredServer: AnyObject {
    /// Where phones register.
    var address: NetworkAddress { get }
    /// Where they do so over TCP, if it serves that.
    var streamAddress: NetworkAddress { get }

    /// Where the phones register that are called; elsewhere when there are two nodes.
    var calleeAddress: NetworkAddress { get }

    /// All processes that serve them.
    func processes() throws -> [Int32]

    /// Waits until the peer, where there is one, knows a DN that has just registered.
    func awaitPeer(of dn: String) throws

    /// Ends everything that was started. May be called again.
    func stop()
}

extension MeasuredServer {
    /// There is one node.
    var calleeAddress: NetworkAddress { address }

    /// Nobody else is there to be told.
    func awaitPeer(of dn: String) throws {}

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
