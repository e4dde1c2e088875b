import ClusterModel
import LinuxSystem
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// A Stat Server's seat: a monitoring client of one node's T-Controller port.
final class Subscriber {
    let client: TLibraryClient
    private(set) var snapshot: [String: Service] = [:]
    /// Everything heard after the snapshot.
    private(set) var events: [ReceivedEvent] = []
    /// How many of these are of a DN's service.
    private(set) var serviceEventCount = 0

    /// Subscribes and reads the whole snapshot.
    init(_ cluster: TestCluster, _ node: String) throws {
        client = try cluster.client(node)
        try client.send(.monitorAll(referenceID: 1, MonitorOptions(acceptsOwnerEvents: true)))
        while true {
            let event = try #require(try client.nextEvent(timeout: .seconds(5)))
            for status in event.statuses { snapshot["\(status.dn)"] = status.service }
            if event.privateInfo == .endOfSnapshot { break }
        }
    }

    /// Reads until an event fits.
    @discardableResult
    func expect(
        _ what: String, seconds: Int64 = 5, where fits: (ReceivedEvent) -> Bool
    ) throws -> ReceivedEvent {
        let deadline = SystemClock.monotonicNanoseconds() + UInt64(seconds) * 1_000_000_000
        while SystemClock.monotonicNanoseconds() < deadline {
            guard let event = try client.nextEvent(timeout: .seconds(1)) else { continue }
            events.append(event)
            if [.eventDNBackInService, .eventDNOutOfService].contains(event.type) { serviceEventCount += 1 }
            if fits(event) { return event }
        }
        Issue.record(
            "waited in vain for \(what); heard \(events.map { "\($0.type.name) \($0.thisDN) \($0.privateInfo)" })")
        throw Timeout(what: what)
    }

    func expectInService(_ dn: String, owner: String) throws -> ReceivedEvent {
        try expect("EventDNBackInService \(dn)") {
            $0.type == .eventDNBackInService && $0.thisDN == dn && $0.statuses.first?.owner == owner
        }
    }

    func expectOutOfService(_ dn: String, _ reason: Service) throws {
        try expect("EventDNOutOfService \(dn) \(reason)") {
            $0.type == .eventDNOutOfService && $0.thisDN == dn && $0.statuses.first?.service == reason
        }
    }

    /// How many events of a DN's service came after the snapshot.
    func serviceEvents(_ dn: String) -> Int {
        events.count { [.eventDNBackInService, .eventDNOutOfService].contains($0.type) && $0.thisDN == dn }
    }
}
