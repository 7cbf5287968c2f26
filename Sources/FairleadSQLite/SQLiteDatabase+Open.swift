public import Fairlead
import GRDB

extension SQLiteDatabase {
  /// Opens the database, making the file when it is missing.
  ///
  /// Pass the migrations this program knows, so that a file which a newer version made is refused
  /// before anything is written to it.
  /// - Throws: `FairleadError` (`configurationError`) with one line that says what to do.
  public static func open(
    _ location: SQLiteLocation, knownMigrations: [Migration]? = nil
  ) async throws -> SQLiteDatabase {
    try await onDispatchQueue {
      switch location {
      case .memory: try openMemory()
      case .file(let path): try openFile(path, knownMigrations)
      }
    }
  }

  /// Opens the database at `path`; `:memory:` is one in memory.
  public static func open(
    path: String, knownMigrations: [Migration]? = nil
  ) async throws -> SQLiteDatabase {
    try await open(SQLiteLocation(path: path), knownMigrations: knownMigrations)
  }

  private static func openMemory() throws -> SQLiteDatabase {
    let queue = try DatabaseQueue(configuration: configuration())
    try queue.writeWithoutTransaction(setDurability)
    return SQLiteDatabase(pool: queue)
  }

  private static func openFile(
    _ path: String, _ knownMigrations: [Migration]?
  ) throws -> SQLiteDatabase {
    let file = DatabaseFile(path: path)
    let exists = try file.inspect()
    do {
      if exists {
        if let knownMigrations { try refuseNewer(path, than: knownMigrations) }
      } else {
        try file.create()
      }
      let pool = try DatabasePool(path: path, configuration: configuration())
      try pool.writeWithoutTransaction { database in
        try setDurability(database)
        guard try String.fetchOne(database, sql: "PRAGMA journal_mode") == "wal" else {
          throw DatabaseError(resultCode: .SQLITE_IOERR, message: "no write-ahead log")
        }
      }
      return SQLiteDatabase(pool: pool)
    } catch let error as DatabaseError {
      throw file.refusal(StorageError(error))
    }
  }

  static func configuration(readonly: Bool = false) -> Configuration {
    var configuration = Configuration()
    configuration.readonly = readonly
    configuration.foreignKeysEnabled = true
    configuration.busyMode = .timeout(5)
    configuration.label = "fairlead"
    return configuration
  }

  /// GRDB sets `synchronous=NORMAL` when it turns the write-ahead log on, and a commit could then be
  /// lost with the power. This runs after it, and believes only what it reads back.
  private static func setDurability(_ database: GRDB.Database) throws {
    try database.execute(sql: "PRAGMA synchronous = FULL")
    guard try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2 else {
      throw FairleadError(
        .configurationError,
        "SQLite refused durable commits (synchronous=FULL). Use another build of SQLite.")
    }
  }

  /// Looks through a read-only connection: opening for writing would already touch the file.
  private static func refuseNewer(_ path: String, than known: [Migration]) throws {
    let queue = try DatabaseQueue(path: path, configuration: configuration(readonly: true))
    let applied = try queue.read { database in
      try database.tableExists(Migrator.table)
        ? String.fetchAll(database, sql: "SELECT name FROM \(Migrator.table)") : []
    }
    try queue.close()
    try Migrator.refuseUnknown(applied: applied, known: known)
  }
}
