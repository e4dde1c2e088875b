import ClusterModel
import CoreMetrics
import LinuxSystem
import Logging
import Orchestration
import ProcessRuntime
import Transport

/// Where figures are asked for, if the controller was started with an address for that.
final class MetricsEndpoint {
    let registry: PrometheusRegistry
    var events: EventCounters
    /// Those who wait for the answers to the question that is on its way.
    fileprivate var scrapes: [(began: UInt64, answer: HTTPResponder.Answering)] = []
    fileprivate var readers: [HTTPResponder.Answering] = []
    fileprivate let startedAt: Double
    fileprivate var responder: HTTPResponder?
    fileprivate let path: String?

    fileprivate init(_ registry: PrometheusRegistry, _ events: EventCounters, startedAt: Double, path: String?) {
        self.registry = registry
        self.events = events
        self.startedAt = startedAt
        self.path = path
    }

    func close() {
        responder?.close()
        responder = nil
        if let path { _ = try? Files.remove(path) }
    }
}

// Figures and health for whoever watches the cluster. Each question asks all workers, like an operator's; who asks while one is on
// its way waits for the same answers.
extension Controller {
    private static let names = ["/metrics", "/healthz", "/readyz", "/"]

    /// - Throws: why nothing can be served there; nothing has been started.
    func makeMetrics() throws(ControllerFailure) -> MetricsEndpoint? {
        guard let text = options.metrics else { return nil }
        guard let address = Self.address(text) else {
            throw ControllerFailure(
                "--metrics \(text) is no address; give one like 127.0.0.1:9754, [::1]:9754 or unix:/run/tandem/metrics.sock",
                exitCode: 64)
        }
        let registry = PrometheusRegistry(MetricCatalog.families, bounds: MetricCatalog.bounds)
        MetricsSystem.bootstrap(registry)
        let events = EventCounters(
            workers: workers.map { ($0.name, $0.description.dataCenter) }, position: journal.ring.next,
            startedAt: loop.now.wallMilliseconds)
        var path: String?
        if case .unix(let socket) = address { path = socket }
        let endpoint = MetricsEndpoint(
            registry, events, startedAt: Double(loop.now.wallMilliseconds) / 1e3, path: path)
        do throws(SystemError) {
            endpoint.responder = try HTTPResponder(
                try Sockets.listening(at: address, mode: options.socketMode), on: loop,
                refused: { [unowned self] in count($0.rawValue, path: "") },
                respond: { [unowned self] in respond(to: $0, $1) })
        } catch {
            throw ControllerFailure(
                "\(error); metrics cannot be served there: choose another address for --metrics",
                exitCode: error.isAddressInUse ? 75 : error.isPermissionDenied ? 77 : 1)
        }
        logger.info("serving metrics", metadata: ["address": "\(text)"])
        if case .tcp(let address) = address, !address.isLoopback {
            logger.notice(
                "metrics can be read from other hosts: they have no secrets, and nobody is asked who he is",
                metadata: ["address": "\(text)"])
        }
        return endpoint
    }

    private static func address(_ text: String) -> StreamAddress? {
        if text.hasPrefix("unix:") { return StreamAddress(text) }
        return NetworkAddress(text).map { .tcp($0) }
    }

    // MARK: Requests

    private func respond(to request: HTTPRequest, _ answering: @escaping HTTPResponder.Answering) {
        let answering: HTTPResponder.Answering = { [unowned self] answer in
            count(answer.status.rawValue, path: request.path)
            answering(answer)
        }
        guard let metrics else { return answering(HTTPAnswer(.serviceUnavailable, lines: ["stopping"])) }
        switch request.path {
        case "/":
            answering(
                HTTPAnswer(
                    .ok,
                    lines: [
                        "/metrics  figures of cluster \(topology.cluster) for Prometheus",
                        "/healthz  whether the controller lives",
                        "/readyz   whether the cluster is well, as `tandem status` says",
                    ]))
        case "/healthz":
            answering(HTTPAnswer(.ok, lines: ["ok"]))
        case "/readyz":
            metrics.readers.append(answering)
            if metrics.readers.count == 1 { ask(.readiness, for: nil) }
        case "/metrics":
            metrics.scrapes.append((SystemClock.monotonicNanoseconds(), answering))
            if metrics.scrapes.count == 1 { ask(.metrics, for: nil) }
        default:
            answering(HTTPAnswer(.notFound, lines: ["there are /metrics, /healthz and /readyz"]))
        }
    }

    private func count(_ status: UInt16, path: String) {
        let known = Self.names.contains(path) ? path : "other"
        Counter(label: "tandem_http_requests_total", dimensions: [("path", known), ("code", "\(status)")]).increment()
    }

    // MARK: Answers

    func answerReaders(_ status: ClusterStatus) {
        guard let metrics else { return }
        let flaws = status.flaws
        let answer = HTTPAnswer(flaws.isEmpty ? .ok : .serviceUnavailable, lines: flaws.isEmpty ? ["ok"] : flaws)
        let readers = metrics.readers
        metrics.readers = []
        for reader in readers { reader(answer) }
    }

    func answerScrapes(_ status: ClusterStatus) {
        guard let metrics else { return }
        countEvents()
        metrics.registry.keepOnly("node", in: Set(status.nodes.map(\.name)))
        metrics.registry.collect {
            MetricRecorder(registry: metrics.registry).record(status, rollout, startedAt: metrics.startedAt)
        }
        let answer = HTTPAnswer(.ok, metrics.registry.rendered(), contentType: PrometheusRegistry.contentType)
        let scrapes = metrics.scrapes
        metrics.scrapes = []
        for scrape in scrapes {
            scrape.answer(answer)
            Timer(label: "tandem_scrape_duration_seconds").recordNanoseconds(
                SystemClock.monotonicNanoseconds() - scrape.began)
        }
    }

    // MARK: What happens

    func countEvents() {
        metrics?.events.look(at: journal, rollout)
    }

    func count(_ request: OperatorRequest) {
        guard metrics != nil else { return }
        if case .topologyPiece = request { return }
        Counter(label: "tandem_operator_requests_total", dimensions: [("request", request.word)]).increment()
    }
}

extension OperatorRequest {
    /// For figures.
    fileprivate var word: String {
        switch self {
        case .status: "status"
        case .showDN: "dn"
        case .showHistory: "history"
        case .listDNs: "dns"
        case .listCalls: "calls"
        case .listAgents: "agents"
        case .explainRoute: "route"
        case .statistics: "statistics"
        case .reach: "reach"
        case .events: "events"
        case .restart: "restart"
        case .drain: "drain"
        case .rollout: "rollout"
        case .reload: "reload"
        case .topologyPiece, .apply: "apply"
        case .planInputs: "plan"
        case .change: "change"
        case .appliedTopologies, .topologyText: "topology"
        }
    }
}

extension LinkStatus {
    /// All that a link can be in.
    static let states = ["down", "syncing", "live"]
}
