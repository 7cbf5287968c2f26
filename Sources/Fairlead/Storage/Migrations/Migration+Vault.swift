extension Migration {
  /// The check values that tell at start whether the vault's keys fit the database.
  public static let vault = [
    Migration(name: "005_vault") { dialect in
      [
        """
        CREATE TABLE vault_check (
          key_id TEXT NOT NULL PRIMARY KEY,
          sealed \(dialect.blob) NOT NULL,
          created_at BIGINT NOT NULL
        )
        """
      ]
    }
  ]
}
