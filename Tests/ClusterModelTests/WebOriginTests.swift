import ClusterModel
import Testing

@Suite struct WebOriginTests {
    @Test(arguments: [
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"), ("https://Desk1.Example.COM", "https://desk1.example.com"),
        ("https://desk1.example.com:443", "https://desk1.example.com"), ("http://a:80", "http://a"),
        ("http://a:443", "http://a:443"), ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"), ("http://127.0.0.001:1", "http://127.0.0.1:1"),
    ])
    func `an origin is written as browsers write it`(_ text: String, _ expected: String) throws {
        #expect(try #require(WebOrigin(text)).description == expected)
        #expect(WebOrigin(expected)?.description == expected)
    }

    @Test(arguments: [
        "", "http://", "desk1.example.com", "ftp://a", "HTTP://a", "http://a/", "http://a/b", "http://a?b",
        "http://a#b",
        "http://u@a", "http://a:", "http://a:0", "http://a:65536", "http://a:80:80", "http://a:+80", "http://a b",
        "http://-a", "http://a-", "http://a..b", "http://.a", "http://a.", "http://256.0.0.1", "http://1.2.3",
        "http://1000000", "http://[::1", "http://::1", "http://[a]", "http://[::1]8080", "http://[::1]]", "http://ä",
        "http://\(String(repeating: "a", count: 64))", "http://" + String(repeating: "a.", count: 200) + "a",
    ])
    func `anything else is none`(_ text: String) {
        #expect(WebOrigin(text) == nil)
    }

    @Test func `an address makes an origin`() throws {
        let address = try #require(NetworkAddress("127.0.0.1:8081"))
        #expect(WebOrigin(address, isSecure: false).description == "http://127.0.0.1:8081")
        #expect(WebOrigin(address.with(port: 443), isSecure: true).description == "https://127.0.0.1")
        for (text, expected) in [
            ("[::]:1", "http://[::]:1"), ("[1:0:0:2:0:0:0:3]:1", "http://[1:0:0:2::3]:1"),
            ("[1:0:2:3:4:5:6:7]:1", "http://[1:0:2:3:4:5:6:7]:1"), ("[1::]:1", "http://[1::]:1"),
            ("[1:0:0:2:3:0:0:4]:1", "http://[1::2:3:0:0:4]:1"),
        ] {
            #expect(WebOrigin(try #require(NetworkAddress(text)), isSecure: false).description == expected)
        }
    }
}
