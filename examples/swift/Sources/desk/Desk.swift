import TLibrary

/// An agent's desk on the command line: logs an agent in on a DN, makes the agent ready and prints what happens there.
///
///     desk tcp:127.0.0.1:7101 1001 ann
@main struct Desk {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count >= 3, let address = arguments.first else {
            return print(
                """
                usage: desk ADDRESS DN AGENT [EVENTS [CA SERVER-NAME]]
                ADDRESS is tcp:HOST:PORT or unix:PATH; for tls:HOST:PORT say also who signs certificates, and the node's name in its own
                """)
        }
        let (dn, agent) = (arguments[2], arguments[3])
        // Without a number the desk stays until it is stopped.
        var left = arguments.count > 3 ? Int(arguments[4]) : nil

        var options = TLibraryOptions(name: "desk")
        if arguments.count > 5 {
            options.tls = TLibraryTLS(authorities: arguments[5], serverName: arguments[6])
        }
        let port = try await TLibraryConnection.connect(to: address, options)
        print("connected to \(port.node) of \(port.cluster)")
        show(try await port.register(dn))
        show(try await port.logIn(agent, on: dn, reasons: ["desk": "swift"]))
        show(try await port.setReady(on: dn))
        if left != 0 {
            for try await event in port.events {
                show(event, "heard: ")
                left = left.map { $0 - 1 }
                if left == 0 { break }
            }
        }
        show(try await port.logOut(on: dn))
    }

    static func show(_ event: TLibraryEvent, _ prefix: String = "") {
        var words = [event.kind.rawValue]
        words += event.dns.map { "\($0.dn) \($0.outOfService ?? "in service")" }
        if !event.agent.isEmpty { words += [event.dn, event.agent] }
        words += event.reasons.map { "\($0.key)=\($0.value)" }
        print(prefix + words.joined(separator: " "))
    }
}
