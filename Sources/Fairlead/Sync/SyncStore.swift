import Foundation

/// A sync as it is stored.
struct SyncRow: Sendable, Hashable {
  /// `removed`: the connection is gone, and what is stored of it is being deleted.
  enum State: String, Sendable, Hashable { case active, paused, blocked, removed }

  var id: SyncID
  var integration: IntegrationName
  var model: String
  var connection: ConnectionID
  var owner: Owner?
  var state: State
  var error: String?
  var checkpoint: String?
  var generation: Int64
  var run: SyncRun?
  /// The job claim that may write for the run.
  var runClaim: String?
  var wanted: SyncWish?
  var lastRun: SyncReport?
  var liveRecords: Int64
  var isRealTime: Bool
  var lastSyncedAt: Timestamp?
  var schedule: String
  var times: SyncSchedule.Times

  var records: RecordStore { RecordStore(connection: connection, model: model) }
}

/// SQL of the table `syncs`. Each function runs inside its caller's transaction.
enum SyncStore {
  /// Announces that a sync moved on; the payload is its id.
  static let channel = Channel("fairlead_syncs")

  static let columns = """
    id, integration, model, connection, owner, state, error, checkpoint, generation, run, \
    run_claim, wanted, last_run, live_records, real_time, last_synced_at, schedule, next_full_at, \
    next_incremental_at
    """

  // MARK: - Reading

  static func row(_ id: SyncID, in sql: any SQLConnection) throws -> SyncRow? {
    try sql.first("SELECT \(columns) FROM syncs WHERE id = $1", [SQLValue(id)]).map(decode)
  }

  /// The row, locked until the transaction ends.
  static func lock(
    _ id: SyncID, _ dialect: Dialect, in sql: any SQLConnection
  ) throws -> SyncRow? {
    try sql.first(
      "SELECT \(columns) FROM syncs WHERE id = $1 \(dialect.forUpdate)", [SQLValue(id)]
    ).map(decode)
  }

  static func row(
    connection: ConnectionID, model: String, in sql: any SQLConnection
  ) throws -> SyncRow? {
    try sql.first(
      "SELECT \(columns) FROM syncs WHERE connection = $1 AND model = $2",
      [SQLValue(connection), .text(model)]
    ).map(decode)
  }

  /// Newest first.
  static func page(
    _ filter: SyncFilter, _ page: PageRequest, in sql: any SQLConnection
  ) throws -> Page<SyncRow> {
    var conditions = ListConditions(cursor: page.cursor, idColumn: "id")
    conditions.equal("integration", SQLValue(filter.integration))
    conditions.equal("connection", SQLValue(filter.connection))
    conditions.equal("owner", SQLValue(filter.owner))
    conditions.equal("model", SQLValue(filter.model))
    conditions.equal("state", SQLValue(filter.state?.rawValue))
    conditions.literal("state <> 'removed'")
    guard conditions.arguments.allSatisfy(\.isStorable) else {
      return Page(items: [], nextCursor: nil)
    }
    let rows = try sql.query(
      "SELECT \(columns) FROM syncs \(conditions.clause) ORDER BY id DESC LIMIT \(page.limit + 1)",
      conditions.arguments)
    return conditions.page(try rows.map(decode), limit: page.limit) { $0.id.rawValue }
  }

  private static func decode(_ row: SQLRow) throws -> SyncRow {
    guard let state = SyncRow.State(rawValue: try row.text(5)) else {
      throw StorageError.corrupt("a sync is in an unknown state")
    }
    return SyncRow(
      id: try row.id(0), integration: IntegrationName(try row.text(1)), model: try row.text(2),
      connection: try row.id(3), owner: try row.optionalText(4).map { Owner($0) }, state: state,
      error: try row.optionalText(6), checkpoint: try row.optionalText(7),
      generation: try row.int(8), run: try json(row, 9), runClaim: try row.optionalText(10),
      wanted: try json(row, 11), lastRun: try json(row, 12), liveRecords: try row.int(13),
      isRealTime: try row.bool(14), lastSyncedAt: try row.optionalTimestamp(15),
      schedule: try row.text(16),
      times: SyncSchedule.Times(
        full: try row.optionalTimestamp(17), incremental: try row.optionalTimestamp(18)))
  }

