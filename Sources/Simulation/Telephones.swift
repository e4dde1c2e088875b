import ClusterModel
import NodeCore

// Telephones of PSTN DNs, behind two gateways of a trunk. A gateway refuses some calls, and is silent to others; the next one may take
// them.
extension ClusterSimulation {
    static let telephoneGateways = [
        NetworkAddress(ipv4: 0x0A00_000A, port: 5090), NetworkAddress(ipv4: 0x0A00_000B, port: 5090),
    ]

    /// What a gateway does with an INVITE before any telephone rings: the same whenever that INVITE comes again.
    private enum GatewayManner {
        case passesOn, refuses, isSilent
    }

    private func manner(ofGateway gateway: Int, with via: String) -> GatewayManner {
        let number = via.utf8.reduce(0 as UInt64) { $0 &* 31 &+ UInt64($1) }
        switch mixed(plan.seed ^ mixed(number &+ UInt64(gateway))) % 100 {
        case 0..<15: return .refuses
        case 15..<22: return .isSilent
        case _: return .passesOn
        }
    }

    /// A request or response arrives at a gateway.
    mutating func telephonesHear(_ gateway: Int, _ text: SIPText, from node: NodeIndex) {
        guard let method = text.method else { return }
        switch method {
        case "OPTIONS":
            count(.gatewayAsked)
            transmit(text.answer("200 OK", tag: "g").bytes, from: .telephones(gateway), to: .node(node))
        case "INVITE" where manner(ofGateway: gateway, with: text.value("Via")) == .isSilent:
            count(.gatewayWasSilent)
        case "INVITE" where manner(ofGateway: gateway, with: text.value("Via")) == .refuses:
            count(.gatewayRefused)
            transmit(
                text.answer("503 Service Unavailable", tag: "g").bytes, from: .telephones(gateway), to: .node(node))
        case _:
            guard let phone = telephone(text) else { return }
            if method == "INVITE" { count(.telephoneDialled) }
            phoneHears(phone, text, from: node)
        }
    }

    /// By the number that was dialled, or the contact that the telephone has given.
    private func telephone(_ text: SIPText) -> Int? {
        let uri = text.lines[0].split(separator: " ").dropFirst().first ?? ""
        let user = uri.drop { $0 != ":" }.dropFirst().prefix { $0 != "@" }
        guard let number = Int(user) else { return nil }
        let phone = plan.phoneCount + number - Self.firstDesktop
        return phones.indices.contains(phone) && phone >= plan.phoneCount ? phone : nil
    }
}
