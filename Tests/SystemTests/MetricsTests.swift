import ClusterModel
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing

/// What a controller shows to Prometheus and to whoever asks how the cluster is.
@Suite(.serialized) struct MetricsTests {
    private static let address = "127.0.0.1:9754"
    private static var options: TestCluster.Options {
        var options = TestCluster.Options()
        options.arguments = ["--metrics", address]
        return options
    }

    /// The root of the repository.
    private static func file(_ path: String, from here: String = #filePath) -> String {
        here.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/" + path
    }

    private static func text(_ path: String) throws -> String {
        String(decoding: try Files.read(file(path), limit: 1 << 20), as: UTF8.self)
    }

    /// `make deps` takes it out of its package where it is not installed.
    private static var promtool: String {
        Files.isExecutable("/usr/bin/promtool") ? "/usr/bin/promtool" : file(".build/promtool")
    }

    // MARK: What is exposed

    @Test func `all that is exposed is documented, and all that is asked for is exposed`() throws {
        let routed = TestCluster.routed()
        let cluster = try TestCluster(
            {
                routed($0).replacing(
                    "location: west\n",
                    with: "location: west\n    workspaces: { desk1: { http: \"127.0.0.1:8081\" } }\n")
            }, options: Self.options)
        try cluster.register("1000", at: "127.0.0.1:5071")
        let exposition = Exposition(try cluster.scrape())
        try Files.writeAtomically(Array(exposition.text.utf8), to: cluster.directory + "/exposition")
        let check = try Program.run([
            "/bin/sh", "-c", "\(Self.promtool) check metrics <\(cluster.directory)/exposition",
        ])
        #expect(check.code == 0, "\(check.output)")

        var documented: [String: String] = [:]
        for match in try Self.text("docs/monitoring.md").matches(of: /\| `([a-z_]+)` \| (counter|gauge|histogram) \|/) {
            documented[String(match.1)] = String(match.2)
        }
        #expect(documented == exposition.types)
        #expect(exposition.undescribed.isEmpty, "without a HELP: \(exposition.undescribed)")
        // In a cluster with everything, what has no series needs something that has not happened.
        let quiet = exposition.types.keys.filter { exposition.series($0).isEmpty }
        let mayBeQuiet = [
            "tandem_condition", "tandem_rollout_start_time_seconds", "tandem_rollout_workers",
            "tandem_routing_point_calls", "tandem_routing_point_calls_total", "tandem_trunk_limit_calls",
            "tandem_operator_requests_total", "tandem_scrape_duration_seconds", "tandem_http_requests_total",
        ]
        #expect(Set(quiet).isSubset(of: mayBeQuiet), "\(quiet)")

        for file in ["monitoring/alerts.yml", "monitoring/alerts_test.yml", "monitoring/grafana-dashboard.json"] {
            let names = try Self.text(file).matches(of: /\b(?:tandem|process)_[a-z_]+/).map { String($0.output) }
            #expect(names.count > 10)
            for name in Set(names) {
                let family = ["_bucket", "_sum", "_count"].reduce(name) { name, ending in
                    exposition.types[name] == nil && name.hasSuffix(ending)
                        ? String(name.dropLast(ending.count)) : name
                }
                #expect(exposition.types[family] != nil, "\(file) asks for \(name)")
            }
        }
    }

    @Test(arguments: [
        ["check", "config", "prometheus.yml"], ["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"],
    ])
    func `promtool has nothing to say against the configuration and the alerts`(words: [String]) throws {
        let directory = Self.file("monitoring")
        let result = try Program.run(
            ["/bin/sh", "-c", "cd '\(directory)' && \(Self.promtool) \(words.joined(separator: " "))"], seconds: 60)
        #expect(result.code == 0, "\(result.output)")
    }

    @Test func `the dashboard is one that Grafana takes`() throws {
        let result = try Program.run([
            "/usr/bin/python3", "-c",
            """
            import json, sys
            board = json.load(open(sys.argv[1]))
            assert board["schemaVersion"] >= 36 and board["uid"] and board["title"]
            assert [v["name"] for v in board["templating"]["list"] if v["type"] == "datasource"] == ["datasource"]
            ids = [panel["id"] for panel in board["panels"]]
            assert len(ids) == len(set(ids))
            places = set()
            for panel in board["panels"]:
                place = panel["gridPos"]
                assert place["x"] + place["w"] <= 24
                for x in range(place["x"], place["x"] + place["w"]):
                    for y in range(place["y"], place["y"] + place["h"]):
                        assert (x, y) not in places, panel["title"]
                        places.add((x, y))
                if panel["type"] == "row": continue
                assert panel["datasource"]["uid"] == "${datasource}" and panel["targets"]
                assert all(target["expr"] for target in panel["targets"])
            """, Self.file("monitoring/grafana-dashboard.json"),
        ])
        #expect(result.code == 0, "\(result.output)")
    }

