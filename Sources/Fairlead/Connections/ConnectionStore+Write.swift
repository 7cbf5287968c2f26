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
}

extension ConnectionStore {
  /// Stores the draft: over the owner's row for the same account when there is one, else as a new
  /// connection.
  ///
  /// Without a known account only a dead connection of the same owner and params is taken over: it is
  /// what connecting again means to repair.
  /// - Parameters:
  ///   - id: for a new row.
  ///   - alongside: runs in the same transaction, before; what it throws undoes everything.
  func save(
    _ draft: ConnectionDraft, id: ConnectionID, now: Timestamp, refreshAt: Timestamp?,
    alongside: @escaping @Sendable (any SQLConnection) throws -> Void = { _ in }
  ) async throws -> ConnectionCredential {
    let attempt: @Sendable (any SQLConnection) throws -> SQLRow? = { sql in
      try alongside(sql)
      let existing = try existing(draft, in: sql)
      return existing == nil
        ? try insert(draft, id: id, now: now, refreshAt: refreshAt, in: sql)
        : try replace(existing, with: draft, refreshAt: refreshAt, in: sql)
    }
    var row: SQLRow?
    do {
      row = try await database.write(attempt)
    } catch StorageError.uniqueViolation {
      // Another writer connected the same account in between; now its row is there to update.
      row = try await database.guardedWrite(attempt)
    } catch let error as StorageError {
      throw FairleadError(storage: error)
    }
    guard let row else { throw FairleadError(storage: .corrupt("a connection was not written")) }
    return try opened(row)
  }

  private func existing(
    _ draft: ConnectionDraft, in sql: any SQLConnection
  ) throws -> ConnectionID? {
    let lock = database.dialect.forUpdate
    if let account = draft.account {
      return try sql.first(
        """
        SELECT id FROM connections WHERE integration = $1 AND owner = $2 AND account = $3 \(lock)
        """,
        [SQLValue(draft.integration), SQLValue(draft.owner), .text(account)])?.id(0)
    }
    return try sql.first(
      """
      SELECT id FROM connections
      WHERE integration = $1 AND owner = $2 AND account IS NULL AND params = $3
        AND state <> 'active' ORDER BY id DESC LIMIT 1 \(lock)
      """,
      [
        SQLValue(draft.integration), SQLValue(draft.owner),
        .text(JSONValue(texts: draft.params).text),
      ])?.id(0)
  }

  private func insert(
    _ draft: ConnectionDraft, id: ConnectionID, now: Timestamp, refreshAt: Timestamp?,
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
        SQLValue(draft.credential.expiresAt), SQLValue(refreshAt), SQLValue(now),
      ])
  }

  private func replace(
    _ id: ConnectionID?, with draft: ConnectionDraft, refreshAt: Timestamp?,
    in sql: any SQLConnection
  ) throws -> SQLRow? {
    guard let id else { return nil }
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
        SQLValue(draft.credential.expiresAt), SQLValue(refreshAt),
      ])
  }

  /// Marks the grant of `version` as dead. `false` when a newer credential is stored, or none.
  func declareDead(
    _ id: ConnectionID, version: Int64, fence: Int64? = nil, reason: String
  ) async throws -> Bool {
    try await database.guardedWrite {
      try $0.execute(
        """
        UPDATE connections SET state = 'needs_reauth', error = $3, refresh_at = NULL,
          lease_until = NULL
        WHERE id = $1 AND version = $2 AND ($4 < 0 OR lease_fence = $4)
        """,
        [SQLValue(id), SQLValue(version), .text(reason), SQLValue(fence ?? -1)]) > 0
    }
  }

  /// Puts off the scheduler's next look at a credential.
  func postpone(_ id: ConnectionID, version: Int64, until: Timestamp) async throws {
    _ = try await database.guardedWrite {
      try $0.execute(
        """
        UPDATE connections SET refresh_at = $3
        WHERE id = $1 AND version = $2 AND refresh_at IS NOT NULL
        """,
        [SQLValue(id), SQLValue(version), SQLValue(until)])
    }
  }

  /// Removes the connection and returns what it held last; `nil` when it is gone already.
  func delete(_ id: ConnectionID) async throws -> ConnectionCredential? {
    let row = try await database.guardedWrite {
      try $0.first(
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
