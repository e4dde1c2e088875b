internal import ClusterModel
internal import NIOCore
internal import Synchronization

/// The open connections, so that nobody has too many and all can be closed.
final class ConnectionTable: Sendable {
    private struct Table {
        var channels: [ObjectIdentifier: any Channel] = [:]
        /// By `SourceID.key`.
        var counts: [UInt64: Int] = [:]
        var isClosed = false
    }

    private let limits: WebLimits
    private let proxies: Set<UInt64>
    private let table = Mutex(Table())

    init(_ limits: WebLimits) {
        self.limits = limits
        proxies = Set(limits.proxies.map(\.key))
    }

    var count: Int { table.withLock { $0.channels.count } }

    /// - Returns: whether there is room for it. If so, it has to be removed.
    func admit(_ channel: any Channel, from source: SourceID?) -> Bool {
        table.withLock { table in
            guard !table.isClosed, table.channels.count < limits.connections else { return false }
            if let key = counted(source) {
                guard table.counts[key, default: 0] < limits.connectionsOfOne else { return false }
                table.counts[key, default: 0] += 1
            }
            table.channels[ObjectIdentifier(channel)] = channel
            return true
        }
    }

    func remove(_ channel: any Channel, from source: SourceID?) {
        table.withLock { table in
            guard table.channels.removeValue(forKey: ObjectIdentifier(channel)) != nil, let key = counted(source) else {
                return
            }
            let rest = table.counts[key, default: 1] - 1
            table.counts[key] = rest > 0 ? rest : nil
        }
    }

    /// Closes all, and admits none any more.
    func closeAll() {
        let channels = table.withLock { table in
            table.isClosed = true
            return Array(table.channels.values)
        }
        for channel in channels { channel.close(promise: nil) }
    }

    /// Whose account it is on; nil for a proxy, behind which are many.
    private func counted(_ source: SourceID?) -> UInt64? {
        guard let key = source?.key, !proxies.contains(key) else { return nil }
        return key
    }
}
