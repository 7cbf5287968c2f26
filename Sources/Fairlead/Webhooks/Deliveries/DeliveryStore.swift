/// SQL of the tables `deliveries` and `delivery_attempts`. Each function runs inside its caller's
/// transaction.
enum DeliveryStore {
  private static let columns = """
    id, event_id, target_kind, target, status, attempts, crashes, created_at, updated_at, \
    next_attempt_at, error
    """
  private static let keptAttempts = 20

  static func delivery(_ id: DeliveryID, in connection: any SQLConnection) throws -> Delivery? {
    try connection.first("SELECT \(columns) FROM deliveries WHERE id = $1", [SQLValue(id)])
      .map(decode)
  }

  /// Adds a delivery unless the event has one to this target in this generation.
  /// - Returns: whether it is new.
  static func insert(
    _ delivery: Delivery, generation: Int64, in connection: any SQLConnection
  ) throws -> Bool {
    try connection.execute(
      """
      INSERT INTO deliveries
        (id, event_id, generation, target_kind, target, status, created_at, updated_at,
         next_attempt_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $7)
      ON CONFLICT (event_id, generation, target_kind, target) DO NOTHING
      """,
      [
        SQLValue(delivery.id), SQLValue(delivery.event), .integer(generation),
        .text(delivery.target.kind), .text(delivery.target.name), .text(delivery.status.rawValue),
        SQLValue(delivery.createdAt),
      ]) > 0
  }

  /// Writes what an attempt changed.
  static func update(_ delivery: Delivery, in connection: any SQLConnection) throws {
    try connection.execute(
      """
      UPDATE deliveries
      SET status = $2, attempts = $3, crashes = $4, updated_at = $5, next_attempt_at = $6,
          error = $7
      WHERE id = $1
      """,
      [
        SQLValue(delivery.id), .text(delivery.status.rawValue), SQLValue(delivery.attempts),
        SQLValue(delivery.crashes), SQLValue(delivery.updatedAt), SQLValue(delivery.nextAttemptAt),
        SQLValue(delivery.error),
      ])
  }

  static func insert(
    _ attempt: DeliveryAttempt, of delivery: DeliveryID, in connection: any SQLConnection
  ) throws {
    try connection.execute(
      """
      INSERT INTO delivery_attempts
        (delivery_id, number, started_at, duration, outcome, status, error, response)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
      ON CONFLICT (delivery_id, number) DO NOTHING
      """,
      [
        SQLValue(delivery), SQLValue(attempt.number), SQLValue(attempt.startedAt),
        .integer(attempt.duration.microseconds), .text(attempt.succeeded ? "succeeded" : "failed"),
        attempt.status.map { SQLValue($0) } ?? .null, SQLValue(attempt.error),
        SQLValue(attempt.response),
      ])
  }

  /// The statuses of an event's deliveries in one generation.
  static func statuses(
    of event: EventID, generation: Int64, in connection: any SQLConnection
  ) throws -> [Delivery.Status] {
    try connection.query(
      "SELECT status FROM deliveries WHERE event_id = $1 AND generation = $2",
      [SQLValue(event), .integer(generation)]
    ).map { try status($0, 0) }
  }

  static func generation(of id: DeliveryID, in connection: any SQLConnection) throws -> Int64 {
    try connection.first("SELECT generation FROM deliveries WHERE id = $1", [SQLValue(id)])?
      .int(0) ?? 0
  }

  /// Why the delivery that failed last did.
  static func latestError(
    of event: EventID, generation: Int64, in connection: any SQLConnection
  ) throws -> String? {
    try connection.first(
      """
      SELECT error FROM deliveries
      WHERE event_id = $1 AND generation = $2 AND error IS NOT NULL
      ORDER BY updated_at DESC, id DESC LIMIT 1
      """, [SQLValue(event), .integer(generation)])?.optionalText(0)
  }

