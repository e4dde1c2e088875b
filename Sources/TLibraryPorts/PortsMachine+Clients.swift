// Which clients there are, for whoever has their connections.
extension PortsMachine {
    /// All that are connected, in order.
    package var clientIDs: [ClientID] { clients.keys.sorted() }
}
