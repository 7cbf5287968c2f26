import Logging

extension Connections {
  /// Ends everything that was connected for an owner: at the providers as far as they let us, here in
  /// any case. The connections stay as `revoked`, without their credentials; open connect links of the
  /// owner stop working. May be repeated.
  /// - Returns: how many connections it ended now.
  /// - Throws: `FairleadError`: `serviceUnavailable` when storage fails in between; repeat it then.
  @discardableResult
  public func revokeAll(of owner: Owner, reason: String) async throws -> Int {
    guard SQLValue(owner).isStorable else { return 0 }
    // First of all, so that nobody connects another account meanwhile.
    try await store.endConnectLinks(of: owner)
    var ended = 0
    var cursor: String?
    while true {
      let page = try await store.list(
        ConnectionFilter(owner: owner), before: cursor, limit: 100)
      for connection in page where connection.state != .revoked {
        if try await revoke(connection.id, reason: reason) { ended += 1 }
      }
      guard let last = page.last, page.count == 100 else { return ended }
      cursor = last.id.rawValue
    }
  }

  private func revoke(_ id: ConnectionID, reason: String) async throws -> Bool {
    while let grant = try await liveGrant(id) {
      var revoked = false
      if let credential = grant.credential, let integration = grant.integration {
        revoked = await endpoint.revoke(credential, of: integration, params: grant.params)
      }
      let isEnded = try await store.markRevoked(id, version: grant.version, reason: reason)
      credentials.remove(id)
      // A refresh came in between: what it brought has to end too.
      guard isEnded else { continue }
      targets.removeAll()
      changes.changed(id)
      logger.notice(
        "Connection ended with its owner",
        metadata: ["connection": "\(id)", "revoked_at_provider": "\(revoked)"])
      return true
    }
    return false
  }

  /// What there is to end.
  private struct LiveGrant {
    var version: Int64
    var credential: Credential?
    var integration: Integration?
    var params: [String: String]
  }

  private func liveGrant(_ id: ConnectionID) async throws -> LiveGrant? {
    do {
      guard let stored = try await store.find(id), stored.connection.state != .revoked else {
        return nil
      }
      var grant = LiveGrant(
        version: stored.connection.version, credential: stored.credential,
        integration: integrations[stored.connection.integration],
        params: stored.connection.params)
      if let integration = grant.integration {
        grant.credential = await revocable(stored, of: integration)
      }
      return grant
    } catch let error as FairleadError where error.code != .serviceUnavailable {
      // A credential that does not open any more cannot be revoked, but it can be destroyed.
      guard let connection = try await store.connection(id), connection.state != .revoked else {
        return nil
      }
      return LiveGrant(version: connection.version, params: connection.params)
    }
  }
}

extension ConnectionStore {
  /// Destroys the credential of `version`. `false` when a newer one is stored, or none.
  func markRevoked(_ id: ConnectionID, version: Int64, reason: String) async throws -> Bool {
    let nothing = try sealed(.none, for: id)
    return try await database.guardedWrite { sql in
      try Self.announce(id, in: sql)
      return try sql.execute(
        """
        UPDATE connections SET state = 'revoked', error = $3, credential = $4, expires_at = NULL,
          refresh_at = NULL, version = version + 1, lease_fence = lease_fence + 1,
          lease_until = NULL
        WHERE id = $1 AND version = $2
        """,
        [SQLValue(id), SQLValue(version), .text(reason), nothing]) > 0
    }
  }

  /// Makes the owner's connect links and pending sign-ins as if they had never been.
  func endConnectLinks(of owner: Owner) async throws {
    try await database.guardedWrite { sql in
      try sql.execute(
        """
        DELETE FROM oauth_states WHERE session_hash IN
          (SELECT token_hash FROM connect_sessions WHERE owner = $1)
        """, [SQLValue(owner)])
      try sql.execute("DELETE FROM connect_sessions WHERE owner = $1", [SQLValue(owner)])
    }
  }
}
