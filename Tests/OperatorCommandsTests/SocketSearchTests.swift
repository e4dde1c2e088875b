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
        #expect(SocketSearch(user: 7).trusts(owner: 7))
        #expect(SocketSearch(user: 7).trusts(owner: 0))
        #expect(!SocketSearch(user: 7).trusts(owner: 8))
        #expect(SocketSearch(option: "/a", user: 7).trusts(owner: 8))
    }

    @Test
    func everyPathThatWasTriedIsNamed() throws {
        let missing = "/tmp/tandem-test-\(SystemRandom.word())"
        let search = SocketSearch(option: missing, user: 7)
        let failure = #expect(throws: CommandFailure.self) { _ = try ControllerClient.connect(search) }
        let expected =
            "no controller answers at \(missing); start one with `tandem up clusters/two-datacenters.yaml`, or see "
            + "`systemctl status tandemd`"
        #expect(failure == CommandFailure(expected, .notReachable))
    }
}
