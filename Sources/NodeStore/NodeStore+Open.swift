import ClusterModel
import GRDB
import Glibc
import LinuxSystem
package import NodeCore

/// Why a node's store cannot be used.
package enum StoreProblem: Error, Equatable, Sendable {
    /// A newer build has written it. Nothing was changed.
    case newer(path: String)
    /// It belongs to another node. Nothing was changed.
    case foreign(path: String, node: String)
    /// The file or its directory cannot be read or written now.
    case unusable(path: String, reason: String)

    /// For people: what, where, what to do.
    package var sentence: String {
        switch self {
        case .newer(let path):
            "\(path) was written by a newer build: start that build, or move the file away to begin without what it holds"
        case .foreign(let path, let node):
            "\(path) belongs to \(node): move it away, or give this node a state directory of its own"
        case .unusable(let path, let reason):
            "\(path) cannot be used: \(reason)"
        }
    }

    static func sentence(of error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "\(error)" }
        return switch error.resultCode {
        case .SQLITE_FULL: "the disk is full"
        case .SQLITE_READONLY: "it cannot be written"
        case .SQLITE_BUSY, .SQLITE_LOCKED: "another process has it open"
        case .SQLITE_CANTOPEN: "it cannot be opened or made"
        case .SQLITE_IOERR: "the disk does not work: \(error.message ?? "input/output error")"
        case _: error.message ?? "SQLite error \(error.resultCode.rawValue)"
        }
    }
}

extension NodeStore {
    /// A store that was opened.
    package struct Opened: Sendable {
        package var store: NodeStore
        package var state: StoredState
        /// Where a damaged file was put, if there was one; the store begins empty then.
        package var setAside: String?
    }

    /// Opens a node's store, or makes one; brings one of an older build up to date. A file that does not make sense is put
    /// aside, and another begun.
    ///
    /// - Parameters:
    ///   - cluster: whose it is.
    ///   - wallMilliseconds: names the file that is put aside.
    ///   - reads: what is kept of DNs; without, none are in the state.
    package static func open(
        _ path: String, cluster: String, node: String, wallMilliseconds: UInt64, reads: Bool = true
    ) throws(StoreProblem) -> Opened {
        do {
            return try openOnce(path, cluster, node, reads)
        } catch let problem as StoreProblem {
            throw problem
        } catch {
            guard isDamage(error) else { throw .unusable(path: path, reason: reason(error, path)) }
            let aside = "\(path).damaged-\(wallMilliseconds)"
            for suffix in ["", "-wal", "-shm"] where rename(path + suffix, aside + suffix) != 0 && errno != ENOENT {
                throw .unusable(path: path, reason: "it is damaged and cannot be moved away: \(describe(errno))")
            }
            do {
                var opened = try openOnce(path, cluster, node, reads)
                opened.setAside = aside
                return opened
            } catch {
                throw .unusable(path: path, reason: reason(error, path))
            }
        }
    }

    /// SQLite does not tell a disk that fails from one that may not be written.
    private static func reason(_ error: any Error, _ path: String) -> String {
        let directory = path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
        guard access(directory, W_OK) != 0 else { return StoreProblem.sentence(of: error) }
        return "its directory cannot be written: \(describe(errno))"
    }

    private static func describe(_ code: Int32) -> String { String(cString: strerror(code)) }

    private static func isDamage(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return error is Damage || error is RowDecodingError }
        return [.SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR, .SQLITE_CONSTRAINT].contains(error.resultCode)
    }

    private static func openOnce(
        _ path: String, _ cluster: String, _ node: String, _ reads: Bool
    ) throws -> Opened {
        var configuration = Configuration()
        configuration.label = "store"
        configuration.prepareDatabase { database in
            // One process has it: nothing is shared, so there is no file of shared memory, whose pages a full disk could not back.
            try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = NORMAL")
        }
        let database = try DatabaseQueue(path: path, configuration: configuration)
        do {
            if try database.read(Schema.migrator.hasBeenSuperseded) { throw StoreProblem.newer(path: path) }
            try Schema.migrator.migrate(database)
            let state = try database.write { database in
                let owner = try Row.fetchOne(database, sql: "SELECT cluster, name FROM node")
                if let owner {
                    guard let ownCluster = String.fromDatabaseValue(owner[0]),
                        let name = String.fromDatabaseValue(owner[1])
                    else { throw Damage() }
                    guard ownCluster == cluster, name == node else {
                        throw StoreProblem.foreign(path: path, node: "node \(name) of cluster \(ownCluster)")
                    }
                } else {
                    try database.execute(
                        sql: "INSERT INTO node (id, cluster, name, greatest_stamp) VALUES (1, ?, ?, 0)",
                        arguments: [cluster, node])
                }
                return reads ? try Schema.load(database) : StoredState()
            }
            return Opened(store: try NodeStore(database, path: path), state: state)
        } catch {
            try? database.close()
            throw error
        }
    }
}
