import LinuxSystem
import OperatorCommands
import Testing

struct SocketSearchTests {
    @Test
    func optionIsTheOnlyCandidate() {
        let search = SocketSearch(option: "/a", variable: "/b", userRuntimeDirectory: "/run/user/7", user: 7)
        #expect(search.candidates == ["/a"])
    }

    @Test
    func variableIsTheOnlyCandidateWithoutAnOption() {
        let search = SocketSearch(variable: "/b", userRuntimeDirectory: "/run/user/7", user: 7)
        #expect(search.candidates == ["/b"])
    }

    @Test
    func ownDirectoriesComeBeforeTheSystems() {
        let search = SocketSearch(userRuntimeDirectory: "/run/user/7", temporaryDirectory: "/var/tmp/", user: 7)
        let expected = [
            "/run/user/7/tandem/control.sock", "/var/tmp/tandem-7/control.sock", "/run/tandem/control.sock",
        ]
        #expect(search.candidates == expected)
        #expect(search.runtimeDirectories == ["/run/user/7/tandem", "/var/tmp/tandem-7"])
    }

    @Test
    func temporaryDirectoryIsTmpByDefault() {
        #expect(SocketSearch(user: 7).candidates == ["/tmp/tandem-7/control.sock", "/run/tandem/control.sock"])
    }

    @Test
    func socketsOfOthersAreNotTrustedUnlessNamed() {
        let shared = "/tmp/tandem-7/control.sock"
        #expect(SocketSearch(user: 7).trusts(shared, owner: 7))
        #expect(SocketSearch(user: 7).trusts(shared, owner: 0))
        #expect(!SocketSearch(user: 7).trusts(shared, owner: 8))
        #expect(SocketSearch(option: "/a", user: 7).trusts("/a", owner: 8))
        #expect(SocketSearch(user: 7).trusts("/run/tandem/control.sock", owner: 8), "the service has a user of its own")
    }

    @Test
    func everyPathThatWasTriedIsNamed() throws {
        let missing = "/tmp/tandem-test-\(SystemRandom.word())"
        let search = SocketSearch(option: missing, user: 7)
        let failure = #expect(throws: CommandFailure.self) { _ = try ControllerClient.connect(search) }
        let expected =
            "no controller answers at \(missing) (no such file); start one with `tandem up clusters/two-datacenters.yaml`, "
            + "or see `systemctl status tandemd`"
        #expect(failure == CommandFailure(expected, .notReachable))
    }

    @Test
    func eachPathHasItsReason() throws {
        let directory = "/tmp/tandem-test-\(SystemRandom.word())"
        try Files.makeDirectory(directory + "/tandem")
        try Files.makeDirectory(directory + "/tandem-7")
        defer {
            for name in ["/tandem/control.sock", "/tandem-7/control.sock"] { _ = try? Files.remove(directory + name) }
            for name in ["/tandem", "/tandem-7", ""] { _ = try? Files.removeDirectory(directory + name) }
        }
        // A socket that nobody listens at any more, and a file of somebody else's.
        try UnixSocket.listen(path: directory + "/tandem/control.sock", mode: 0o600).close()
        try Files.writeAtomically([], to: directory + "/tandem-7/control.sock")
        let user = ProcessInformation.user
        let search = SocketSearch(
            userRuntimeDirectory: directory, temporaryDirectory: directory, user: user == 7 ? 8 : 7)
        let failure = #expect(throws: CommandFailure.self) { _ = try ControllerClient.connect(search) }
        let message = try #require(failure).message
        #expect(failure?.exitCode == 69)
        let reason = user == 0 ? "nobody listens there any more" : "belongs to user \(user)"
        #expect(message.contains("\(directory)/tandem/control.sock (\(reason)"), "\(message)")
        #expect(message.contains("\(directory)/tandem-7/control.sock ("), "\(message)")
        #expect(message.contains("/run/tandem/control.sock ("), "\(message)")
    }
}