    // MARK: Figures

    @Test func `figures follow what happens at the nodes and between them`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes, options: Self.options)
        for dn in ["1000", "1001", "1002"] { try cluster.register(dn, at: "127.0.0.1:5071") }
        let one = ["node": "dc1/sip1", "data_center": "dc1"]
        let two = ["node": "dc2/sip1", "data_center": "dc2"]
        let link = ["node": "dc2/sip1", "peer": "dc1/sip1"]
        let inService = two.with("state", "in-service").with("reason", "")
        try cluster.waitForFigures("the registrations") {
            $0.value("tandem_registrations_total", one.with("result", "accepted")) == 3
                && $0.value("tandem_dns", inService) == 3
        }
        try cluster.waitForFigures("what came over the link") {
            ($0.value("tandem_link_propagation_seconds_count", link) ?? 0) >= 3
                && ($0.value("tandem_store_commit_seconds_count", one) ?? 0) >= 3
        }
        let figures = Exposition(try cluster.scrape())
        #expect(figures.value("tandem_link_propagation_seconds_bucket", link.with("le", "+Inf"))! >= 3)
        // Within one host, nobody waits for long.
        #expect(figures.value("tandem_link_propagation_seconds_sum", link)! < 10)
        #expect(
            figures.value("tandem_dns", two.with("state", "out-of-service").with("reason", "never-registered")) == 98)
        #expect(figures.value("tandem_dns_provisioned", [:]) == 101)
        #expect(figures.value("tandem_dns_owned_in_service", one) == 3)
        #expect(figures.value("tandem_link_state", link.with("state", "live")) == 1)
        #expect(figures.value("tandem_ready", [:]) == 1)
        #expect(figures.value("tandem_node_up", one.with("role", "sip")) == 1)
        #expect(figures.value("tandem_rollout_state", ["state": "finished"]) == 0)

        let refused = try cluster.sandbox.run([
            "/usr/bin/sipsak", "-U", "-C", "sip:9999@127.0.0.1:6060", "-x", "60", "-s", "sip:9999@127.0.0.1:5071",
        ])
        #expect(refused.code != 0)
        let restart = try cluster.sandbox.run(
            [Executables.companion("tandem"), "restart", "dc1/sip1", "--wait", "--socket", cluster.socketPath],
            seconds: 60)
        #expect(restart.code == 0, "\(restart.output)")
        try cluster.waitForFigures("the restart") {
            $0.value("tandem_handovers_total", one.with("result", "succeeded")) == 1
                && $0.value("tandem_rollouts_total", ["outcome": "finished"]) == 1
        }
        let after = Exposition(try cluster.scrape())
        #expect(after.value("tandem_registrations_total", one.with("result", "accepted")) == 3)
        #expect(after.value("tandem_registrations_total", one.with("result", "refused")) == 1)
        #expect(after.value("tandem_rollout_state", ["state": "finished"]) == 1)
        #expect(after.value("tandem_rollout_workers", ["state": "done"]) == 1)
        #expect(after.value("tandem_node_restarts_total", one.with("role", "sip")) == 0)
        #expect((after.value("tandem_operator_requests_total", ["request": "restart"]) ?? 0) == 1)
    }

    // MARK: Health

    @Test func `a node that is gone makes the cluster unready for as long as it is`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes, options: Self.options)
        #expect(try cluster.get("/healthz") == "200 ok\n")
        #expect(try cluster.get("/readyz") == "200 ok\n")
        let worker = try cluster.worker("dc1/sip1")
        try worker.send(.stop)
        try cluster.waitForAnswer("/readyz") { $0.hasPrefix("503 ") && $0.contains("dc1/sip1: ") }
        let node = ["node": "dc1/sip1", "data_center": "dc1", "role": "sip"]
        let figures = Exposition(try cluster.scrape())
        #expect(figures.value("tandem_node_up", node) == 0)
        #expect(figures.value("tandem_ready", [:]) == 0)
        #expect(figures.value("tandem_bindings", ["node": "dc1/sip1", "data_center": "dc1"]) == nil)
        #expect(figures.value("tandem_bindings", ["node": "dc2/sip1", "data_center": "dc2"]) == 0)
        #expect(try cluster.get("/healthz") == "200 ok\n")
        try worker.send(.kill)
        try cluster.waitForAnswer("/readyz") { $0 == "200 ok\n" }
        let after = Exposition(try cluster.scrape())
        #expect(after.value("tandem_node_up", node) == 1)
        #expect(after.value("tandem_node_restarts_total", node) == 1)
        #expect(after.value("tandem_worker_exits_total", ["node": "dc1/sip1", "data_center": "dc1"]) == 1)
        #expect(after.value("tandem_events_total", ["kind": "node-exited", "severity": "error"]) == 1)
    }

    @Test func `an address that is taken, or is none, is said so before anything starts`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes, options: Self.options)
        func second(_ address: String) throws -> (code: Int32, output: String) {
            try cluster.sandbox.run([
                Executables.companion("tandemd"), "--topology", cluster.directory + "/topology.yaml", "--runtime-dir",
                cluster.directory + "/second", "--state-dir", cluster.directory + "/second/state", "--metrics", address,
            ])
        }
        let taken = try second(Self.address)
        #expect(taken.code == 75, "\(taken.output)")
        #expect(taken.output.contains("choose another address for --metrics"), "\(taken.output)")
        for wrong in ["9754", "localhost:9754", "unix:metrics.sock", "tls:127.0.0.1:1"] {
            #expect(try second(wrong).code == 64)
        }
        #expect(try cluster.status().isHealthy)
    }

    @Test func `a Unix socket serves as well, and the environment may name it`() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path + "/metrics.sock"
        var options = TestCluster.Options()
        options.environment = ["TANDEM_METRICS=unix:\(path)"]
        let cluster = try TestCluster(TestCluster.twoNodes, options: options)
        let result = try Program.run(["/usr/bin/curl", "-sS", "--unix-socket", path, "http://localhost/readyz"])
        #expect(result.output == "ok\n")
        try cluster.stopController()
        #expect(try Files.kind(of: path) == nil)
    }

    // MARK: Hostile requests

    @Test func `who asks badly, slowly or too often keeps nobody from asking`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes, options: Self.options)
        try cluster.python(
            """
            import os, socket, threading, time
            def connect():
                connection = socket.create_connection(("127.0.0.1", 9754))
                connection.settimeout(20)
                return connection
            def answer(file):
                try: line = file.readline().decode()
                except ConnectionResetError: return None
                if not line: return None
                fields = {}
                while (field := file.readline().strip()): fields.update([field.decode().split(": ", 1)])
                return int(line.split()[1]), fields, file.read(int(fields["Content-Length"]))
            def say(data):
                connection = connect()
                try:
                    connection.sendall(data)
                except OSError: pass
                return answer(connection.makefile("rb"))
            def ended(file):
                try: return file.read(1) == b""
                except ConnectionResetError: return True
            HOST = b"Host: a\\r\\n"
            def request(path, method=b"GET", more=b""): return method + b" " + path + b" HTTP/1.1\\r\\n" + HOST + more + b"\\r\\n"

            for data, code in [
                (b"GET / HTTP/1.1\\r\\n" + HOST + b"A: " + b"a" * 20000, 431), (b"\\0\\xff\\xfe garbage\\r\\n\\r\\n", 400),
                (request(b"/metrics", b"POST"), 405), (request(b"/metrics", b"DELETE"), 405),
                (request(b"/metrics", more=b"Content-Length: 5\\r\\n") + b"hello", 413), (request(b"/secrets"), 404),
                (b"GET /metrics HTTP/3.0\\r\\n" + HOST + b"\\r\\n", 505), (request(b"/../../etc/passwd"), 404),
            ]:
                got = say(data)
                assert got[0] == code, (data[:40], got)
                if code == 405: assert got[1]["Allow"] == "GET, HEAD"
            # Someone who speaks TLS is told nothing, and left.
            assert say(b"\\x16\\x03\\x01\\x02\\x00\\x01" + os.urandom(500)) is None

            # One after the other over one connection, and several at once.
            connection = connect()
            file = connection.makefile("rb")
            for path in b"/healthz", b"/metrics", b"/readyz", b"/":
                connection.sendall(request(path))
                assert answer(file)[0] == 200
            connection.sendall(request(b"/healthz") + request(b"/metrics") + request(b"/readyz"))
            bodies = [answer(file)[2] for _ in range(3)]
            assert bodies[0] == bodies[2] == b"ok\\n" and b"tandem_node_up" in bodies[1]
            connection.sendall(request(b"/healthz", b"HEAD", b"Connection: close\\r\\n"))
            assert file.readline().startswith(b"HTTP/1.1 200 ")
            assert file.read().endswith(b"\\r\\n\\r\\n")
            # Who has said all keeps listening.
            connection = connect()
            connection.sendall(request(b"/metrics"))
            connection.shutdown(socket.SHUT_WR)
            assert answer(connection.makefile("rb"))[0] == 200
            # More than may wait.
            connection = connect()
            try: connection.sendall(request(b"/metrics") * 100000)
            except OSError: pass
            connection.close()

            # At the same time.
            results = []
            def scrape(): results.append(say(request(b"/metrics", more=b"Connection: close\\r\\n"))[0])
            threads = [threading.Thread(target=scrape) for _ in range(20)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            assert results == [200] * 20

            # A hundred who say nothing, and one who asks: the first have gone, and the last are gone soon.
            silent = [connect() for _ in range(100)]
            for connection in silent: connection.send(b"GET /metr")
            began = time.monotonic()
            assert say(request(b"/readyz"))[:1] == (200,)
            assert time.monotonic() - began < 5
            assert ended(silent[0].makefile("rb"))
            assert ended(silent[-1].makefile("rb"))
            assert 5 < time.monotonic() - began < 15, time.monotonic() - began
            assert say(request(b"/metrics"))[0] == 200
            """)
        #expect(try cluster.status().isHealthy)
        #expect(try cluster.get("/readyz") == "200 ok\n")
        let figures = Exposition(try cluster.scrape())
        #expect(figures.value("tandem_http_requests_total", ["path": "other", "code": "405"]) == 2)
        #expect(figures.value("process_open_fds", [:])! < 200)
        try cluster.register("1001", at: "127.0.0.1:5071")
    }
}

