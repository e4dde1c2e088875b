import LinuxSystem
import Testing

/// What is said to the service manager, and what it keeps.
struct ServiceManagerTests {
    @Test(arguments: [
        "dc1/sip1 udp:127.0.0.1:5060", "dc1/sip1 tcp:[::1]:5060", "a unix:/run/ä%/x y\n:", "", "%", "100% \u{7F}",
    ])
    func `a name comes back as it went, and is such as the manager takes`(_ name: String) {
        let text = StoredDescriptors.encoded(name)
        #expect(StoredDescriptors.decoded(text) == name)
        #expect(text.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ":") })
    }

    @Test(arguments: ["%", "%4", "%zz", "%+4", "%FF"]) func `what is no name of ours is none`(_ text: String) {
        #expect(StoredDescriptors.decoded(text) == nil)
    }

    @Test func `a descriptor that is stored is the manager's too`() throws {
        let path = "/tmp/tandem-manager-\(ProcessInformation.current)"
        let manager = try UnixSocket.boundDatagram(path: path)
        defer { _ = try? Files.remove(path) }
        let notifier = try #require(ServiceNotifier(address: path))
        let (one, other) = try Sockets.streamPair()
        try notifier.store(one, as: "dc1/sip1 udp:127.0.0.1:5060")
        one.close()
        let (bytes, descriptors) = try #require(try manager.receivePassing(maximum: 4096))
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "FDSTORE=1\nFDPOLL=0\nFDNAME=dc1/sip1%20udp%3A127.0.0.1%3A5060")
        #expect(descriptors.count == 1)
        withExtendedLifetime(descriptors) {
            #expect(!other.isHungUp, "the manager's copy keeps it open")
        }
        try notifier.removeStored("dc1/sip1 udp:127.0.0.1:5060")
        let removal = try #require(try manager.receivePassing(maximum: 4096))
        #expect(
            String(decoding: removal.bytes, as: UTF8.self)
                == "FDSTOREREMOVE=1\nFDNAME=dc1/sip1%20udp%3A127.0.0.1%3A5060")
        #expect(removal.descriptors.isEmpty)
    }
}
