import ArgumentParser
import LinuxSystem

/// One large plan in a process of its own, so that its memory can be told from all else: for the bench.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Makes one large plan, and prints what it took.", shouldDisplay: false)

    @Argument(help: "How the topologies name their DNs: ranges or lines.")
    var shape: DNShape

    func run() throws {
        let large = LargePlan(shape)
        let held = ProcessInformation.residentBytes(of: ProcessInformation.current) ?? 0
        let begun = SystemClock.monotonicNanoseconds()
        let plan = large.plan()
        let planned = SystemClock.monotonicNanoseconds()
        try large.check(plan)
        let checked = SystemClock.monotonicNanoseconds()
        let peak = ProcessInformation.peakResidentBytes(of: ProcessInformation.current) ?? 0
        print(planned - begun, checked - planned, held, peak)
    }
}

extension DNShape: ExpressibleByArgument {}
