import CoreMetrics
import ProcessRuntime
import Testing

@Suite struct PrometheusRegistryTests {
    private func rendered(_ registry: PrometheusRegistry) -> String {
        String(decoding: registry.rendered(), as: UTF8.self)
    }

    @Test func `families and series come in order, each with what it is`() {
        let registry = PrometheusRegistry(
            [
                MetricFamily("b_total", .counter, help: "What has happened."),
                MetricFamily("a_bytes", .gauge, help: "How much\nthere \\ is."),
            ], bounds: [0.5, 1])
        Counter(label: "b_total", dimensions: [("z", "1"), ("a", "2")], factory: registry).increment(by: 3)
        Counter(label: "b_total", dimensions: [("a", "1"), ("z", "1")], factory: registry).increment()
        Gauge(label: "a_bytes", dimensions: [], factory: registry).record(1.5)
        Counter(label: "c", dimensions: [], factory: registry).increment()
        #expect(
            rendered(registry) == """
                # HELP a_bytes How much\\nthere \\\\ is.
                # TYPE a_bytes gauge
                a_bytes 1.5
                # HELP b_total What has happened.
                # TYPE b_total counter
                b_total{a="1",z="1"} 1
                b_total{a="2",z="1"} 3
                # TYPE c counter
                c 1

                """)
    }

    @Test func `timers are histograms of seconds, whose buckets add up`() {
        let registry = PrometheusRegistry(bounds: [0.5, 1])
        let timer = Timer(label: "t_seconds", dimensions: [("n", "x")], factory: registry)
        timer.recordMilliseconds(500)
        timer.recordMilliseconds(750)
        timer.recordSeconds(7)
        registry.setHistogram("h_seconds", [], counts: [1, 2, 3, 4], sum: 0.25)
        #expect(
            rendered(registry) == """
                # TYPE h_seconds histogram
                h_seconds_bucket{le="0.5"} 1
                h_seconds_bucket{le="1"} 3
                h_seconds_bucket{le="+Inf"} 6
                h_seconds_sum 0.25
                h_seconds_count 6
                # TYPE t_seconds histogram
                t_seconds_bucket{n="x",le="0.5"} 1
                t_seconds_bucket{n="x",le="1"} 2
                t_seconds_bucket{n="x",le="+Inf"} 3
                t_seconds_sum{n="x"} 8.25
                t_seconds_count{n="x"} 3

                """)
    }

    @Test func `names are mended and values escaped`() {
        let registry = PrometheusRegistry(bounds: [])
        Gauge(label: "9-lives.of cats", dimensions: [("a-b:c", "say \"\\\"\nnow"), ("ü", "ü")], factory: registry)
            .record(Double.infinity)
        #expect(
            rendered(registry) == """
                # TYPE _9_lives_of_cats gauge
                _9_lives_of_cats{a_b_c="say \\"\\\\\\"\\nnow",__="ü"} +Inf

                """)
    }

    @Test func `a collection takes the place of the one before`() {
        let registry = PrometheusRegistry(
            [
                MetricFamily("g", .gauge, isCollected: true, help: ""),
                MetricFamily("n_total", .counter, help: ""),
            ], bounds: [])
        Counter(label: "n_total", dimensions: [("node", "a")], factory: registry).increment()
        for node in ["a", "b"] {
            registry.collect { Gauge(label: "g", dimensions: [("node", node)], factory: registry).record(1) }
        }
        let expected = "# TYPE g gauge\ng{node=\"b\"} 1\n# TYPE n_total counter\n"
        #expect(rendered(registry) == expected + "n_total{node=\"a\"} 1\n")
        registry.keepOnly("node", in: ["b"])
        #expect(rendered(registry) == expected)
    }

    @Test func `a name has one kind, and what is destroyed is gone`() {
        let registry = PrometheusRegistry(bounds: [])
        let counter = Counter(label: "n", dimensions: [], factory: registry)
        counter.increment()
        Gauge(label: "n", dimensions: [], factory: registry).record(7)
        #expect(rendered(registry) == "# TYPE n counter\nn 1\n")
        counter.reset()
        counter.increment(by: 5)
        #expect(rendered(registry) == "# TYPE n counter\nn 5\n")
        counter.destroy()
        #expect(rendered(registry) == "# TYPE n counter\n")
    }
}
