/// Connections at rest: their rows, and their credentials inside the vault.
///
/// `version` grows with every write of a credential and is what concurrent writers compare and swap
/// on; `lease_fence` grows with every lease and every write that must cut off a refresh under way.
struct ConnectionStore: Sendable {
  let database: any Database
  let vault: Vault

  static let columns = """
    id, integration, owner, owner_label, state, scopes, params, identity, expires_at, created_at, \
    last_refreshed_at, version, error, credential
    """

  // MARK: - Reading

  /// The connection and its opened credential.
  func find(_ id: ConnectionID) async throws -> ConnectionCredential? {
    guard id.isStorable else { return nil }
    let row = try await database.guardedRead {
      try $0.first("SELECT \(Self.columns) FROM connections WHERE id = $1", [SQLValue(id)])
    }
    return try row.map { try opened($0) }
  }

  /// As `find`, and `nil` too where the vault does not open the credential: its key is gone, or the
  /// row was tampered with.
  func readable(_ id: ConnectionID) async throws -> ConnectionCredential? {
    guard id.isStorable else { return nil }
    let row = try await database.guardedRead {
      try $0.first("SELECT \(Self.columns) FROM connections WHERE id = $1", [SQLValue(id)])
    }
    guard let row else { return nil }
    let connection = try Self.connection(row)
    // Whatever it is that cannot be opened, nobody can use it.
    guard let plaintext = try? vault.open(try row.blob(13), for: Self.field(id)),
      let credential = try? CredentialCoding.decode(plaintext)
    else { return nil }
    return ConnectionCredential(connection: connection, credential: credential)
  }

  /// The connection without its credential.
  func connection(_ id: ConnectionID) async throws -> Connection? {
    guard id.isStorable else { return nil }
    return try await database.guardedRead {
      try $0.first("SELECT \(Self.columns) FROM connections WHERE id = $1", [SQLValue(id)])
        .map { try Self.connection($0) }
    }
  }

  /// Newest first, at most `limit`.
  /// - Parameter before: only ids that sort below this one.
  func list(
    _ filter: ConnectionFilter, before: String? = nil, limit: Int
  ) async throws -> [Connection] {
    var conditions: [String] = []
    var arguments: [SQLValue] = []
    func require(_ condition: String, _ value: SQLValue) {
      arguments.append(value)
      conditions.append("\(condition) $\(arguments.count)")
    }
    if let integration = filter.integration { require("integration =", SQLValue(integration)) }
    if let owner = filter.owner { require("owner =", SQLValue(owner)) }
    if let state = filter.state { require("state =", .text(state.rawValue)) }
    if let before { require("id <", .text(before)) }
    guard arguments.allSatisfy(\.isStorable) else { return [] }
    arguments.append(SQLValue(limit))
    let filters = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
    let sql = """
      SELECT \(Self.columns) FROM connections \(filters)
      ORDER BY id DESC LIMIT $\(arguments.count)
      """
    return try await database.guardedRead { [arguments] in
      try $0.query(sql, arguments).map { try Self.connection($0) }
    }
  }

  /// Active connections whose token should be refreshed by `now`, the most urgent first.
  func due(now: Timestamp, limit: Int) async throws -> [(id: ConnectionID, version: Int64)] {
    try await database.guardedRead {
      try $0.query(
        """
        SELECT id, version FROM connections
        WHERE refresh_at IS NOT NULL AND refresh_at <= $1 AND state = 'active'
        ORDER BY refresh_at LIMIT $2
        """, [SQLValue(now), SQLValue(limit)]
      ).map { (try $0.id(0), try $0.int(1)) }
    }
  }

  // MARK: - Rows

  static func connection(_ row: SQLRow) throws -> Connection {
    guard let state = Connection.State(rawValue: try row.text(4)) else {
      throw StorageError.corrupt("a connection is in an unknown state")
    }
    return Connection(
      id: try row.id(0), integration: IntegrationName(try row.text(1)),
      owner: Owner(try row.text(2)), ownerLabel: try row.optionalText(3), state: state,
      scopes: try json(row, 5).array?.compactMap(\.string) ?? [],
      params: try json(row, 6).texts, identity: try json(row, 7).texts,
      expiresAt: try row.optionalTimestamp(8), createdAt: try row.timestamp(9),
      lastRefreshedAt: try row.optionalTimestamp(10), version: try row.int(11),
      error: try row.optionalText(12))
  }

  func opened(_ row: SQLRow) throws -> ConnectionCredential {
    do {
      let connection = try Self.connection(row)
      let plaintext = try vault.open(try row.blob(13), for: Self.field(connection.id))
      return ConnectionCredential(
        connection: connection, credential: try CredentialCoding.decode(plaintext))
    } catch let error as StorageError {
      throw FairleadError(storage: error)
    } catch let error as VaultError {
      throw FairleadError(error)
    }
  }

  /// Binds a sealed credential to its row.
  static func field(_ id: ConnectionID) -> VaultField {
    VaultField(table: "connections", row: id.rawValue, field: "credential")
  }

  func sealed(_ credential: Credential, for id: ConnectionID) throws -> SQLValue {
    do {
      return .blob(try vault.seal(CredentialCoding.encode(credential), for: Self.field(id)))
    } catch let error as VaultError {
      throw FairleadError(error)
    }
  }

  private static func json(_ row: SQLRow, _ column: Int) throws -> JSONValue {
    do { return try JSONValue(parsing: try row.text(column).utf8) } catch is DecodingError {
      throw StorageError.corrupt("column \(column) of a connection holds no JSON")
    }
  }
}

extension JSONValue {
  /// The members that are text.
  var texts: [String: String] { object?.compactMapValues(\.string) ?? [:] }

  init(texts: [String: String]) { self = .object(texts.mapValues { .string($0) }) }
  init(list: [String]) { self = .array(list.map { .string($0) }) }
}

extension SQLValue {
  /// PostgreSQL's text holds no NUL; no id, name or owner of ours has one either.
  var isStorable: Bool {
    if case .text(let text) = self { !text.utf8.contains(0) } else { true }
  }
}

extension Identifier {
  var isStorable: Bool { SQLValue(self).isStorable }
}
