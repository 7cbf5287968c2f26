import Foundation

/// SQL of the tables `events` and `event_payloads`. Each function runs inside its caller's
/// transaction.
enum EventStore {
  private static let columns = """
    id, integration, provider_event_id, type, owner, connection, received_at, status, attempts, \
    duplicates, recovered, error
    """

  static func event(_ id: EventID, in connection: any SQLConnection) throws -> Event? {
    try connection.first("SELECT \(columns) FROM events WHERE id = $1", [SQLValue(id)])
      .map(decode)
  }

  /// Newest first.
  static func page(
    _ filter: EventFilter, _ page: PageRequest, in connection: any SQLConnection
  ) throws -> Page<Event> {
    var conditions = ListConditions(cursor: page.cursor, idColumn: "id")
    conditions.equal("integration", SQLValue(filter.integration))
    conditions.equal("type", SQLValue(filter.type))
    conditions.equal("owner", SQLValue(filter.owner))
    conditions.equal("connection", SQLValue(filter.connection))
    if let status = filter.status {
      conditions.equal("status", .text(status.rawValue))
      // Repeats the condition of the partial index, so that both engines see that it applies.
      if status != .processed { conditions.literal("status <> 'processed'") }
    }
    let rows = try connection.query(
      "SELECT \(columns) FROM events \(conditions.clause) ORDER BY id DESC LIMIT \(page.limit + 1)",
      conditions.arguments)
    return conditions.page(try rows.map(decode), limit: page.limit) { $0.id.rawValue }
  }

  static func payload(
    of id: EventID, in connection: any SQLConnection
  ) throws -> (headers: [EventHeader], body: [UInt8])? {
    try connection.first(
      "SELECT headers, body FROM event_payloads WHERE event_id = $1", [SQLValue(id)]
    ).map { row in
      // Headers are written by us; a row without readable ones still has its body.
      let headers = try? JSONDecoder().decode(
        [EventHeader].self, from: Data(try row.text(0).utf8))
      return (headers ?? [], try row.blob(1))
    }
  }

  static func hasPayload(_ id: EventID, in connection: any SQLConnection) throws -> Bool {
    try connection.first("SELECT 1 FROM event_payloads WHERE event_id = $1", [SQLValue(id)]) != nil
  }

  private static func decode(_ row: SQLRow) throws -> Event {
    let status = try row.text(7)
    guard let status = Event.Status(rawValue: status) else {
      throw StorageError.corrupt("an event has no known status")
    }
    return Event(
      id: try row.id(0), integration: IntegrationName(try row.text(1)),
      providerEventID: try row.optionalText(2), type: try row.text(3),
      owner: try row.optionalText(4).map { Owner($0) },
      connection: try row.optionalText(5).map { ConnectionID(rawValue: $0) },
      receivedAt: try row.timestamp(6), status: status, attempts: Int(try row.int(8)),
      duplicates: Int(try row.int(9)), recovered: try row.bool(10), error: try row.optionalText(11))
  }
}

// MARK: - Processing

extension EventStore {
  /// What a change of an event's status depends on, its row locked until the transaction ends.
  struct Locked {
    var status: Event.Status
    /// Grows with every replay; deliveries of earlier ones no longer speak for the event.
    var generation: Int64
    var integration: IntegrationName
    var connectionValue: String?
    var owner: Owner?
    var type: String
  }

  static func lock(
    _ id: EventID, _ dialect: Dialect, in connection: any SQLConnection
  ) throws -> Locked? {
    try connection.first(
      """
      SELECT status, generation, integration, connection_value, owner, type
      FROM events WHERE id = $1 \(dialect.forUpdate)
      """, [SQLValue(id)]
    ).map { row in
      guard let status = Event.Status(rawValue: try row.text(0)) else {
        throw StorageError.corrupt("an event has no known status")
      }
      return Locked(
        status: status, generation: try row.int(1), integration: IntegrationName(try row.text(2)),
        connectionValue: try row.optionalText(3), owner: try row.optionalText(4).map { Owner($0) },
        type: try row.text(5))
    }
  }

  static func setStatus(
    _ status: Event.Status, error: String?, addingAttempts attempts: Int = 0, of id: EventID,
    in connection: any SQLConnection
  ) throws {
    try connection.execute(
      "UPDATE events SET status = $2, error = $3, attempts = attempts + $4 WHERE id = $1",
      [SQLValue(id), .text(status.rawValue), SQLValue(error), SQLValue(attempts)])
  }

  static func addAttempts(
    _ attempts: Int, to id: EventID, in connection: any SQLConnection
  ) throws {
    guard attempts > 0 else { return }
    try connection.execute(
      "UPDATE events SET attempts = attempts + $2 WHERE id = $1",
      [SQLValue(id), SQLValue(attempts)])
  }

  static func setConnection(
    _ match: ConnectionMatch, of id: EventID, in connection: any SQLConnection
  ) throws {
    try connection.execute(
      "UPDATE events SET connection = $2, owner = $3 WHERE id = $1",
      [SQLValue(id), SQLValue(match.connection), SQLValue(match.owner)])
  }

  static func beginGeneration(of id: EventID, in connection: any SQLConnection) throws {
    try connection.execute(
      """
      UPDATE events SET status = 'received', error = NULL, generation = generation + 1
      WHERE id = $1
      """, [SQLValue(id)])
  }
}
