/// SQL of the table `alerts`. Each function runs inside its caller's transaction.
enum AlertStore {
  private static let columns = """
    id, rule, integration, state, message, figure, threshold, fired_at, quiet_since, resolved_at
    """
  private static let scale = 1_000_000.0

  // MARK: Transitions

  /// Adds a firing alert unless one of its rule and integration fires already.
  /// - Returns: whether it is new.
  static func insert(_ alert: Alert, in connection: any SQLConnection) throws -> Bool {
    try connection.execute(
      """
      INSERT INTO alerts
        (id, rule, integration, state, message, figure, threshold, fired_at)
      VALUES ($1, $2, $3, 'firing', $4, $5, $6, $7)
      ON CONFLICT (rule, integration) WHERE state = 'firing' DO NOTHING
      """,
      [
        SQLValue(alert.id), .text(alert.rule.rawValue), SQLValue(alert.integration),
        .text(alert.message), figure(alert.value), figure(alert.threshold),
        SQLValue(alert.firedAt),
      ]) > 0
  }

  /// Writes new figures of an alert that fires; it is not quiet any more.
  static func update(
    _ id: AlertID, value: Double, message: String, in connection: any SQLConnection
  ) throws {
    try connection.execute(
      """
      UPDATE alerts SET figure = $2, message = $3, quiet_since = NULL
      WHERE id = $1 AND state = 'firing'
      """, [SQLValue(id), figure(value), .text(message)])
  }

  /// Notes since when an alert has been quiet, unless another node did.
  static func calm(
    _ id: AlertID, since: Timestamp, in connection: any SQLConnection
  ) throws {
    try connection.execute(
      """
      UPDATE alerts SET quiet_since = $2
      WHERE id = $1 AND state = 'firing' AND quiet_since IS NULL
      """, [SQLValue(id), SQLValue(since)])
  }

  /// - Parameter quietSince: as it was seen; an alert that broke out again meanwhile is left alone.
  /// - Returns: the resolved alert; `nil` when another node was first, or it broke out again.
  static func resolve(
    _ id: AlertID, at now: Timestamp, quietSince: Timestamp?, value: Double?, message: String,
    in connection: any SQLConnection
  ) throws -> Alert? {
    var arguments = [SQLValue(id), SQLValue(now), .text(message)]
    var change = ""
    if let value {
      arguments.append(figure(value))
      change = ", figure = $\(arguments.count)"
    }
    var condition = "quiet_since IS NULL"
    if let quietSince {
      arguments.append(SQLValue(quietSince))
      condition = "quiet_since = $\(arguments.count)"
    }
    return try connection.first(
      """
      UPDATE alerts SET state = 'resolved', resolved_at = $2, message = $3\(change)
      WHERE id = $1 AND state = 'firing' AND \(condition)
      RETURNING \(columns)
      """, arguments
    ).map(decode)
  }

  // MARK: Announcements

  /// How far an alert was announced.
  enum Announced: Int64, Sendable { case nothing, firing, resolution }

  static func announcement(
    of id: AlertID, in connection: any SQLConnection
  ) throws -> (alert: Alert, announced: Announced)? {
    try connection.first(
      "SELECT \(columns), announced FROM alerts WHERE id = $1", [SQLValue(id)]
    ).map(decodeAnnouncement)
  }

  /// Notes that an alert was announced this far, unless it was further already.
  /// - Returns: how it stands now; `nil` when it is gone.
  static func note(
    _ announced: Announced, of id: AlertID, in connection: any SQLConnection
  ) throws -> (alert: Alert, announced: Announced)? {
    try connection.first(
      """
      UPDATE alerts SET announced = CASE WHEN announced < $2 THEN $2 ELSE announced END
      WHERE id = $1 RETURNING \(columns), announced
      """, [SQLValue(id), .integer(announced.rawValue)]
    ).map(decodeAnnouncement)
  }

  private static func decodeAnnouncement(
    _ row: SQLRow
  ) throws -> (alert: Alert, announced: Announced) {
    guard let announced = Announced(rawValue: try row.int(10)) else {
      throw StorageError.corrupt("an alert was announced in an unknown way")
    }
    return (try decode(row), announced)
  }

  // MARK: Lists

  /// Those that fire, oldest first.
  static func firing(in connection: any SQLConnection) throws -> [Alert] {
    try connection.query("SELECT \(columns) FROM alerts WHERE state = 'firing' ORDER BY id")
      .map(decode)
  }

  static func alert(_ id: AlertID, in connection: any SQLConnection) throws -> Alert? {
    try connection.first("SELECT \(columns) FROM alerts WHERE id = $1", [SQLValue(id)]).map(decode)
  }

  /// Those resolved last, the latest first.
  static func resolved(
    since: Timestamp, limit: Int, in connection: any SQLConnection
  ) throws -> [Alert] {
    try connection.query(
      """
      SELECT \(columns) FROM alerts WHERE resolved_at IS NOT NULL AND resolved_at > $1
      ORDER BY resolved_at DESC, id DESC LIMIT \(limit)
      """, [SQLValue(since)]
    ).map(decode)
  }

  /// Newest first.
  static func page(
    _ filter: AlertFilter, _ page: PageRequest, in connection: any SQLConnection
  ) throws -> Page<Alert> {
    var conditions = ListConditions(cursor: page.cursor, idColumn: "id")
    conditions.equal("integration", SQLValue(filter.integration))
    conditions.equal("rule", SQLValue(filter.rule?.rawValue))
    conditions.equal("state", SQLValue(filter.state?.rawValue))
    let rows = try connection.query(
      "SELECT \(columns) FROM alerts \(conditions.clause) ORDER BY id DESC "
        + "LIMIT \(page.limit + 1)", conditions.arguments)
    return conditions.page(try rows.map(decode), limit: page.limit) { $0.id.rawValue }
  }

  /// Deletes alerts that were resolved before `time`.
  /// - Returns: how many.
  static func prune(
    before time: Timestamp, limit: Int, in connection: any SQLConnection
  ) throws -> Int {
    try connection.execute(
      """
      DELETE FROM alerts WHERE id IN (
        SELECT id FROM alerts WHERE resolved_at IS NOT NULL AND resolved_at < $1
        ORDER BY resolved_at LIMIT \(limit)
      )
      """, [SQLValue(time)])
  }

  // MARK: Rows

  private static func figure(_ value: Double) -> SQLValue {
    .integer(Int64(exactly: (value * scale).rounded()) ?? .max)
  }

  private static func state(_ text: String) throws -> Alert.State {
    guard let state = Alert.State(rawValue: text) else {
      throw StorageError.corrupt("an alert has no known state")
    }
    return state
  }

  private static func decode(_ row: SQLRow) throws -> Alert {
    guard let rule = AlertRule(rawValue: try row.text(1)) else {
      throw StorageError.corrupt("an alert has no known rule")
    }
    return Alert(
      id: try row.id(0), rule: rule, integration: IntegrationName(try row.text(2)),
      state: try state(row.text(3)), message: try row.text(4),
      value: Double(try row.int(5)) / scale, threshold: Double(try row.int(6)) / scale,
      firedAt: try row.timestamp(7), resolvedAt: try row.optionalTimestamp(9),
      quietSince: try row.optionalTimestamp(8))
  }
}