/// What was scraped, taken apart.
private struct Exposition {
    let text: String
    /// By family.
    private(set) var types: [String: String] = [:]
    private var described: Set<String> = []
    private var values: [String: Double] = [:]

    init(_ text: String) {
        self.text = text
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("# TYPE ") {
                types[String(words[2])] = String(words[3])
            } else if line.hasPrefix("# HELP ") {
                described.insert(String(words[2]))
            } else if let space = line.lastIndex(of: " ") {
                values[String(line[..<space])] = Double(
                    line[line.index(after: space)...].replacing("+Inf", with: "inf"))
            }
        }
    }

    var undescribed: [String] { types.keys.filter { !described.contains($0) }.sorted() }

    func series(_ family: String) -> [String] {
        values.keys.filter { key in
            let name = key.prefix { $0 != "{" }
            return name == family || ["_bucket", "_sum", "_count"].contains { name == family + $0 }
        }
    }

    func value(_ name: String, _ labels: [String: String]) -> Double? {
        // Steps come last, all other labels in the order of their names.
        let sorted = labels.sorted { ($0.key == "le" ? "~" : $0.key) < ($1.key == "le" ? "~" : $1.key) }
        let braced = sorted.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",")
        return values[labels.isEmpty ? name : "\(name){\(braced)}"]
    }
}

extension [String: String] {
    fileprivate func with(_ name: String, _ value: String) -> [String: String] {
        merging([name: value]) { $1 }
    }
}

extension TestCluster {
    /// - Returns: the code and the body.
    fileprivate func get(_ path: String) throws -> String {
        let result = try sandbox.run([
            "/usr/bin/curl", "-sS", "-w", "\\n%{http_code}", "http://127.0.0.1:9754\(path)",
        ])
        #expect(result.code == 0, "\(result.output)\n\(logText)")
        let end = try #require(result.output.lastIndex(of: "\n"))
        return result.output[result.output.index(after: end)...] + " " + result.output[..<end]
    }

    fileprivate func scrape() throws -> String {
        let answer = try get("/metrics")
        #expect(answer.hasPrefix("200 "))
        return String(answer.dropFirst(4))
    }

    fileprivate func waitForAnswer(_ path: String, _ condition: (String) -> Bool) throws {
        try waitUntil("\(path) answers what is expected") { _ in condition(try get(path)) }
    }

    fileprivate func waitForFigures(_ what: String, _ condition: (Exposition) -> Bool) throws {
        try waitUntil(what) { _ in condition(Exposition(try scrape())) }
    }
}
