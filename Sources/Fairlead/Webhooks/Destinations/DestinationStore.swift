import Foundation

/// SQL of the table `destinations`. Each function runs inside its caller's transaction.
enum DestinationStore {
  private static let columns = """
    id, url, integrations, types, owner, state, state_reason, configured, created_at
    """

  /// - Parameter lock: `Dialect.forUpdate` in a transaction that is going to change it.
  static func destination(
    _ id: DestinationID, lock: String = "", in connection: any SQLConnection
  ) throws -> Destination? {
    try connection.first(
      "SELECT \(columns) FROM destinations WHERE id = $1 \(lock)", [SQLValue(id)]
    ).map(decode)
  }

  /// Oldest first.
  static func all(in connection: any SQLConnection) throws -> [Destination] {
    try connection.query("SELECT \(columns) FROM destinations ORDER BY id").map(decode)
  }

  /// Newest first.
  static func page(
    _ page: PageRequest, in connection: any SQLConnection
  ) throws -> Page<Destination> {
    let conditions = ListConditions(cursor: page.cursor, idColumn: "id")
    let rows = try connection.query(
      "SELECT \(columns) FROM destinations \(conditions.clause) ORDER BY id DESC "
        + "LIMIT \(page.limit + 1)", conditions.arguments)
    return conditions.page(try rows.map(decode), limit: page.limit) { $0.id.rawValue }
  }

  /// Adds a destination, or brings the one of this id to these values. Secrets are left as they are
  /// when `secrets` is `nil`, and so is a state that we set.
  static func upsert(
    _ destination: Destination, secrets: [UInt8]?, in connection: any SQLConnection
  ) throws {
    try connection.execute(
      """
      INSERT INTO destinations
        (id, url, integrations, types, owner, state, configured, secrets, created_at, updated_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
      ON CONFLICT (id) DO UPDATE
      SET url = excluded.url, integrations = excluded.integrations, types = excluded.types,
          owner = excluded.owner, configured = excluded.configured
      """,
      [
        SQLValue(destination.id), .text(destination.url),
        .text(json(destination.integrations.map(\.rawValue))), .text(json(destination.types)),
        SQLValue(destination.owner), .text(destination.state.rawValue),
        SQLValue(destination.isConfigured), SQLValue(secrets), SQLValue(destination.createdAt),
      ])
  }

  static func update(
    _ destination: Destination, at now: Timestamp, in connection: any SQLConnection
  ) throws {
    try connection.execute(
      """
      UPDATE destinations
      SET url = $2, integrations = $3, types = $4, state = $5, state_reason = $6, updated_at = $7
      WHERE id = $1
      """,
      [
        SQLValue(destination.id), .text(destination.url),
        .text(json(destination.integrations.map(\.rawValue))), .text(json(destination.types)),
        .text(destination.state.rawValue), SQLValue(destination.stateReason), SQLValue(now),
      ])
  }

  static func delete(_ id: DestinationID, in connection: any SQLConnection) throws {
    try connection.execute("DELETE FROM destinations WHERE id = $1", [SQLValue(id)])
  }

  // MARK: Secrets

  /// The sealed secrets; `nil` for a destination of the configuration and for none at all.
  static func secrets(
    of id: DestinationID, in connection: any SQLConnection
  ) throws -> [UInt8]? {
    try connection.first("SELECT secrets FROM destinations WHERE id = $1", [SQLValue(id)])?
      .optionalBlob(0)
  }

  static func setSecrets(
    _ sealed: [UInt8], of id: DestinationID, at now: Timestamp, in connection: any SQLConnection
  ) throws {
    try connection.execute(
      "UPDATE destinations SET secrets = $2, updated_at = $3 WHERE id = $1",
      [SQLValue(id), .blob(sealed), SQLValue(now)])
  }

  // MARK: Rows

  private static func json(_ texts: [String]) -> String {
    JSONValue.array(texts.map { .string($0) }).text
  }

  private static func list(_ text: String) throws -> [String] {
    guard let values = try? JSONValue(parsing: text.utf8).array else {
      throw StorageError.corrupt("a destination's list is no JSON array")
    }
    return values.compactMap(\.string)
  }

  private static func decode(_ row: SQLRow) throws -> Destination {
    guard let state = Destination.State(rawValue: try row.text(5)) else {
      throw StorageError.corrupt("a destination has no known state")
    }
    return Destination(
      id: try row.id(0), url: try row.text(1),
      integrations: try list(row.text(2)).map { IntegrationName($0) },
      types: try list(row.text(3)), owner: try row.optionalText(4).map { Owner($0) }, state: state,
      stateReason: try row.optionalText(6), isConfigured: try row.bool(7),
      createdAt: try row.timestamp(8))
  }
}
