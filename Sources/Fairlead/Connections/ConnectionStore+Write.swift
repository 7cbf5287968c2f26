/// A connection as it is about to be written.
struct ConnectionDraft: Sendable {
  var integration: IntegrationName
  var owner: Owner
  var ownerLabel: String?
  var credential: Credential
  var scopes: [String]
  var params: [String: String]
  var identity: [String: String]

  /// What makes it the same account as one connected before; `nil` where the provider does not say
  /// whose account it is.
  var account: String? {
    guard let id = identity["id"], !id.isEmpty else { return nil }
    return (["id": .string(id), "params": JSONValue(texts: params)] as JSONValue).text
  }

  func keepingRefreshToken(of old: Credential?) -> ConnectionDraft {
    guard case .oauth2(var tokens) = credential, tokens.refreshToken == nil,
      case .oauth2(let before) = old
    else { return self }
    tokens.refreshToken = before.refreshToken
    var draft = self
    draft.credential = .oauth2(tokens)
    return draft
  }
}

extension ConnectionStore {
  /// Stores the draft: over the owner's row for the same account when there is one, else as a new
  /// connection.
  ///
  /// Without a known account only a dead connection of the same owner and params is taken over: it is
  /// what connecting again means to repair. A new grant that came without a refresh token keeps the
  /// row's own: Google issues one with the first consent only.
  /// - Parameters:
  ///   - id: for a new row.
  ///   - jitter: in `0..<1`, for when an unused token is refreshed.
  ///   - alongside: runs in the same transaction, before; what it throws undoes everything.
  func save(
    _ draft: ConnectionDraft, id: ConnectionID, now: Timestamp, jitter: Double,
    alongside: @escaping @Sendable (any SQLConnection) throws -> Void = { _ in }
  ) async throws -> ConnectionCredential {
    let attempt: @Sendable (any SQLConnection) throws -> SQLRow? = { sql in
      try alongside(sql)
      guard let existing = try existing(draft, in: sql) else {
        try Self.announce(id, in: sql)
        return try insert(draft, id: id, now: now, jitter: jitter, in: sql)
      }
      try Self.announce(try existing.id(0), in: sql)
      // A credential that does not open any more is no loss: it is being replaced.
      let old = try? opened(existing).credential
      return try replace(
        try existing.id(0), with: draft.keepingRefreshToken(of: old), jitter: jitter, in: sql)
    }
    var row: SQLRow?
    do {
      row = try await database.write(attempt)
    } catch StorageError.uniqueViolation {
      // Another writer connected the same account in between; now its row is there to update.
      row = try await database.guardedWrite(.serializable, attempt)
    } catch let error as StorageError {
      throw FairleadError(storage: error)
    }
    guard let row else { throw FairleadError(storage: .corrupt("a connection was not written")) }
    return try opened(row)
  }

  private func existing(
    _ draft: ConnectionDraft, in sql: any SQLConnection
  ) throws -> SQLRow? {
    let lock = database.dialect.forUpdate
    if let account = draft.account {
      return try sql.first(
        """
        SELECT \(Self.columns) FROM connections
        WHERE integration = $1 AND owner = $2 AND account = $3 \(lock)
        """,
        [SQLValue(draft.integration), SQLValue(draft.owner), .text(account)])
    }
    return try sql.first(
      """
      SELECT \(Self.columns) FROM connections
      WHERE integration = $1 AND owner = $2 AND account IS NULL AND params = $3
        AND state <> 'active' ORDER BY id DESC LIMIT 1 \(lock)
      """,
      [
        SQLValue(draft.integration), SQLValue(draft.owner),
        .text(JSONValue(texts: draft.params).text),
      ])
  }

