import Crypto

/// The keys that open this deployment's API.
///
/// A key is 256 random bits, so its plain SHA-256 is enough to recognise it and a slow hash would
/// protect nothing. A key that was recognised is believed for one second without a look at the
/// database: a revocation works at once on the node that made it, within the second on the others.
/// Safe to share.
public final class APIKeys: Sendable {
  static let prefix = "fl_"

  private let database: any Database
  private let adminDigest: Secret?
  private let clock: any FairleadClock
  private let random: RandomSource
  private let known: BriefCache<String, Principal>

  /// - Parameter adminKey: opens everything; `nil` or empty when there is none.
  public init(
    database: any Database, adminKey: Secret?, clock: any FairleadClock, random: RandomSource
  ) {
    self.database = database
    self.clock = clock
    self.random = random
    adminDigest = adminKey.flatMap { $0.isEmpty ? nil : Secret(Self.digest($0)) }
    known = BriefCache(lifetime: .seconds(1), capacity: 1_000, clock: clock)
  }

  /// Makes a key. Its secret is returned here and never again.
  /// - Parameter scopes: `Scope.usual` when empty.
  /// - Throws: `FairleadError` (`invalidRequest`) for an empty name or an unknown scope.
  public func create(
    name: String, scopes: [Scope] = []
  ) async throws -> (key: APIKey, secret: Secret) {
    guard let name = name.asLabel, name.utf8.count <= 200 else {
      throw FairleadError(.invalidRequest, "A key needs a name, so that you know it again.")
    }
    var wanted: [Scope] = []
    for scope in scopes.isEmpty ? Scope.usual : scopes {
      let scope = try Scope(named: scope.rawValue)
      if !wanted.contains(scope) { wanted.append(scope) }
    }
    let text = Self.prefix + random.token(bytes: 32)
    let secret = Secret(text)
    let now = clock.now
    let key = APIKey(
      id: APIKeyID(at: now, random: random), name: name, scopes: wanted,
      hint: String(text.suffix(4)), createdAt: now, revokedAt: nil)
    let digest = Self.digest(secret)
    _ = try await database.guardedWrite(.locking) { sql in
      try sql.execute(
        """
        INSERT INTO api_keys (id, name, hash, hint, scopes, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        [
          SQLValue(key.id), .text(key.name), .text(digest), .text(key.hint),
          .text(JSONValue(list: key.scopes.map(\.rawValue)).text), SQLValue(now),
        ])
    }
    return (key, secret)
  }

  /// Every key that was made, revoked ones included, newest first.
  public func list() async throws -> [APIKey] {
    try await database.guardedRead {
      try $0.query(
        """
        SELECT id, name, scopes, hint, created_at, revoked_at FROM api_keys ORDER BY id DESC
        """
      ).map { row in
        APIKey(
          id: try row.id(0), name: try row.text(1), scopes: try Self.scopes(row.text(2)),
          hint: try row.text(3), createdAt: try row.timestamp(4),
          revokedAt: try row.optionalTimestamp(5))
      }
    }
  }

  /// Ends a key.
  /// - Returns: `false` when there is no such key or it was revoked before.
  public func revoke(_ id: APIKeyID) async throws -> Bool {
    guard id.isStorable else { return false }
    let now = clock.now
    let hash = try await database.guardedWrite(.locking) {
      try $0.first(
        """
        UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING hash
        """, [SQLValue(id), SQLValue(now)])?.text(0)
    }
    guard let hash else { return false }
    known.remove(hash)
    return true
  }

  /// Who a presented key belongs to; `nil` when it opens nothing.
  /// - Throws: `FairleadError` (`serviceUnavailable`) when storage cannot be asked.
  public func authenticate(_ presented: Secret) async throws -> Principal? {
    guard (1...256).contains(presented.exposeBytes().count) else { return nil }
    let digest = Self.digest(presented)
    // Digests are compared, so not even the length of the admin key shows in the time.
    if let adminDigest, adminDigest == Secret(digest) {
      return Principal(name: "admin", key: nil, scopes: Set(Scope.all), isAdmin: true)
    }
    guard presented.exposeBytes().starts(with: Self.prefix.utf8) else { return nil }
    return try await known.value(digest) {
      try await database.guardedRead {
        try $0.first(
          "SELECT id, name, scopes FROM api_keys WHERE hash = $1 AND revoked_at IS NULL",
          [.text(digest)]
        ).map { row in
          Principal(
            name: try row.text(1), key: try row.id(0),
            scopes: Set(try Self.scopes(row.text(2))), isAdmin: false)
        }
      }
    }
  }

  private static func digest(_ secret: Secret) -> String {
    SHA256.hash(data: secret.exposeBytes()).hex
  }

  /// A scope that this version does not know opens nothing, so it is kept as it is.
  private static func scopes(_ text: String) throws -> [Scope] {
    do {
      return try JSONValue(parsing: text.utf8).array?.compactMap(\.string)
        .map { Scope(rawValue: $0) } ?? []
    } catch is DecodingError {
      throw StorageError.corrupt("the scopes of a key are no JSON")
    }
  }
}
