import ArgumentParser
import ClusterModel
import LinuxSystem
import Orchestration

struct TrunksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trunks",
        abstract: "List the trunks with their calls, and whether their gateways are there.",
        discussion: """
            FULL counts calls that were refused because as many went over the trunk or its group as may, FAILOVERS those that went \
            to another gateway than the first, FAILED those that the gateways or the telephone refused, UNREACHABLE those for which \
            no gateway was there.
            """)

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
        let status = try controller.connect().status()
        if output.json { return console.write(JSONOutput.rendered(TrunksJSON(status))) }
        console.write(
            TrunkScreen.rendered(status.trunks, now: SystemClock.now().wallMilliseconds, console.style))
        if let down = status.trunks.first(where: \.isDown) {
            console.suggest(
                "No gateway of \(down.sum.name) answers OPTIONS: are they there, and do they know the nodes?")
        }
    }
}
