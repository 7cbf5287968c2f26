/// Brings a database's schema to what this program knows.
public enum Migrator {
  /// The table that says which migrations were applied.
  public static let table = "fairlead_migrations"

  /// Applies the migrations that are missing, in the order of their names, each in one transaction.
  ///
  /// Safe to call again and by several starters at once. A database that holds a migration unknown
  /// here is left as it is.
  /// - Returns: the names of those applied by this call.
  /// - Throws: `FairleadError` (`configurationError`) for a database that a newer version made;
  ///   `StorageError`.
  @discardableResult
  public static func apply(
    _ migrations: [Migration], to database: any Database, clock: any FairleadClock
  ) async throws -> [String] {
    let ordered = migrations.sorted { $0.name < $1.name }
    for (earlier, later) in zip(ordered, ordered.dropFirst()) where earlier.name == later.name {
      throw StorageError.statement("two migrations are named \(later.name)")
    }
    let known = try await applied(in: database)
    try refuseUnknown(applied: known, known: migrations)
    var done: [String] = []
    for migration in ordered where !known.contains(migration.name) {
      let now = clock.now
      let dialect = database.dialect
      let isNew = try await database.write(.locking) { connection in
        try apply(migration, known: migrations, dialect, at: now, on: connection)
      }
      if isNew { done.append(migration.name) }
    }
    return done
  }

  /// The names of the migrations that a database holds; none when it is new.
  /// - Throws: `StorageError`.
  public static func applied(in database: any Database) async throws -> [String] {
    do {
      return try await database.read { connection in
        try connection.query("SELECT name FROM \(table) ORDER BY name").map { try $0.text(0) }
      }
    } catch StorageError.statement {
      // The table is not there yet. Any other reason shows again as soon as it is to be made.
      return []
    }
  }

  /// - Throws: `FairleadError` (`configurationError`) when `applied` has a name that is not known.
  public static func refuseUnknown(applied: [String], known: [Migration]) throws {
    let names = Set(known.map(\.name))
    guard let unknown = applied.filter({ !names.contains($0) }).min() else { return }
    throw FairleadError(
      .configurationError,
      "This database was made by a newer version of Fairlead (it has the migration \(unknown)). "
        + "Nothing was changed; start that version or a later one.")
  }

  private static func apply(
    _ migration: Migration, known: [Migration], _ dialect: Dialect, at now: Timestamp,
    on connection: any SQLConnection
  ) throws -> Bool {
    if let turn = dialect.takeTurn { _ = try connection.query(turn) }
    try connection.execute(
      """
      CREATE TABLE IF NOT EXISTS \(table) (
        name TEXT NOT NULL PRIMARY KEY,
        applied_at BIGINT NOT NULL
      )
      """)
    // Read again under the write lock: another starter may have been first, or newer.
    let applied = try connection.query("SELECT name FROM \(table)").map { try $0.text(0) }
    try refuseUnknown(applied: applied, known: known)
    guard !applied.contains(migration.name) else { return false }
    for statement in migration.statements(dialect) { try connection.execute(statement) }
    try connection.execute(
      "INSERT INTO \(table) (name, applied_at) VALUES ($1, $2)",
      [.text(migration.name), SQLValue(now)])
    return true
  }
}
