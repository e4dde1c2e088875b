package import ClusterModel
import DNOwnership
import SIPCore
import TLibraryPorts

/// All that a node holds about one DN, for whoever checks it from outside.
package struct DNInspection: Equatable, Sendable {
    package var owner: NodeIndex
    package var stamp: Stamp
    /// The owner's last word as far as the node knows it.
    package var service: Service
    /// What the node shows.
    package var view: Service
    /// The owner itself has said so.
    package var isSaid: Bool
    /// The former owner's word stands until the new owner speaks.
    package var isProvisional: Bool
    package var hasBindings: Bool
    /// A desktop holds the PSTN DN in service.
    package var isHeld: Bool
    /// The last desktop has gone, and its grace is not over.
    package var isInGrace: Bool
}

extension NodeCore {
    package func inspect(_ dn: DNIndex) -> DNInspection {
        let record = ownership.inspect(dn)
        return DNInspection(
            owner: record.view.owner, stamp: record.view.stamp, service: record.word, view: record.view.service,
            isSaid: record.isSaid, isProvisional: record.isProvisional, hasBindings: registrar.hasBindings(dn),
            isHeld: ports.isHeld(dn), isInGrace: graceEnds[dn] != nil
        )
    }
}
