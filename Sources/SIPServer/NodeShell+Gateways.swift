import ClusterModel
import LinuxSystem
import Logging
import NodeCore
import SIPCore
import Transport

/// A connection to a trunk's gateway that is being made, and what waits for it.
final class GatewayDial {
    /// Bytes that may wait. What does not fit is as lost as a datagram.
    static let limit = 256 * 1024

    /// The gateway's.
    var flow: FlowID
    /// The one that it came from, as others see this node.
    let listener: UInt8
    private(set) var messages: [UInt8] = []

    init(_ flow: FlowID, listener: UInt8) {
        self.flow = flow
        self.listener = listener
    }

    func append(_ message: [UInt8]) {
        if messages.count + message.count <= Self.limit { messages += message }
    }
}

// Gateways over TCP: a connection is made when there is something to send, and made again when it has ended.
extension NodeShell {
    /// - Parameter flow: of a gateway to which there is no connection.
    func dialGateway(_ flow: FlowID, listener: UInt8, sending message: [UInt8]) {
        guard let gateway = flow.gateway, gateway.trunk.position < topology.trunks.count else { return }
        let gateways = topology.trunks[gateway.trunk.position].gateways
        guard gateway.position < gateways.count else { return }
        if let dial = gatewayDials[flow] { return dial.append(message) }
        let dial = GatewayDial(flow, listener: listener)
        dial.append(message)
        gatewayDials[flow] = dial
        let address = gateways[gateway.position].address
        StreamDialer.dial(.tcp(address), on: loop) { [weak self] result in
            self?.gatewayDialled(result, dial, address)
        }
    }

    private func gatewayDialled(
        _ result: StreamDialer.Outcome, _ dial: GatewayDial, _ address: NetworkAddress
    ) {
        let (flow, listener) = (dial.flow, dial.listener)
        guard gatewayDials.removeValue(forKey: flow) != nil else { return (try? result.get())?.close() ?? () }
        do {
            let descriptor = try result.get()
            let source = SIPSource(address, flow: flow, listener: listener)
            let connection = try SIPConnection(
                descriptor, from: address, on: loop, delegate: SIPStreamDelegate(self, source))
            sipConnections[flow] = connection
            connection.writeBytes { $0 += dial.messages }
        } catch {
            logger.info("cannot connect to a gateway", metadata: ["gateway": "\(address)", "reason": "\(error)"])
            core.flowEnded(flow, now: loop.now)
        }
    }
}
