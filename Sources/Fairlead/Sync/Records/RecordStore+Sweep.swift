extension RecordStore {
  /// What a full run did not see.
  struct SweepCount: Sendable, Hashable {
    /// Records that are there now.
    var live: Int
    /// Those of them that the run did not see.
    var unseen: Int
  }

  /// What an event wrote since the run began was not to be seen on pages made before it.
  private static let isUnseen = """
    connection = $1 AND model = $2 AND data IS NOT NULL AND generation < $3
      AND NOT (by_event = 1 AND written_at >= $4)
    """

  func sweepCount(
    generation: Int64, startedAt: Timestamp, in sql: any SQLConnection
  ) throws -> SweepCount {
    let arguments: [SQLValue] = [
      SQLValue(connection), .text(model), .integer(generation), SQLValue(startedAt),
    ]
    let unseen = try sql.first("SELECT COUNT(*) FROM records WHERE \(Self.isUnseen)", arguments)
    let live = try sql.first(
      """
      SELECT COUNT(*) FROM records WHERE connection = $1 AND model = $2 AND data IS NOT NULL
      """, [SQLValue(connection), .text(model)])
    return SweepCount(
      live: Int(clamping: try live?.int(0) ?? 0), unseen: Int(clamping: try unseen?.int(0) ?? 0))
  }

  /// Deletes a slice of what a full run did not see.
  /// - Returns: how many; fewer than a slice when it was the last.
  func sweep(
    generation: Int64, startedAt: Timestamp, now: Timestamp, in sql: any SQLConnection
  ) throws -> Int {
    let version = try lockVersions(in: sql)
    let ids = try sql.query(
      "SELECT record_id FROM records WHERE \(Self.isUnseen) LIMIT \(Self.slice)",
      [SQLValue(connection), .text(model), .integer(generation), SQLValue(startedAt)]
    ).map { try $0.text(0) }
    try bury(ids, after: version, sourceAt: startedAt - Self.clockSlack, now: now, in: sql)
    return ids.count
  }

  /// Deletes a slice of everything, of a connection that is gone or a sync that starts over.
  /// - Returns: how many; fewer than a slice when it was the last.
  func clear(now: Timestamp, in sql: any SQLConnection) throws -> Int {
    let version = try lockVersions(in: sql)
    let ids = try sql.query(
      """
      SELECT record_id FROM records WHERE connection = $1 AND model = $2 AND data IS NOT NULL
      LIMIT \(Self.slice)
      """, [SQLValue(connection), .text(model)]
    ).map { try $0.text(0) }
    // Whatever is told of these later is news.
    try bury(
      ids, after: version, sourceAt: Timestamp(microseconds: 0), now: now, in: sql)
    return ids.count
  }

  private func bury(
    _ ids: [String], after last: Int64, sourceAt: Timestamp, now: Timestamp,
    in sql: any SQLConnection
  ) throws {
    guard !ids.isEmpty else { return }
    var version = last
    for id in ids {
      version += 1
      try sql.execute(
        """
        UPDATE records SET data = NULL, version = $4, source_at = $5, by_event = 0, written_at = $6
        WHERE connection = $1 AND model = $2 AND record_id = $3
        """,
        [
          SQLValue(connection), .text(model), .text(id), .integer(version), SQLValue(sourceAt),
          SQLValue(now),
        ])
    }
    try setVersion(version, in: sql)
  }

  /// Announces that records changed; listeners hear it once the transaction has committed.
  static func announce(
    _ model: String, of integration: IntegrationName, in sql: any SQLConnection
  ) throws {
    let payload: JSONValue = [
      "integration": .string(integration.rawValue), "model": .string(model),
    ]
    try sql.notify(channel, payload.text)
  }
}
