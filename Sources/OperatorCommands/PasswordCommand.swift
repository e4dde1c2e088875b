import ArgumentParser
import ClusterModel
import Digests
import Glibc
import LinuxSystem

/// Makes what stands in a credentials file in place of an agent's password.
struct PasswordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "password",
        abstract: "Make the hash of an agent's password.",
        discussion: """
            Asks for the password twice, or reads it from a pipe, where a line break at its end does not count. What is \
            printed goes under `agents` of the credentials file that the topology's `workspace` names:

            ann: { password: "$scrypt$...", dns: [ 7001 ] }

            Needs no controller.
            """
    )

    func run() throws {
        let console = Console()
        let password =
            isatty(STDIN_FILENO) == 1 ? try SecretInput.askTwice(console) : try SecretInput.readAll()
        guard let hash = PasswordHash.make(password: password, salt: SystemRandom.bytes(16)) else {
            throw CommandFailure("this machine's libcrypto cannot make hashes of passwords (scrypt)", .failed)
        }
        console.print(hash.text)
    }
}

/// Passwords from a terminal that does not show them, or from a pipe.
enum SecretInput {
    private static let interrupt: UInt8 = 3

    static func askTwice(_ console: Console) throws(CommandFailure) -> [UInt8] {
        let password = try check(ask("Password: ", console))
        guard try ask("Once more: ", console) == password else {
            throw CommandFailure("the two passwords differ; try again", .usage)
        }
        return password
    }

    static func readAll() throws(CommandFailure) -> [UInt8] {
        var input: [UInt8] = []
        // One more than is allowed, and its line break, tells that there is too much.
        while input.count <= PasswordHash.passwordLengths.upperBound + 1 {
            var piece = [UInt8](repeating: 0, count: 512)
            let count = read(STDIN_FILENO, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            input += piece.prefix(count)
        }
        if input.last == UInt8(ascii: "\n") { input.removeLast() }
        return try check(input)
    }

    private static func check(_ password: [UInt8]) throws(CommandFailure) -> [UInt8] {
        let bounds = PasswordHash.passwordLengths
        guard bounds.contains(password.count) else {
            throw CommandFailure("a password has \(bounds.lowerBound) to \(bounds.upperBound) bytes", .usage)
        }
        return password
    }

    private static func ask(_ prompt: String, _ console: Console) throws(CommandFailure) -> [UInt8] {
        console.draw(prompt)
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else {
            throw CommandFailure("the terminal cannot be kept from showing the password; use a pipe", .failed)
        }
        var hidden = before
        // Ctrl-C ends the line like any other, so that the terminal never stays as it is meanwhile.
        hidden.c_lflag &= ~tcflag_t(ECHO | ISIG)
        hidden.c_cc.11 = interrupt
        _ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer {
            _ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
            console.draw("\n")
        }
        var line = [UInt8](repeating: 0, count: 4_096)
        let count = read(STDIN_FILENO, &line, line.count)
        guard count > 0, line[count - 1] != interrupt else { throw CommandFailure.silent(.failed) }
        return Array(line[..<count].prefix { $0 != UInt8(ascii: "\n") })
    }
}
