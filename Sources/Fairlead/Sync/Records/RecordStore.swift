/// SQL of the records. Each function runs inside its caller's transaction.
///
/// Every writer takes the model's counter first, so versions are handed out in the order of commits
/// and two writers never wait for each other crosswise: counter, then records, then syncs, then jobs.
struct RecordStore: Sendable {
  /// Announces changes of records; the payload is `{integration, model}`.
  static let channel = Channel("fairlead_records")
  /// How many records one transaction writes at most.
  static let slice = 200
  /// How many rows go into one statement.
  private static let rowsPerStatement = 40

  let connection: ConnectionID
  let model: String

  // MARK: - Versions

  /// Takes the model's counter until the transaction ends.
  /// - Returns: the last version given out.
  func lockVersions(in sql: any SQLConnection) throws -> Int64 {
    let row = try sql.first(
      """
      INSERT INTO record_versions (model, version, pruned) VALUES ($1, 0, 0)
      ON CONFLICT (model) DO UPDATE SET version = record_versions.version
      RETURNING version
      """, [.text(model)])
    guard let row else { throw StorageError.corrupt("a model has no counter") }
    return try row.int(0)
  }

  func setVersion(_ version: Int64, in sql: any SQLConnection) throws {
    try sql.execute(
      "UPDATE record_versions SET version = $2 WHERE model = $1", [.text(model), .integer(version)])
  }

  // MARK: - Applying

  /// Writes changes, at most `slice` of them, one for each id.
  /// - Parameters:
  ///   - generation: marks what is there for a full run's sweep.
  ///   - now: our own time.
  func apply(
    _ changes: [RecordChange], from origin: RecordOrigin, generation: Int64, now: Timestamp,
    in sql: any SQLConnection
  ) throws -> RecordTally {
    guard !changes.isEmpty else { return RecordTally() }
    var version = try lockVersions(in: sql)
    let before = version
    let stored = try stored(changes.map(\.id), in: sql)
    var tally = RecordTally()
    var rows: [[SQLValue]] = []
    var seen: [String] = []
    for change in changes {
      let old = stored[change.id]
      var data: String?
      var hash = old?.hash ?? ""
      if case .data(let text) = change.content {
        data = text
        hash = RecordChange.hash(of: text)
      }
      let decision = RecordDecision.decide(change, hash: hash, over: old, from: origin)
      switch decision {
      case .nothing: continue
      case .touch:
        seen.append(change.id)
        if let time = change.sourceAt, let old, time > old.sourceAt {
          try moveTime(of: change.id, to: time, in: sql)
        }
        continue
      case .add: tally.added += 1
      case .update: tally.updated += 1
      case .delete: if old != nil { tally.deleted += 1 }
      }
      version += 1
      rows.append([
        .text(change.id), SQLValue(decision == .delete ? nil : data), .text(hash),
        .integer(version), .integer(decision == .add ? version : old?.addedVersion ?? version),
        .integer(old?.firstVersion ?? version), .integer(max(generation, old?.generation ?? 0)),
        SQLValue(sourceTime(change, origin)), SQLValue(origin == .event), SQLValue(now),
      ])
    }
    try upsert(rows, in: sql)
    try touch(seen, generation: generation, in: sql)
    if version != before { try setVersion(version, in: sql) }
    return tally
  }

  /// Clocks differ: what a page without times of its own says may be this much older than it seems.
  static let clockSlack = Duration.seconds(60)

  private func sourceTime(_ change: RecordChange, _ origin: RecordOrigin) -> Timestamp {
    if let time = change.sourceAt { return time }
    if case .page(let fetchedAt) = origin { return fetchedAt - Self.clockSlack }
    return Timestamp(microseconds: 0)
  }

  private func upsert(_ rows: [[SQLValue]], in sql: any SQLConnection) throws {
    for start in stride(from: 0, to: rows.count, by: Self.rowsPerStatement) {
      let part = rows[start..<min(start + Self.rowsPerStatement, rows.count)]
      var arguments: [SQLValue] = [SQLValue(connection), .text(model)]
      var places: [String] = []
      for row in part {
        let first = arguments.count + 1
        arguments += row
        let numbers = (first..<first + row.count).map { "$\($0)" }.joined(separator: ", ")
        places.append("($1, $2, \(numbers))")
      }
      try sql.execute(
        """
        INSERT INTO records (connection, model, record_id, data, hash, version, added_version,
          first_version, generation, source_at, by_event, written_at)
        VALUES \(places.joined(separator: ", "))
        ON CONFLICT (connection, model, record_id) DO UPDATE SET
          data = excluded.data, hash = excluded.hash, version = excluded.version,
          added_version = excluded.added_version, first_version = excluded.first_version,
          generation = excluded.generation, source_at = excluded.source_at,
          by_event = excluded.by_event, written_at = excluded.written_at
        """, arguments)
    }
  }

  private func touch(
    _ ids: [String], generation: Int64, in sql: any SQLConnection
  ) throws {
    guard !ids.isEmpty else { return }
    try sql.execute(
      """
      UPDATE records SET generation = $3
      WHERE connection = $1 AND model = $2 AND generation < $3
        AND record_id IN (\(Self.places(ids.count, after: 3)))
      """,
      [SQLValue(connection), .text(model), .integer(generation)] + ids.map { .text($0) })
  }

  /// A repeated state is no news for consumers, but what is older than it must not come after it.
  private func moveTime(of id: String, to time: Timestamp, in sql: any SQLConnection) throws {
    try sql.execute(
      """
      UPDATE records SET source_at = $4 WHERE connection = $1 AND model = $2 AND record_id = $3
      """, [SQLValue(connection), .text(model), .text(id), SQLValue(time)])
  }

  private func stored(
    _ ids: [String], in sql: any SQLConnection
  ) throws -> [String: StoredRecord] {
    let rows = try sql.query(
      """
      SELECT record_id, hash, CASE WHEN data IS NULL THEN 1 ELSE 0 END, first_version,
        added_version, generation, source_at, by_event, written_at
      FROM records
      WHERE connection = $1 AND model = $2
        AND record_id IN (\(Self.places(ids.count, after: 2)))
      """, [SQLValue(connection), .text(model)] + ids.map { .text($0) })
    var result: [String: StoredRecord] = [:]
    for row in rows {
      result[try row.text(0)] = StoredRecord(
        hash: try row.text(1), isDeleted: try row.bool(2), firstVersion: try row.int(3),
        addedVersion: try row.int(4), generation: try row.int(5), sourceAt: try row.timestamp(6),
        byEvent: try row.bool(7), writtenAt: try row.timestamp(8))
    }
    return result
  }

  static func places(_ count: Int, after: Int) -> String {
    (after + 1...after + max(1, count)).map { "$\($0)" }.joined(separator: ", ")
  }
}