  private static func json<Value: Decodable>(_ row: SQLRow, _ column: Int) throws -> Value? {
    guard let text = try row.optionalText(column) else { return nil }
    do { return try JSONDecoder().decode(Value.self, from: Data(text.utf8)) } catch {
      // Written by another version: a run that cannot be read is one that begins again.
      return nil
    }
  }

  // MARK: - Writing

  /// - Returns: `false` when the connection has this sync already.
  static func insert(_ row: SyncRow, now: Timestamp, in sql: any SQLConnection) throws -> Bool {
    try sql.execute(
      """
      INSERT INTO syncs (id, integration, model, connection, owner, state, wanted, real_time,
        schedule, next_full_at, next_incremental_at, next_run_at, created_at, updated_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
      ON CONFLICT DO NOTHING
      """,
      [
        SQLValue(row.id), SQLValue(row.integration), .text(row.model), SQLValue(row.connection),
        SQLValue(row.owner), .text(row.state.rawValue), try text(row.wanted),
        SQLValue(row.isRealTime), .text(row.schedule), SQLValue(row.times.full),
        SQLValue(row.times.incremental), SQLValue(row.times.next), SQLValue(now),
      ]) > 0
  }

  /// Writes back a row that was locked; what only the writers of records change is left alone.
  static func update(_ row: SyncRow, now: Timestamp, in sql: any SQLConnection) throws {
    try sql.execute(
      """
      UPDATE syncs SET state = $2, error = $3, checkpoint = $4, generation = $5, run = $6,
        run_claim = $7, wanted = $8, last_run = $9, real_time = $10, last_synced_at = $11,
        schedule = $12, next_full_at = $13, next_incremental_at = $14, next_run_at = $15,
        updated_at = $16
      WHERE id = $1
      """,
      [
        SQLValue(row.id), .text(row.state.rawValue), SQLValue(row.error),
        SQLValue(row.checkpoint), .integer(row.generation), try text(row.run),
        SQLValue(row.runClaim), try text(row.wanted), try text(row.lastRun),
        SQLValue(row.isRealTime), SQLValue(row.lastSyncedAt), .text(row.schedule),
        SQLValue(row.times.full), SQLValue(row.times.incremental), SQLValue(row.times.next),
        SQLValue(now),
      ])
    try sql.notify(channel, row.id.rawValue)
  }

  /// Stores how far a run has come.
  /// - Returns: `false` when the run is no longer this claim's: the caller undoes its transaction.
  static func saveRun(
    _ run: SyncRun, of id: SyncID, claim: String, error: String? = nil, growth: Int, now: Timestamp,
    in sql: any SQLConnection
  ) throws -> Bool {
    let changed = try sql.execute(
      """
      UPDATE syncs SET run = $3, generation = $4, error = $5, live_records = live_records + $6,
        updated_at = $7
      WHERE id = $1 AND run_claim = $2
      """,
      [
        SQLValue(id), .text(claim), try text(run), .integer(run.generation), SQLValue(error),
        SQLValue(growth), SQLValue(now),
      ])
    if changed > 0 { try sql.notify(channel, id.rawValue) }
    return changed > 0
  }

  static func grow(
    _ growth: Int, connection: ConnectionID, model: String, in sql: any SQLConnection
  ) throws {
    guard growth != 0 else { return }
    try sql.execute(
      """
      UPDATE syncs SET live_records = live_records + $3 WHERE connection = $1 AND model = $2
      """, [SQLValue(connection), .text(model), SQLValue(growth)])
  }

  static func delete(_ id: SyncID, in sql: any SQLConnection) throws {
    try sql.execute("DELETE FROM syncs WHERE id = $1", [SQLValue(id)])
    try sql.notify(channel, id.rawValue)
  }

  private static func text<Value: Encodable>(_ value: Value?) throws -> SQLValue {
    guard let value else { return .null }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return .text(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}
