import ArgumentParser
import Glibc
import Orchestration

/// Makes manual pages of what programs say of themselves. For the Makefile, so that it is not listed.
struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual", abstract: "Make a manual page of a program's --experimental-dump-help.",
        shouldDisplay: false
    )

    @Option(help: ArgumentHelp("The date of the page.", valueName: "yyyy-mm-dd"))
    var date: String

    @Argument(help: "The programs that belong together.")
    var programs: [String] = []

    func run() throws {
        var input: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(STDIN_FILENO, &piece, piece.count)
            guard count > 0 else { break }
            input += piece.prefix(count)
        }
        guard let help = JSONInput.decoded(ProgramHelp.self, input) else {
            throw CommandFailure("standard input is no output of --experimental-dump-help", .failed)
        }
        let page = ManualPage(help, version: TandemVersion.current, date: date, programs: programs)
        Console().write(page.text)
    }
}
