/// The statements of the health tables. Each runs inside the caller's transaction.
enum HealthStore {
  /// How long counts are kept.
  static let retention = Duration.seconds(7 * 86_400)

  /// Notes that `node` stores its batch `sequence` in this transaction.
  /// - Returns: `false` when the batch is in storage already and must not be added again.
  static func begin(
    _ sequence: Int64, of node: String, at now: Timestamp, in connection: any SQLConnection
  ) throws -> Bool {
    let rows = try connection.query(
      """
      INSERT INTO health_nodes (node, sequence, seen_at) VALUES ($1, $2, $3)
      ON CONFLICT (node) DO UPDATE SET sequence = excluded.sequence, seen_at = excluded.seen_at
      WHERE health_nodes.sequence < excluded.sequence
      RETURNING sequence
      """, [.text(node), .integer(sequence), SQLValue(now)])
    return !rows.isEmpty
  }

  static func add(
    _ rollup: HealthRollup, node: String, in connection: any SQLConnection
  ) throws {
    for minute in rollup.minutes { try add(minute, node: node, in: connection) }
    for latencies in rollup.latencies { try add(latencies, node: node, in: connection) }
    // In the order of their names: nodes share these rows and must lock them in one order.
    for marks in rollup.marks.sorted(by: { $0.integration < $1.integration }) {
      try add(marks, in: connection)
    }
  }

  private static func add(
    _ minute: HealthRollup.Span, node: String, in connection: any SQLConnection
  ) throws {
    try connection.execute(
      addMinute,
      [.integer(minute.start), SQLValue(minute.integration), .text(node)] + minute.counters.values)
  }

  private static let addMinute = {
    let names = HealthCounters.columns.map(\.name)
    let placeholders = (1...names.count + 3).map { "$\($0)" }
    let sums = names.map { "\($0) = health_minutes.\($0) + excluded.\($0)" }
    return """
      INSERT INTO health_minutes (bucket, integration, node, \(names.joined(separator: ", ")))
      VALUES (\(placeholders.joined(separator: ", ")))
      ON CONFLICT (bucket, integration, node) DO UPDATE SET \(sums.joined(separator: ", "))
      """
  }()

  private static func add(
    _ latencies: HealthRollup.Latencies, node: String, in connection: any SQLConnection
  ) throws {
    let key: [SQLValue] = [
      .integer(latencies.start), SQLValue(latencies.integration), .text(node),
    ]
    var sum = latencies.histogram
    let stored = try connection.first(
      """
      SELECT histogram FROM health_latencies
      WHERE bucket = $1 AND integration = $2 AND node = $3
      """, key)
    if let stored { sum.add(try LatencyHistogram(encoded: stored.blob(0))) }
    try connection.execute(
      """
      INSERT INTO health_latencies (bucket, integration, node, histogram) VALUES ($1, $2, $3, $4)
      ON CONFLICT (bucket, integration, node) DO UPDATE SET histogram = excluded.histogram
      """, key + [.blob(sum.encoded)])
  }

  private static func add(_ marks: HealthRollup.Marks, in connection: any SQLConnection) throws {
    try connection.execute(
      """
      INSERT INTO health_marks (integration, last_success_at, last_failure_at) VALUES ($1, $2, $3)
      ON CONFLICT (integration) DO UPDATE SET
        last_success_at = CASE
          WHEN health_marks.last_success_at > excluded.last_success_at
            OR excluded.last_success_at IS NULL
          THEN health_marks.last_success_at ELSE excluded.last_success_at END,
        last_failure_at = CASE
          WHEN health_marks.last_failure_at > excluded.last_failure_at
            OR excluded.last_failure_at IS NULL
          THEN health_marks.last_failure_at ELSE excluded.last_failure_at END
      """,
      [SQLValue(marks.integration), SQLValue(marks.lastSuccess), SQLValue(marks.lastFailure)])
  }
}

// MARK: - Reading

extension HealthStore {
  /// The last batch of `node` that is stored; 0 before the first.
  static func sequence(of node: String, in connection: any SQLConnection) throws -> Int64 {
    try connection.first("SELECT sequence FROM health_nodes WHERE node = $1", [.text(node)])?
      .int(0) ?? 0
  }

  /// Sums by the hour, over all nodes, of the minutes that start after `since`.
  static func hours(
    after since: Int64, of integration: IntegrationName? = nil, in connection: any SQLConnection
  ) throws -> [HealthRollup.Span] {
    let sums = HealthCounters.columns.map { "CAST(SUM(\($0.name)) AS BIGINT)" }
    let rows = try connection.query(
      """
      SELECT bucket / \(HealthRollup.hour), integration, \(sums.joined(separator: ", "))
      FROM health_minutes
      WHERE bucket > $1\(integration == nil ? "" : " AND integration = $2")
      GROUP BY bucket / \(HealthRollup.hour), integration
      """, [.integer(since)] + (integration.map { [SQLValue($0)] } ?? []))
    return try rows.map { row in
      HealthRollup.Span(
        integration: IntegrationName(try row.text(1)), start: try row.int(0) &* HealthRollup.hour,
        counters: try HealthCounters(row: row, from: 2))
    }
  }

  static func latencies(
    after since: Int64, of integration: IntegrationName? = nil, in connection: any SQLConnection
  ) throws -> [HealthRollup.Latencies] {
    let rows = try connection.query(
      """
      SELECT bucket, integration, histogram FROM health_latencies
      WHERE bucket > $1\(integration == nil ? "" : " AND integration = $2")
      """, [.integer(since)] + (integration.map { [SQLValue($0)] } ?? []))
    return try rows.map { row in
      HealthRollup.Latencies(
        integration: IntegrationName(try row.text(1)), start: try row.int(0),
        histogram: try LatencyHistogram(encoded: row.blob(2)))
    }
  }

  static func marks(in connection: any SQLConnection) throws -> [HealthRollup.Marks] {
    let rows = try connection.query(
      "SELECT integration, last_success_at, last_failure_at FROM health_marks")
    return try rows.map { row in
      HealthRollup.Marks(
        integration: IntegrationName(try row.text(0)), lastSuccess: try row.optionalTimestamp(1),
        lastFailure: try row.optionalTimestamp(2))
    }
  }
}

// MARK: - Pruning

extension HealthStore {
  /// Deletes the oldest hour of counts when it is past retention.
  /// - Returns: whether there may be more to delete.
  static func prune(at now: Timestamp, in connection: any SQLConnection) throws -> Bool {
    let cutoff = (now - retention).microseconds
    try connection.execute("DELETE FROM health_nodes WHERE seen_at < $1", [.integer(cutoff)])
    var more = false
    for table in ["health_minutes", "health_latencies"] {
      guard
        let oldest = try connection.first("SELECT MIN(bucket) FROM \(table)")?.optionalInt(0),
        oldest < cutoff
      else { continue }
      let end = min(cutoff, oldest + 60 * HealthRollup.minute)
      try connection.execute("DELETE FROM \(table) WHERE bucket < $1", [.integer(end)])
      more = true
    }
    return more
  }
}