  /// Ends every open delivery of an event that a replay supersedes.
  static func cancelOpen(
    of event: EventID, reason: String, at now: Timestamp, in connection: any SQLConnection
  ) throws {
    try connection.execute(
      """
      UPDATE deliveries
      SET status = 'cancelled', error = $2, updated_at = $3, next_attempt_at = NULL
      WHERE event_id = $1 AND status IN ('pending', 'waiting')
      """, [SQLValue(event), .text(reason), SQLValue(now)])
  }

  // MARK: Lists

  /// Newest first, each with its attempts.
  static func page(
    _ filter: DeliveryFilter, _ page: PageRequest, in connection: any SQLConnection
  ) throws -> Page<Delivery> {
    var conditions = ListConditions(cursor: page.cursor, idColumn: "id")
    conditions.equal("event_id", SQLValue(filter.event))
    if let destination = filter.destination {
      conditions.equal("target", SQLValue(destination))
      conditions.literal("target_kind = 'destination'")
    }
    if let status = filter.status {
      conditions.equal("status", .text(status.rawValue))
      if status != .succeeded { conditions.literal("status <> 'succeeded'") }
    }
    let rows = try connection.query(
      "SELECT \(columns) FROM deliveries \(conditions.clause) ORDER BY id DESC "
        + "LIMIT \(page.limit + 1)", conditions.arguments)
    var found = conditions.page(try rows.map(decode), limit: page.limit) { $0.id.rawValue }
    for index in found.items.indices {
      found.items[index].history = try attempts(of: found.items[index].id, in: connection)
    }
    return found
  }

  /// Every delivery of an event, oldest first, each with its attempts.
  static func all(of event: EventID, in connection: any SQLConnection) throws -> [Delivery] {
    try connection.query(
      "SELECT \(columns) FROM deliveries WHERE event_id = $1 ORDER BY generation, id",
      [SQLValue(event)]
    ).map { row in
      var delivery = try decode(row)
      delivery.history = try attempts(of: delivery.id, in: connection)
      return delivery
    }
  }

  private static func attempts(
    of delivery: DeliveryID, in connection: any SQLConnection
  ) throws -> [DeliveryAttempt] {
    try connection.query(
      """
      SELECT number, started_at, duration, outcome, status, error, response
      FROM delivery_attempts WHERE delivery_id = $1 ORDER BY number DESC LIMIT \(keptAttempts)
      """, [SQLValue(delivery)]
    ).reversed().map { row in
      DeliveryAttempt(
        number: Int(try row.int(0)), startedAt: try row.timestamp(1),
        duration: .microseconds(try row.int(2)), succeeded: try row.text(3) == "succeeded",
        status: try row.optionalInt(4).map { Int($0) }, error: try row.optionalText(5),
        response: try row.optionalText(6))
    }
  }

  private static func status(_ row: SQLRow, _ column: Int) throws -> Delivery.Status {
    guard let status = Delivery.Status(rawValue: try row.text(column)) else {
      throw StorageError.corrupt("a delivery has no known status")
    }
    return status
  }

  private static func decode(_ row: SQLRow) throws -> Delivery {
    Delivery(
      id: try row.id(0), event: try row.id(1),
      target: Delivery.Target(kind: try row.text(2), name: try row.text(3)),
      status: try status(row, 4), attempts: Int(try row.int(5)), crashes: Int(try row.int(6)),
      createdAt: try row.timestamp(7), updatedAt: try row.timestamp(8),
      nextAttemptAt: try row.optionalTimestamp(9), error: try row.optionalText(10))
  }
}

extension Delivery.Target {
  init(kind: String, name: String) {
    self = kind == "destination" ? .destination(DestinationID(rawValue: name)) : .handler(name)
  }

  var kind: String {
    switch self {
    case .handler: "handler"
    case .destination: "destination"
    }
  }

  var name: String {
    switch self {
    case .handler(let name): name
    case .destination(let id): id.rawValue
    }
  }
}