  private func insert(
    _ draft: ConnectionDraft, id: ConnectionID, now: Timestamp, jitter: Double,
    in sql: any SQLConnection
  ) throws -> SQLRow? {
    try sql.first(
      """
      INSERT INTO connections (id, integration, owner, owner_label, state, scopes, params, identity,
        account, credential, expires_at, refresh_at, created_at, version, lease_fence)
      VALUES ($1, $2, $3, $4, 'active', $5, $6, $7, $8, $9, $10, $11, $12, 1, 0)
      RETURNING \(Self.columns)
      """,
      [
        SQLValue(id), SQLValue(draft.integration), SQLValue(draft.owner),
        SQLValue(draft.ownerLabel), .text(JSONValue(list: draft.scopes).text),
        .text(JSONValue(texts: draft.params).text), .text(JSONValue(texts: draft.identity).text),
        SQLValue(draft.account), try sealed(draft.credential, for: id),
        SQLValue(draft.credential.expiresAt),
        SQLValue(RefreshDecision.scheduledAt(draft.credential, jitter: jitter)), SQLValue(now),
      ])
  }

  private func replace(
    _ id: ConnectionID, with draft: ConnectionDraft, jitter: Double, in sql: any SQLConnection
  ) throws -> SQLRow? {
    // The fence cuts off a refresh of the credential that is replaced.
    return try sql.first(
      """
      UPDATE connections SET owner_label = COALESCE($2, owner_label), state = 'active', scopes = $3,
        identity = $4, credential = $5, expires_at = $6, refresh_at = $7, error = NULL,
        version = version + 1, lease_fence = lease_fence + 1, lease_until = NULL
      WHERE id = $1 RETURNING \(Self.columns)
      """,
      [
        SQLValue(id), SQLValue(draft.ownerLabel), .text(JSONValue(list: draft.scopes).text),
        .text(JSONValue(texts: draft.identity).text), try sealed(draft.credential, for: id),
        SQLValue(draft.credential.expiresAt),
        SQLValue(RefreshDecision.scheduledAt(draft.credential, jitter: jitter)),
      ])
  }

  /// Marks the grant of `version` as dead. `false` when a newer credential is stored, or none.
  func declareDead(
    _ id: ConnectionID, version: Int64, fence: Int64? = nil, reason: String
  ) async throws -> Bool {
    try await database.guardedWrite(.locking) { sql in
      try Self.announce(id, in: sql)
      return try sql.execute(
        """
        UPDATE connections SET state = 'needs_reauth', error = $3, refresh_at = NULL,
          lease_until = NULL
        WHERE id = $1 AND version = $2 AND ($4 < 0 OR lease_fence = $4)
        """,
        [SQLValue(id), SQLValue(version), .text(reason), SQLValue(fence ?? -1)]) > 0
    }
  }

  /// Tells what depends on connections, syncs for one, that one changed.
  static func announce(_ id: ConnectionID, in sql: any SQLConnection) throws {
    try sql.notify(SyncScheduler.connectionChannel, id.rawValue)
  }

  /// Puts off the scheduler's next look at a credential.
  func postpone(_ id: ConnectionID, version: Int64, until: Timestamp) async throws {
    _ = try await database.guardedWrite(.locking) {
      try $0.execute(
        """
        UPDATE connections SET refresh_at = $3
        WHERE id = $1 AND version = $2 AND refresh_at IS NOT NULL
        """,
        [SQLValue(id), SQLValue(version), SQLValue(until)])
    }
  }

  /// Removes the connection without looking at what it held. `false` when it is gone already.
  func remove(_ id: ConnectionID) async throws -> Bool {
    try await database.guardedWrite { sql in
      try Self.announce(id, in: sql)
      return try sql.execute("DELETE FROM connections WHERE id = $1", [SQLValue(id)]) > 0
    }
  }

  /// Removes the connection and returns what it held last; `nil` when it is gone already.
  func delete(_ id: ConnectionID) async throws -> ConnectionCredential? {
    let row = try await database.guardedWrite(.locking) { sql in
      try Self.announce(id, in: sql)
      return try sql.first(
        "DELETE FROM connections WHERE id = $1 RETURNING \(Self.columns)", [SQLValue(id)])
    }
    return try row.map { try opened($0) }
  }
}

extension Credential {
  /// `nil` when it does not expire.
  var expiresAt: Timestamp? {
    if case .oauth2(let tokens) = self { tokens.expiresAt } else { nil }
  }
}
