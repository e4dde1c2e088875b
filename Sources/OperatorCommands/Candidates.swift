import ArgumentParser
import ClusterModel
import Orchestration
import TopologyFile

/// What a shell offers where a word is to be completed. The running controller is asked, quickly; without one nothing is
/// offered and nothing is said.
enum Candidates {
    private static let patience = Duration.milliseconds(400)
    private static let dnLimit: UInt32 = 50

    static let nodes = CompletionKind.custom { words, _, prefix in
        fitting(status(words).sipNodes.map(\.name), prefix)
    }

    static let dataCenters = CompletionKind.custom { words, _, prefix in
        fitting(status(words).sipNodes.map(\.dataCenter), prefix)
    }

    static let routingPoints = CompletionKind.custom { words, _, prefix in
        fitting(status(words).routingPoints.map(\.number), prefix)
    }

    /// Where a call can come.
    static let places = CompletionKind.custom { words, _, prefix in
        let nodes = status(words).sipNodes
        return fitting(nodes.map(\.dataCenter) + nodes.map(\.name), prefix)
    }

    static let dns = CompletionKind.custom { words, _, prefix in
        dns(words, prefix)
    }

    static let dnsAndCodes = CompletionKind.custom { words, _, prefix in
        let codes = prefix.uppercased().hasPrefix("T") ? DiagnosticCatalog.allCodes : []
        return fitting(codes, prefix.uppercased()) + dns(words, prefix)
    }

    private static func dns(_ words: [String], _ prefix: String) -> [String] {
        var filter = DNFilter()
        filter.prefix = prefix
        filter.limit = dnLimit
        return (try? client(words).list(filter).entries.map(\.dn)) ?? []
    }

    private static func status(_ words: [String]) -> ClusterStatus {
        (try? client(words).status()) ?? ClusterStatus()
    }

    /// - Parameter words: the command line, which may name the socket.
    private static func client(_ words: [String]) throws -> ControllerClient {
        let option = words.firstIndex(of: "--socket").flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
        let joined = words.first { $0.hasPrefix("--socket=") }.map { String($0.dropFirst("--socket=".count)) }
        return try ControllerClient.connect(SocketSearch(option: option ?? joined), patience: patience)
    }

    private static func fitting(_ names: [String], _ prefix: String) -> [String] {
        Set(names).filter { $0.hasPrefix(prefix) }.sorted()
    }
}
