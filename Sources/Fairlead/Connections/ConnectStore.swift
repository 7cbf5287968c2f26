import Crypto

/// A connect session's row.
struct StoredSession: Sendable {
  var hash: String
  var owner: Owner
  var ownerLabel: String?
  var integration: IntegrationName?
  var redirect: String?
  var browserHash: String?
  var expiresAt: Timestamp
  var isUsed: Bool
}

/// A sign-in that is under way at a provider.
struct PendingSignIn: Sendable {
  var stateHash: String
  var sessionHash: String
  var integration: IntegrationName
  var browserHash: String
  var params: [String: String]
  var pkce: PKCE?
  var nonce: String?
  var expiresAt: Timestamp
}

/// Connect links and pending sign-ins at rest. Tokens and states are kept as hashes only, the PKCE
/// verifier sealed: a copy of the database opens nothing.
struct ConnectStore: Sendable {
  let database: any Database
  let vault: Vault

  static func hash(_ token: String) -> String { SHA256.hash(data: Array(token.utf8)).hex }

  // MARK: - Sessions

  func add(_ session: StoredSession, now: Timestamp) async throws {
    try await database.guardedWrite(.locking) { sql in
      try sql.execute("DELETE FROM connect_sessions WHERE expires_at < $1", [SQLValue(now)])
      try sql.execute(
        """
        INSERT INTO connect_sessions (token_hash, owner, owner_label, integration, redirect,
          expires_at) VALUES ($1, $2, $3, $4, $5, $6)
        """,
        [
          .text(session.hash), SQLValue(session.owner), SQLValue(session.ownerLabel),
          SQLValue(session.integration), SQLValue(session.redirect), SQLValue(session.expiresAt),
        ])
    }
  }

  func session(hash: String) async throws -> StoredSession? {
    try await database.guardedRead { try Self.session(hash: hash, in: $0) }
  }

  private static func session(hash: String, in sql: any SQLConnection) throws -> StoredSession? {
    try sql.first(
      """
      SELECT owner, owner_label, integration, redirect, browser_hash, expires_at, used_at
      FROM connect_sessions WHERE token_hash = $1
      """, [.text(hash)]
    ).map { row in
      StoredSession(
        hash: hash, owner: Owner(try row.text(0)), ownerLabel: try row.optionalText(1),
        integration: try row.optionalText(2).map { IntegrationName($0) },
        redirect: try row.optionalText(3), browserHash: try row.optionalText(4),
        expiresAt: try row.timestamp(5), isUsed: !row.isNull(6))
    }
  }

  /// Uses a link up, inside the transaction that stores what it was for.
  /// - Throws: `FairleadError` (`notFound`) when it was used before.
  static func use(_ hash: String, now: Timestamp, in sql: any SQLConnection) throws {
    let changed = try sql.execute(
      "UPDATE connect_sessions SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL",
      [.text(hash), SQLValue(now)])
    guard changed == 1 else { throw ConnectFlow.usedLink }
  }

  // MARK: - Pending sign-ins

  /// How many sign-ins of one link may be pending.
  static let maximumPending = 20

  /// Stores a sign-in and binds its link to the browser that began.
  /// - Throws: `FairleadError`: `forbidden` when another browser began with this link,
  ///   `rateLimitExceeded` when too many are pending.
  func begin(_ pending: PendingSignIn, now: Timestamp) async throws {
    var secrets: [String: JSONValue] = [:]
    secrets["verifier"] = pending.pkce.map { .string($0.verifier.expose()) }
    secrets["nonce"] = pending.nonce.map { .string($0) }
    let sealed: [UInt8]
    do {
      sealed = try vault.seal(
        JSONValue.object(secrets).bytes, for: Self.field(pending.stateHash))
    } catch let error as VaultError {
      throw FairleadError(error)
    }
    try await database.guardedWrite(.locking) { sql in
      try sql.execute("DELETE FROM oauth_states WHERE expires_at < $1", [SQLValue(now)])
      // Locks the link, so that no two sign-ins are counted at once.
      let bound = try sql.execute(
        """
        UPDATE connect_sessions SET browser_hash = $2
        WHERE token_hash = $1 AND (browser_hash IS NULL OR browser_hash = $2)
        """, [.text(pending.sessionHash), .text(pending.browserHash)])
      guard bound == 1 else { throw ConnectFlow.otherBrowser }
      let count = try sql.first(
        "SELECT COUNT(*) FROM oauth_states WHERE session_hash = $1", [.text(pending.sessionHash)]
      )?.int(0)
      guard count ?? 0 < Self.maximumPending else {
        throw FairleadError(
          .rateLimitExceeded, "This link was tried too often. Wait ten minutes, then try again.",
          retryAfter: ConnectFlow.stateLifetime)
      }
      try sql.execute(
        """
        INSERT INTO oauth_states (state_hash, session_hash, integration, browser_hash, params,
          secrets, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        [
          .text(pending.stateHash), .text(pending.sessionHash), SQLValue(pending.integration),
          .text(pending.browserHash), .text(JSONValue(texts: pending.params).text), .blob(sealed),
          SQLValue(pending.expiresAt),
        ])
    }
  }

  /// Takes a pending sign-in out: whatever comes of it, its state is never good again. Another
  /// browser than the one that began it leaves it as it is.
  /// - Throws: `FairleadError` (`forbidden`) for another browser.
  func take(
    stateHash: String, browserHash: String
  ) async throws -> (PendingSignIn, StoredSession)? {
    let taken: (SQLRow, StoredSession)? = try await database.guardedWrite(.locking) { sql in
      let began = try sql.first(
        "SELECT browser_hash FROM oauth_states WHERE state_hash = $1", [.text(stateHash)]
      )?.text(0)
      if let began, Secret(began) != Secret(browserHash) { throw ConnectFlow.otherBrowser }
      let row = try sql.first(
        """
        DELETE FROM oauth_states WHERE state_hash = $1
        RETURNING session_hash, integration, browser_hash, params, secrets, expires_at
        """, [.text(stateHash)])
      guard let row, let session = try Self.session(hash: try row.text(0), in: sql) else {
        return nil
      }
      return (row, session)
    }
    guard let (row, session) = taken else { return nil }
    do {
      let plaintext = try vault.open(try row.blob(4), for: Self.field(stateHash))
      // Both were written by us; should they not parse, the sign-in fails for want of its verifier.
      let secrets = try? JSONValue(parsing: plaintext)
      let params = try? JSONValue(parsing: try row.text(3).utf8)
      let pending = PendingSignIn(
        stateHash: stateHash, sessionHash: session.hash,
        integration: IntegrationName(try row.text(1)), browserHash: try row.text(2),
        params: params?.texts ?? [:],
        pkce: secrets?["verifier"]?.string.map { PKCE(verifier: Secret($0)) },
        nonce: secrets?["nonce"]?.string, expiresAt: try row.timestamp(5))
      return (pending, session)
    } catch let error as VaultError {
      throw FairleadError(error)
    } catch let error as StorageError {
      throw FairleadError(storage: error)
    }
  }

  private static func field(_ stateHash: String) -> VaultField {
    VaultField(table: "oauth_states", row: stateHash, field: "secrets")
  }
}
