internal import ClusterModel
internal import NIOCore
internal import Synchronization

/// The open connections, so that nobody has too many and all can be closed.
///
/// Once all places are taken, whoever comes gets the place of the one that has kept the server waiting for longest: browsers open a
/// quiet connection again without a word, and strangers who say nothing keep nobody out.
final class ConnectionTable: Sendable {
    private struct Place {
        let channel: any Channel
        /// `SourceID.key`; nil where it is not counted.
        let source: UInt64?
        /// Its turn in `waiting`; nil while a request of it is being answered.
        var turn: UInt64?
    }

    private struct Table {
        var places: [ObjectIdentifier: Place] = [:]
        /// By `SourceID.key`.
        var counts: [UInt64: Int] = [:]
        /// Whose browsers are waited for, the longest first. An entry whose turn is not its place's any more means nothing.
        var waiting: [(id: ObjectIdentifier, turn: UInt64)] = []
        /// Entries of `waiting` before this one are over.
        var firstWaiting = 0
        var lastTurn: UInt64 = 0
        var isClosed = false

        func isCurrent(_ entry: (id: ObjectIdentifier, turn: UInt64)) -> Bool {
            places[entry.id]?.turn == entry.turn
        }

        mutating func wait(_ id: ObjectIdentifier) {
            lastTurn += 1
            places[id]?.turn = lastTurn
            waiting.append((id, lastTurn))
            // So that each entry is looked at a few times at most.
            guard waiting.count > 2 * places.count + 64 else { return }
            waiting = waiting[firstWaiting...].filter(isCurrent)
            firstWaiting = 0
        }

        mutating func remove(_ id: ObjectIdentifier) {
            guard let place = places.removeValue(forKey: id), let key = place.source else { return }
            let rest = counts[key, default: 1] - 1
            counts[key] = rest > 0 ? rest : nil
        }

        /// Takes its place from who has been waited for longest.
        mutating func removeLongestWaiting() -> (any Channel)? {
            while firstWaiting < waiting.count {
                let entry = waiting[firstWaiting]
                firstWaiting += 1
                guard isCurrent(entry), let channel = places[entry.id]?.channel else { continue }
                remove(entry.id)
                return channel
            }
            return nil
        }
    }

    private let limits: WebLimits
    private let proxies: Set<UInt64>
    private let table = Mutex(Table())

    init(_ limits: WebLimits) {
        self.limits = limits
        proxies = Set(limits.proxies.map(\.key))
    }

    var count: Int { table.withLock { $0.places.count } }

    /// - Returns: whether there is room for it, or could be made. If so, it has to be removed.
    func admit(_ channel: any Channel, from source: SourceID?) -> Bool {
        let key = counted(source)
        var loser: (any Channel)?
        let isAdmitted = table.withLock { table in
            guard !table.isClosed else { return false }
            if let key, table.counts[key, default: 0] >= limits.connectionsOfOne { return false }
            if table.places.count >= limits.connections {
                loser = table.removeLongestWaiting()
                guard loser != nil else { return false }
            }
            if let key { table.counts[key, default: 0] += 1 }
            let id = ObjectIdentifier(channel)
            table.places[id] = Place(channel: channel, source: key, turn: nil)
            table.wait(id)
            return true
        }
        loser?.close(promise: nil)
        return isAdmitted
    }

    /// A request of it has come whole: it keeps its place until that is answered.
    func requestCame(_ channel: any Channel) {
        table.withLock { $0.places[ObjectIdentifier(channel)]?.turn = nil }
    }

    /// All its requests are answered.
    func answered(_ channel: any Channel) {
        table.withLock { table in
            let id = ObjectIdentifier(channel)
            if table.places[id] != nil { table.wait(id) }
        }
    }

    func remove(_ channel: any Channel) {
        table.withLock { $0.remove(ObjectIdentifier(channel)) }
    }

    /// Closes all, and admits none any more.
    func closeAll() {
        let channels = table.withLock { table in
            table.isClosed = true
            return table.places.values.map(\.channel)
        }
        for channel in channels { channel.close(promise: nil) }
    }

    /// Whose account it is on; nil for a proxy, behind which are many.
    private func counted(_ source: SourceID?) -> UInt64? {
        guard let key = source?.key, !proxies.contains(key) else { return nil }
        return key
    }
}
