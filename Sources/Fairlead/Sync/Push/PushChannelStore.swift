/// The channels at rest.
enum PushChannelStore {
  private static let columns =
    "id, integration, connection, owner, model, state, resource, opened_at, expires_at"

  static func insert(
    _ channel: PushChannel, digest: [UInt8], in connection: any SQLConnection
  ) throws {
    try connection.execute(
      """
      INSERT INTO push_channels
        (id, integration, connection, owner, model, token_digest, state, resource, opened_at,
         expires_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
      """,
      [
        .text(channel.id), SQLValue(channel.place.integration),
        SQLValue(channel.place.connection), SQLValue(channel.owner), .text(channel.place.model),
        .blob(digest), .text(channel.state.rawValue), SQLValue(channel.resource),
        SQLValue(channel.openedAt), SQLValue(channel.expiresAt),
      ])
  }

  static func opened(
    _ id: String, resource: String?, expiresAt: Timestamp, in connection: any SQLConnection
  ) throws {
    try connection.execute(
      """
      UPDATE push_channels SET state = 'open', resource = $2, expires_at = $3 WHERE id = $1
      """, [.text(id), SQLValue(resource), SQLValue(expiresAt)])
  }

  static func close(_ id: String, in connection: any SQLConnection) throws {
    try connection.execute(
      "UPDATE push_channels SET state = 'closed' WHERE id = $1", [.text(id)])
  }

  static func delete(_ id: String, in connection: any SQLConnection) throws {
    try connection.execute("DELETE FROM push_channels WHERE id = $1", [.text(id)])
  }

  /// A channel with its token's digest.
  static func find(
    _ id: String, of integration: IntegrationName, in connection: any SQLConnection
  ) throws -> (channel: PushChannel, digest: [UInt8])? {
    try connection.first(
      """
      SELECT \(columns), token_digest FROM push_channels WHERE id = $1 AND integration = $2
      """, [.text(id), SQLValue(integration)]
    ).map { (try channel($0), try $0.blob(9)) }
  }

  static func all(
    of place: WatchPlace, in connection: any SQLConnection
  ) throws -> [PushChannel] {
    try connection.query(
      """
      SELECT \(columns) FROM push_channels
      WHERE connection = $1 AND model = $2 ORDER BY opened_at, id
      """, [SQLValue(place.connection), .text(place.model)]
    ).map(channel).filter { $0.place == place }
  }

  /// Every channel that is open.
  static func open(in connection: any SQLConnection) throws -> [PushChannel] {
    try connection.query(
      "SELECT \(columns) FROM push_channels WHERE state = 'open' ORDER BY opened_at, id"
    ).map(channel)
  }

  /// Forgets what ended before `time`.
  static func prune(before time: Timestamp, in connection: any SQLConnection) throws {
    try connection.execute(
      "DELETE FROM push_channels WHERE expires_at < $1", [SQLValue(time)])
  }

  private static func channel(_ row: SQLRow) throws -> PushChannel {
    guard let state = PushChannel.State(rawValue: try row.text(5)) else {
      throw StorageError.corrupt("a push channel has an unknown state")
    }
    return PushChannel(
      id: try row.text(0),
      place: WatchPlace(
        integration: IntegrationName(try row.text(1)), connection: try row.id(2),
        model: try row.text(4)),
      owner: try row.optionalText(3).map { Owner($0) }, state: state,
      resource: try row.optionalText(6), openedAt: try row.timestamp(7),
      expiresAt: try row.timestamp(8))
  }
}
