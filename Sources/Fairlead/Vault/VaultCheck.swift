/// Tells at start whether the vault's keys fit the database, before anything is sealed with a wrong
/// one: a known value, sealed once with each key that was ever active, is opened again.
public enum VaultCheck {
  private static let content = Array("fairlead".utf8)

  /// Opens the check values that are there. Writes nothing; a database without any passes.
  /// - Throws: `FairleadError` (`configurationError`) when a key is missing or is another one;
  ///   `StorageError`.
  public static func verify(_ vault: Vault, in database: any Database) async throws {
    try verify(vault, against: try await storedValues(in: database))
  }

  /// Verifies, then stores the check value of the active key if it is new. Call it once the
  /// migrations are applied.
  /// - Throws: as `verify(_:in:)`; nothing was written then.
  public static func enroll(
    _ vault: Vault, in database: any Database, clock: any FairleadClock
  ) async throws {
    let stored = try await storedValues(in: database)
    try verify(vault, against: stored)
    let id = vault.activeKeyID
    guard stored[id] == nil else { return }
    let sealed = try vault.seal(content, for: field(id))
    let now = clock.now
    try await database.write(.locking) { connection in
      if let turn = database.dialect.takeTurn { _ = try connection.query(turn) }
      // Another starter may have enrolled meanwhile, with the same keys or with others.
      try verify(vault, against: try read(connection))
      try connection.execute(
        """
        INSERT INTO vault_check (key_id, sealed, created_at) VALUES ($1, $2, $3)
        ON CONFLICT (key_id) DO NOTHING
        """, [.text(id), .blob(sealed), SQLValue(now)])
    }
  }

  /// Forgets a key that no stored value is sealed with any more, so that it may leave the ring.
  public static func retire(_ keyID: String, in connection: any SQLConnection) throws {
    try connection.execute("DELETE FROM vault_check WHERE key_id = $1", [.text(keyID)])
  }

  private static func field(_ keyID: String) -> VaultField {
    VaultField(table: "vault_check", row: keyID, field: "sealed")
  }

  private static func verify(_ vault: Vault, against stored: [String: [UInt8]]) throws {
    for (id, sealed) in stored.sorted(by: { $0.key < $1.key }) {
      guard vault.keyRing.key(id) != nil else {
        throw FairleadError(
          .configurationError,
          "This database has secrets sealed with the vault key \(id), which is not among the "
            + "configured ones (\(vault.keyRing.ids.joined(separator: ", "))). Nothing was changed; "
            + "put it back in FAIRLEAD_VAULT_KEYS, behind the others if they are newer.")
      }
      guard (try? vault.open(sealed, for: field(id))) == content else {
        // Whatever the reason, the key must not be used here.
        throw FairleadError(
          .configurationError,
          "The vault key \(id) is not the one this database was sealed with. Nothing was changed; "
            + "put the original key back in FAIRLEAD_VAULT_KEYS and give the new one another id.")
      }
    }
  }

  private static func storedValues(in database: any Database) async throws -> [String: [UInt8]] {
    do {
      return try await database.read(read)
    } catch StorageError.statement {
      // The table is not there before the first migration; any other defect shows on the write.
      return [:]
    }
  }

  private static let read: @Sendable (any SQLConnection) throws -> [String: [UInt8]] = {
    Dictionary(
      try $0.query("SELECT key_id, sealed FROM vault_check").map {
        (try $0.text(0), try $0.blob(1))
      }, uniquingKeysWith: { _, last in last })
  }
}
