/// The right to exchange one connection's refresh token, held by one node at a time.
///
/// What the fence stops a holder whose lease has passed on from doing: starting another exchange,
/// declaring the grant dead, ending the new holder's lease. A credential it did obtain is stored as
/// long as no newer one is (the version decides): with rotating tokens, dropping it would be losing
/// the account.
struct RefreshLease: Sendable, Equatable {
  var connection: ConnectionID
  var fence: Int64
  /// Of the credential that is to be replaced.
  var version: Int64
}

extension ConnectionStore {
  /// How long a lease lasts between renewals: one exchange until its timeout, and then some. A node
  /// that dies in the middle holds up the others that long.
  static let leaseDuration: Duration = .seconds(25)

  /// Takes the lease, unless another holds it or the credential is no longer of `version`.
  func lease(
    _ id: ConnectionID, version: Int64, now: Timestamp
  ) async throws -> RefreshLease? {
    try await database.guardedWrite(.locking) {
      try $0.first(
        """
        UPDATE connections SET lease_fence = lease_fence + 1, lease_until = $4
        WHERE id = $1 AND version = $2 AND state = 'active'
          AND (lease_until IS NULL OR lease_until <= $3)
        RETURNING lease_fence
        """,
        [SQLValue(id), SQLValue(version), SQLValue(now), SQLValue(now + Self.leaseDuration)]
      ).map { RefreshLease(connection: id, fence: try $0.int(0), version: version) }
    }
  }

  /// Makes the lease last on. `false` when it has passed to another or the credential has changed.
  func renew(_ lease: RefreshLease, now: Timestamp) async throws -> Bool {
    try await database.guardedWrite(.locking) {
      try $0.execute(
        """
        UPDATE connections SET lease_until = $4
        WHERE id = $1 AND version = $2 AND lease_fence = $3 AND lease_until IS NOT NULL
        """,
        [
          SQLValue(lease.connection), SQLValue(lease.version), SQLValue(lease.fence),
          SQLValue(now + Self.leaseDuration),
        ]) > 0
    }
  }

  func release(_ lease: RefreshLease) async throws {
    _ = try await database.guardedWrite(.locking) {
      try $0.execute(
        "UPDATE connections SET lease_until = NULL WHERE id = $1 AND lease_fence = $2",
        [SQLValue(lease.connection), SQLValue(lease.fence)])
    }
  }

  /// Writes the new credential over the one the lease was taken for and ends the lease.
  /// - Parameter scopes: what is granted now; `nil` leaves them.
  /// - Returns: `nil` when a newer credential is stored already, or the connection is gone.
  /// - Throws: `StorageError`, so that the caller can try again: the tokens exist nowhere else.
  func swap(
    _ lease: RefreshLease, to credential: Credential, scopes: [String]?, now: Timestamp,
    refreshAt: Timestamp?
  ) async throws -> ConnectionCredential? {
    let blob = try sealed(credential, for: lease.connection)
    let row = try await database.write(.locking) {
      try $0.first(
        """
        UPDATE connections SET credential = $3, version = version + 1, expires_at = $4,
          refresh_at = $5, last_refreshed_at = $6, scopes = COALESCE($7, scopes), state = 'active',
          error = NULL, lease_until = CASE WHEN lease_fence = $8 THEN NULL ELSE lease_until END
        WHERE id = $1 AND version = $2 RETURNING \(Self.columns)
        """,
        [
          SQLValue(lease.connection), SQLValue(lease.version), blob,
          SQLValue(credential.expiresAt), SQLValue(refreshAt), SQLValue(now),
          SQLValue(scopes.map { JSONValue(list: $0).text }), SQLValue(lease.fence),
        ])
    }
    return try row.map { try opened($0) }
  }
}
