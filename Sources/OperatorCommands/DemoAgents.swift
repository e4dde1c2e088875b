package import ClusterModel
import Digests
import LinuxSystem

/// Agents to try a topology's workspaces with, where it names none: with passwords that are as random as they are short-lived.
package struct DemoAgents: Equatable, Sendable {
    package struct Agent: Equatable, Sendable {
        package var name: String
        package var password: String
        package var hash: String
        /// Where the agent sits down; nil for somebody who may anywhere.
        package var dn: DN?
        package var isSupervisor: Bool
    }

    package var agents: [Agent]
    /// Hexadecimal.
    package var sessionKey: String

    private static let passwordWords = 4
    private static let wordLength = 4

    /// - Returns: nil where there is no workspace, or the topology names the agents.
    package static func make(for topology: Topology) throws(CommandFailure) -> DemoAgents? {
        guard !topology.workspaces.isEmpty, topology.workspacePolicy.agents == nil else { return nil }
        let dialled = dns(of: .pstn, in: topology, atMost: 2)
        let phones = dns(of: .sip, in: topology, atMost: 1)
        let seats = zip(["ann", "ben"], dialled).map { ($0, $1) } + phones.map { ("cleo", $0) }
        var agents: [Agent] = []
        for (name, dn) in seats { agents.append(try agent(name, dn, isSupervisor: false)) }
        agents.append(try agent("sue", nil, isSupervisor: true))
        return DemoAgents(agents: agents, sessionKey: hexadecimal(SystemRandom.bytes(32)))
    }

    private static func agent(_ name: String, _ dn: DN?, isSupervisor: Bool) throws(CommandFailure) -> Agent {
        let password = password()
        let hash = PasswordHash.make(
            password: Array(password.utf8), salt: SystemRandom.bytes(16), cost: .low)
        guard let hash else {
            throw CommandFailure("this machine's libcrypto cannot make hashes of passwords (scrypt)", .failed)
        }
        return Agent(name: name, password: password, hash: hash.text, dn: dn, isSupervisor: isSupervisor)
    }

    private static func dns(of phone: AgentType.Phone, in topology: Topology, atMost maximum: Int) -> [DN] {
        topology.directory.blocks.lazy.filter { topology.agentTypes[$0.agentType].phone == phone }.map(\.first)
            .prefix(maximum).map { $0 }
    }

    /// `abcd-efgh-ijkl-mnop`: 75 bits.
    private static func password() -> String {
        var letters: [UInt8] = []
        while letters.count < passwordWords * wordLength {
            // Each letter as often as any other: 234 is nine times 26.
            letters += SystemRandom.bytes(32).filter { $0 < 234 }.map { UInt8(ascii: "a") + $0 % 26 }
        }
        return (0..<passwordWords).map {
            String(decoding: letters[$0 * wordLength..<($0 + 1) * wordLength], as: UTF8.self)
        }.joined(separator: "-")
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// A credentials file.
    package var text: String {
        let lines = agents.map { agent in
            let dns = agent.dn.map { ", dns: [ \"\($0)\" ]" } ?? ""
            let supervisor = agent.isSupervisor ? ", supervisor: true" : ""
            return "  \(agent.name): { password: \"\(agent.hash)\"\(dns)\(supervisor) }\n"
        }
        return "# Made by `tandem up`, anew each time.\nversion: 1\nagents:\n" + lines.joined()
            + "sessionKeys: [ \"\(sessionKey)\" ]\n"
    }
}
