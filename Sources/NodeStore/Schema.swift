import ClusterModel
import FoundationEssentials
import GRDB
import NodeCore

/// The tables. A number is added for every change of them and never changed once it has shipped: a newer build brings an
/// older store up to date, and an older build recognizes one of a newer build and leaves it alone.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            // One row: whose store it is, and the greatest stamp ever issued or heard.
            try database.execute(
                sql: """
                    CREATE TABLE node (
                        id INTEGER PRIMARY KEY CHECK (id = 1),
                        cluster TEXT NOT NULL, name TEXT NOT NULL, greatest_stamp INTEGER NOT NULL);
                    CREATE TABLE dn (
                        dn TEXT PRIMARY KEY, claim INTEGER NOT NULL, registered INTEGER NOT NULL,
                        service INTEGER NOT NULL, value BLOB NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("2") { database in
            // What became of a DN, numbered from 1 on; of each the last ones.
            try database.execute(
                sql: """
                    CREATE TABLE transition (
                        dn TEXT NOT NULL, number INTEGER NOT NULL, value BLOB NOT NULL, sum INTEGER NOT NULL,
                        PRIMARY KEY (dn, number)) WITHOUT ROWID;
                    """)
        }
        return migrator
    }

    /// The sum of a line of history.
    static func sum(_ dn: String, _ number: Int64, _ value: [UInt8]) -> Int64 { sum(dn, number, 0, 0, value) }

    /// What is kept of the past of a DN, the oldest first. A line that is not what was written is left out: nothing is decided
    /// by it.
    static func history(of dn: DN, _ database: Database) throws -> [Transition] {
        let (name, sql) = (dn.description, "SELECT number, value, sum FROM transition WHERE dn = ? ORDER BY number")
        return try Row.fetchAll(database, sql: sql, arguments: [name]).compactMap { row in
            guard let number = Int64.fromDatabaseValue(row[0]), let stored = Int64.fromDatabaseValue(row[2]) else {
                return nil
            }
            let value = try row.withUnsafeData(atIndex: 1) { $0.map { [UInt8]($0) } ?? [] }
            return stored == sum(name, number, value) ? try? TransitionCodec.decode(value) : nil
        }
    }

    /// The sum of a row: SQLite finds pages that make no sense, and this one finds bytes that are not what was written.
    static func sum(_ dn: String, _ claim: Int64, _ registered: Int64, _ service: Int64, _ value: [UInt8]) -> Int64 {
        var bytes = Array(dn.utf8)
        bytes.reserveCapacity(bytes.count + 24 + value.count)
        for number in [claim, registered, service] {
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> Int64(8 * shift))) }
        }
        bytes += value
        // Accidents, not enemies: who can write the file can do anything.
        return Int64(bitPattern: SipHash(key: 0x5461_6E64_656D, 0x4E6F_6465).hash(bytes.span))
    }

    static func load(_ database: Database) throws -> StoredState {
        var state = StoredState()
        if let stamp = try Int64.fetchOne(database, sql: "SELECT greatest_stamp FROM node") {
            state.greatestStamp = Stamp(rawValue: UInt64(bitPattern: stamp))
        }
        let rows = try Row.fetchCursor(database, sql: "SELECT dn, claim, registered, service, value, sum FROM dn")
        while let row = try rows.next() {
            let (dn, stored) = try decode(row)
            state.dns[dn] = stored
        }
        return state
    }

    private static func decode(_ row: Row) throws -> (DN, StoredDN) {
        guard let text = String.fromDatabaseValue(row[0]), let claim = Int64.fromDatabaseValue(row[1]),
            let registered = Int64.fromDatabaseValue(row[2]), let service = Int64.fromDatabaseValue(row[3]),
            let sum = Int64.fromDatabaseValue(row[5])
        else { throw Damage() }
        let value = try row.withUnsafeData(atIndex: 4) { $0.map { [UInt8]($0) } ?? [] }
        guard sum == Self.sum(text, claim, registered, service, value), let dn = DN(text),
            let service = UInt8(exactly: service).flatMap(Service.init)
        else { throw Damage() }
        let stored = try RowCodec.decode(
            value, claim: Stamp(rawValue: UInt64(bitPattern: claim)),
            registered: Stamp(rawValue: UInt64(bitPattern: registered)), service: service)
        return (dn, stored)
    }
}

/// Writes what a node asks for.
struct RowWriter {
    private let put: Statement
    private let remove: Statement
    private let stamp: Statement
    private let lastNumber: Statement
    private let add: Statement
    private let drop: Statement

    init(_ database: Database) throws {
        put = try database.cachedStatement(
            sql: "REPLACE INTO dn (dn, claim, registered, service, value, sum) VALUES (?, ?, ?, ?, ?, ?)")
        remove = try database.cachedStatement(sql: "DELETE FROM dn WHERE dn = ?")
        stamp = try database.cachedStatement(sql: "UPDATE node SET greatest_stamp = ?")
        lastNumber = try database.cachedStatement(sql: "SELECT MAX(number) FROM transition WHERE dn = ?")
        add = try database.cachedStatement(sql: "INSERT INTO transition (dn, number, value, sum) VALUES (?, ?, ?, ?)")
        drop = try database.cachedStatement(sql: "DELETE FROM transition WHERE dn = ? AND number <= ?")
    }

    func write(_ change: StoreWrite) throws {
        let dn = change.dn.description
        switch change.change {
        case .row(nil): try remove.execute(arguments: [dn])
        case .row(let row?): try write(row, of: dn)
        case .transition(let transition): try write(transition, of: dn)
        }
    }

    private func write(_ transition: Transition, of dn: String) throws {
        let number = (try Int64.fetchOne(lastNumber, arguments: [dn]) ?? 0) + 1
        let value = TransitionCodec.encode(transition)
        try add.execute(arguments: [dn, number, Data(value), Schema.sum(dn, number, value)])
        let oldest = number - Int64(Transition.maximumCount)
        if oldest > 0 { try drop.execute(arguments: [dn, oldest]) }
    }

    private func write(_ row: StoredDN, of dn: String) throws {
        let (claim, registered) = (
            Int64(bitPattern: row.claim.rawValue), Int64(bitPattern: row.registered.rawValue)
        )
        let (service, value) = (Int64(row.service.rawValue), RowCodec.encode(row))
        let sum = Schema.sum(dn, claim, registered, service, value)
        try put.execute(arguments: [dn, claim, registered, service, Data(value), sum])
    }

    func write(greatestStamp: Stamp) throws {
        try stamp.execute(arguments: [Int64(bitPattern: greatestStamp.rawValue)])
    }
}
