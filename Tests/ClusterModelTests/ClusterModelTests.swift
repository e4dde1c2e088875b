import ClusterModel
import Testing

@Suite struct DNTests {
    @Test func `a DN is text, so leading zeros count`() throws {
        let padded = try #require(DN("0042"))
        let plain = try #require(DN("42"))
        #expect(padded != plain)
        #expect(padded.description == "0042")
        #expect(padded.length == 4)
        #expect(padded.decimal == 42)
        #expect(DN(decimal: 42, length: 4) == padded)
    }

    @Test func `sixteen characters fit, seventeen do not, and neither does nothing`() {
        #expect(DN("+155512300011234")?.description == "+155512300011234")
        #expect(DN("+1555123000112345") == nil)
        #expect(DN("") == nil)
        #expect(DN("10 01") == nil)
        #expect(DN("1001\0") == nil)
    }

    @Test func `packed words that hold no DN are refused`() throws {
        let dn = try #require(DN("1001"))
        #expect(DN(high: dn.high, low: dn.low) == dn)
        #expect(DN(high: 0, low: 0) == nil)
        #expect(DN(high: 0, low: dn.high) == nil)
        #expect(DN(high: dn.high, low: dn.high) == nil)
        #expect(DN(high: 0x0131_0000_0000_0000, low: 0) == nil)
    }

    @Test func `order is the order of the texts`() throws {
        let texts = ["+1", "1", "10", "1001", "2", "a", "a-very-long-name"]
        let dns = try texts.map { try #require(DN($0)) }
        #expect(dns.sorted() == dns)
    }
}

@Suite struct DNDirectoryTests {
    @Test func `a range costs one block and is found from both ends`() throws {
        let directory = DNDirectory(blocks: [
            DNBlock(first: try #require(DN("alice")), count: 1, agentType: 1, homes: 0),
            DNBlock(first: try #require(DN("1000")), count: 1000, agentType: 0, homes: 0),
            DNBlock(first: try #require(DN("0042")), count: 1, agentType: 0, homes: 0),
        ])
        #expect(directory.count == 1002)
        for text in ["0042", "1000", "1500", "1999", "alice"] {
            let dn = try #require(DN(text))
            let index = try #require(directory.index(of: dn))
            #expect(directory.dn(at: index) == dn)
        }
        for text in ["42", "0041", "0043", "0999", "2000", "01000", "bob", "alic", "9"] {
            let dn = try #require(DN(text))
            #expect(directory.index(of: dn) == nil, "\(text)")
        }
        let name = try #require(DN("alice"))
        let alice = try #require(directory.index(of: name))
        #expect(directory.block(of: alice).agentType == 1)
    }

    @Test func `every index names its DN`() throws {
        let directory = DNDirectory(blocks: [
            DNBlock(first: try #require(DN("098")), count: 902, agentType: 0, homes: 0),
            DNBlock(first: try #require(DN("5")), count: 3, agentType: 0, homes: 0),
        ])
        for position in 0..<directory.count {
            #expect(directory.index(of: directory.dn(at: DNIndex(position))) == DNIndex(position))
        }
    }
}

extension DNDirectoryTests {
    @Test func `every DN has its place in the order, provisioned or not`() throws {
        let directory = DNDirectory(blocks: [
            DNBlock(first: try #require(DN("1000")), count: 10, agentType: 0, homes: 0),
            DNBlock(first: try #require(DN("1020")), count: 10, agentType: 0, homes: 0),
            DNBlock(first: try #require(DN("7")), count: 1, agentType: 0, homes: 0),
            DNBlock(first: try #require(DN("bob")), count: 1, agentType: 0, homes: 0),
        ])
        for position in 0..<directory.count {
            #expect(directory.count(before: directory.dn(at: DNIndex(position))) == position)
        }
        let places = [
            ("1", 0), ("9", 1), ("0999", 1), ("1015", 11), ("1999", 21), ("00000", 21), ("alice", 21), ("carl", 22),
        ]
        for (text, place) in places { #expect(directory.count(before: try #require(DN(text))) == place, "\(text)") }
    }
}

@Suite struct HybridClockTests {
    @Test func `stamps rise whatever the wall clock does`() {
        var clock = HybridClock()
        let first = clock.next(wallMilliseconds: 1000)
        let second = clock.next(wallMilliseconds: 1000)
        let third = clock.next(wallMilliseconds: 10)
        #expect(first.description == "1000.0")
        #expect(first < second)
        #expect(second < third)
        clock.observe(Stamp(milliseconds: 5000, counter: 7))
        #expect(clock.next(wallMilliseconds: 1001).description == "5000.8")
    }

    @Test func `a full counter runs over into the milliseconds`() {
        var clock = HybridClock(startingAbove: Stamp(milliseconds: 5, counter: .max))
        #expect(clock.next(wallMilliseconds: 5).description == "6.0")
    }
}

@Suite struct NetworkAddressTests {
    @Test func `addresses are read and written`() throws {
        #expect(NetworkAddress("127.0.0.1:5071")?.description == "127.0.0.1:5071")
        #expect(NetworkAddress("[::1]:5071")?.isLoopback == true)
        #expect(NetworkAddress("[2001:db8::7]:1")?.description == "[2001:db8:0:0:0:0:0:7]:1")
        #expect(NetworkAddress("[::ffff:1]:1")?.low == 0xFFFF_0001)
    }

    @Test(arguments: [
        "127.0.0.1", "127.0.0:1", "127.0.0.256:1", "127.0.0.1:65536", "127.0.0.1:", "::1:5", "[::1:5", "[1::2::3]:1",
        "[1:2:3:4:5:6:7]:1", "[12345::]:1", "host:1", "127.0.0.+1:1", "[::1]:+5", "[1:]:5",
    ])
    func `what is no address is refused`(text: String) {
        #expect(NetworkAddress(text) == nil)
    }
}

@Suite struct TLSPolicyTests {
    @Test func `addresses say whether TLS is spoken there`() throws {
        let address = try #require(StreamAddress("tls:[::1]:7301"))
        #expect(address.isSecure && address.description == "tls:[0:0:0:0:0:0:0:1]:7301")
        #expect(StreamAddress(address.description) == address)
        #expect(StreamAddress("tcp:127.0.0.1:7301")?.isSecure == false)
        #expect(StreamAddress("unix:/run/x")?.isSecure == false)
        #expect(StreamAddress("tls:/run/x") == nil)
    }

    @Test func `a node's name in certificates begins with what is smallest`() {
        #expect(Node.certificateName(of: "dc1/sip1", domain: "cc.example.com") == "sip1.dc1.cc.example.com")
    }

    @Test func `a node's own certificate goes before the cluster's`() {
        var policy = TLSPolicy(identity: TLSPolicy.Identity(certificate: "all.pem", key: "all.key"))
        policy.nodeIdentities["dc1/sip1"] = TLSPolicy.Identity(certificate: "own.pem", key: "own.key")
        #expect(policy.identity(of: "dc1/sip1")?.key == "own.key")
        #expect(policy.identity(of: "dc1/sip2")?.key == "all.key")
        policy.identity = nil
        #expect(policy.identity(of: "dc1/sip2") == nil)
    }
}
