import Foundation

extension Connections {
  /// How many connections each integration has, those of the deployment included.
  /// - Throws: `FairleadError` (`serviceUnavailable`).
  public func counts() async throws -> [IntegrationName: Int] {
    var counts = try await store.database.guardedRead { connection in
      var counts: [IntegrationName: Int] = [:]
      for row in try connection.query(
        "SELECT integration, COUNT(*) FROM connections GROUP BY integration")
      {
        counts[IntegrationName(try row.text(0))] = Int(clamping: try row.int(1))
      }
      return counts
    }
    for integration in integrations.all where integration.defaultCredential != nil {
      counts[integration.name, default: 0] += 1
    }
    return counts
  }

  /// The connections of an integration whose `field` (`identity.id`, `params.shop`) equals `value`;
  /// two at most, as an event belongs to one.
  /// - Throws: `FairleadError` (`serviceUnavailable`).
  func matches(
    _ integration: IntegrationName, field: String, value: String
  ) async throws -> [ConnectionMatch] {
    let parts = field.split(separator: ".", maxSplits: 1).map(String.init)
    guard parts.count == 2, parts[0] == "identity" || parts[0] == "params", !value.isEmpty
    else { return [] }
    // Narrowed down by the text of the JSON, decided by its value.
    let column = parts[0]
    let pattern = "%\(Self.likeText(JSONValue.string(value).text))%"
    let found = try await store.database.guardedRead { connection in
      try connection.query(
        """
        SELECT \(ConnectionStore.columns) FROM connections
        WHERE integration = $1 AND \(column) LIKE $2 ESCAPE '!' ORDER BY id DESC LIMIT 100
        """, [SQLValue(integration), .text(pattern)]
      ).map { try ConnectionStore.connection($0) }
    }
    return found.filter {
      (column == "identity" ? $0.identity[parts[1]] : $0.params[parts[1]]) == value
    }.prefix(2).map { ConnectionMatch(connection: $0.id, owner: $0.owner) }
  }

  /// Text as `LIKE` takes it literally, with `!` as the escape.
  private static func likeText(_ text: String) -> String {
    text.replacing("!", with: "!!").replacing("%", with: "!%").replacing("_", with: "!_")
  }
}
