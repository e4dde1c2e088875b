import ClusterModel
import FoundationEssentials
import GRDB
import GRDBSQLite
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
    static func sum(_ dn: String, _ number: Int64, _ value: [UInt8]) -> Int64 {
        sum(Array(dn.utf8), number, 0, 0, value)
    }

    /// What is kept of the past of a DN, the oldest first. A line that is not what was written is left out: nothing is decided
    /// by it.
    static func history(of dn: DN, _ database: Database) throws -> [Transition] {
        let (name, sql) = (
            dn.description, "SELECT number, value, sum FROM transition WHERE dn = ? ORDER BY number DESC LIMIT ?"
        )
        return try Row.fetchAll(database, sql: sql, arguments: [name, Transition.maximumCount]).reversed().compactMap {
            row in
            guard let number = Int64.fromDatabaseValue(row[0]), let stored = Int64.fromDatabaseValue(row[2]),
                let value = Data.fromDatabaseValue(row[1]).map({ [UInt8]($0) })
            else { return nil }
            return stored == sum(name, number, value) ? try? TransitionCodec.decode(value) : nil
        }
    }

    /// The sum of a row: SQLite finds pages that make no sense, and this one finds bytes that are not what was written.
    static func sum(_ dn: [UInt8], _ claim: Int64, _ registered: Int64, _ service: Int64, _ value: [UInt8]) -> Int64 {
        var bytes = dn
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
        state.rows.reserveCapacity(try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM dn") ?? 0)
        // Column by column from SQLite itself: the conversions of rows would take as long as everything else.
        let statement = try database.makeStatement(
            sql: "SELECT dn, claim, registered, service, value, sum FROM dn ORDER BY dn")
        while true {
            switch sqlite3_step(statement.sqliteStatement) {
            case SQLITE_ROW:
                let row = try row(LoadedRow(statement.sqliteStatement))
                // A damaged page may be there twice.
                if let last = state.rows.last, last.dn >= row.dn { throw Damage() }
                state.rows.append(row)
            case SQLITE_DONE: return state
            case let code: throw DatabaseError(resultCode: ResultCode(rawValue: code))
            }
        }
    }

    private static func row(_ loaded: LoadedRow) throws(Damage) -> StoredState.Row {
        let (text, value) = (try loaded.bytes(0, SQLITE_TEXT), try loaded.bytes(4, SQLITE_BLOB))
        let (claim, registered, service) = (try loaded.number(1), try loaded.number(2), try loaded.number(3))
        guard try loaded.number(5) == sum(text, claim, registered, service, value), let dn = DN(text[...]),
            let service = UInt8(exactly: service).flatMap(Service.init)
        else { throw Damage() }
        let stored = try RowCodec.decode(
            value, claim: Stamp(rawValue: UInt64(bitPattern: claim)),
            registered: Stamp(rawValue: UInt64(bitPattern: registered)), service: service)
        return StoredState.Row(dn: dn, row: stored)
    }
}

/// The row at which a statement stands.
private struct LoadedRow {
    private let statement: SQLiteStatement

    init(_ statement: SQLiteStatement) { self.statement = statement }

    func number(_ column: Int32) throws(Damage) -> Int64 {
        guard sqlite3_column_type(statement, column) == SQLITE_INTEGER else { throw Damage() }
        return sqlite3_column_int64(statement, column)
    }

    /// - Parameter type: text and values are told apart.
    func bytes(_ column: Int32, _ type: Int32) throws(Damage) -> [UInt8] {
        guard sqlite3_column_type(statement, column) == type else { throw Damage() }
        let start = sqlite3_column_blob(statement, column)
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
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
        let number = (try Int64.fetchOne(lastNumber, arguments: [dn]) ?? 0) &+ 1
        let value = TransitionCodec.encode(transition)
        try add.execute(arguments: [dn, number, Data(value), Schema.sum(dn, number, value)])
        let oldest = number &- Int64(Transition.maximumCount)
        if oldest > 0 { try drop.execute(arguments: [dn, oldest]) }
    }

    private func write(_ row: StoredDN, of dn: String) throws {
        let (claim, registered) = (
            Int64(bitPattern: row.claim.rawValue), Int64(bitPattern: row.registered.rawValue)
        )
        let (service, value) = (Int64(row.service.rawValue), RowCodec.encode(row))
        let sum = Schema.sum(Array(dn.utf8), claim, registered, service, value)
        try put.execute(arguments: [dn, claim, registered, service, Data(value), sum])
    }

    func write(greatestStamp: Stamp) throws {
        try stamp.execute(arguments: [Int64(bitPattern: greatestStamp.rawValue)])
    }
}
