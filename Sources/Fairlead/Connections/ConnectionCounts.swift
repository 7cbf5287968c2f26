/// How many connections each integration has, by state; read straight from a database that need not
/// be served.
public struct ConnectionCounts: Sendable, Equatable {
  public struct Count: Sendable, Equatable {
    public var active: Int64 = 0
    public var needsReauth: Int64 = 0
    public var revoked: Int64 = 0

    public init() {}

    public var all: Int64 { active + needsReauth + revoked }
  }

  private var counts: [IntegrationName: Count] = [:]

  public init() {}

  public subscript(integration: IntegrationName) -> Count { counts[integration] ?? Count() }

  /// The integrations that have connections.
  public var integrations: [IntegrationName] { counts.keys.sorted() }

  /// - Throws: `StorageError`; `statement` where the tables are not there yet.
  public static func read(from database: any Database) async throws -> ConnectionCounts {
    let rows = try await database.read { connection in
      try connection.query(
        "SELECT integration, state, COUNT(*) FROM connections GROUP BY integration, state")
    }
    var result = ConnectionCounts()
    for row in rows {
      let name = IntegrationName(try row.text(0))
      let count = try row.int(2)
      switch Connection.State(rawValue: try row.text(1)) {
      case .active: result.counts[name, default: Count()].active = count
      case .needsReauth: result.counts[name, default: Count()].needsReauth = count
      case .revoked: result.counts[name, default: Count()].revoked = count
      case nil: throw StorageError.corrupt("a connection has an unknown state")
      }
    }
    return result
  }
}
