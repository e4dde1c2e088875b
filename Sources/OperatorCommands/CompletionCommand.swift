import ArgumentParser

struct CompletionCommand: ParsableCommand {
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish

        var shell: CompletionShell {
            switch self {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        }
    }

    static let configuration = CommandConfiguration(
        commandName: "completion",
        abstract: "Print a shell's completion script.",
        discussion: """
            bash: source <(tandem completion bash)

            zsh: tandem completion zsh >~/.zsh/completions/_tandem, in a directory of fpath

            fish: tandem completion fish >~/.config/fish/completions/tandem.fish

            Nodes, data centers and DNs are completed from what the running controller says.
            """
    )

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    func run() {
        Console().write(TandemCommand.completionScript(for: shell.shell) + "\n")
    }
}
