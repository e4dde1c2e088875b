/// What a node shows its clients of a DN.
package struct View: Equatable, Sendable {
    package var service: Service
    /// `.none` before anybody has claimed the DN.
    package var owner: NodeIndex
    package var stamp: Stamp

    package init(service: Service, owner: NodeIndex, stamp: Stamp) {
        self.service = service
        self.owner = owner
        self.stamp = stamp
    }
}
