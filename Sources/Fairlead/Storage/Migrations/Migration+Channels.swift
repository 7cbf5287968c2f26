extension Migration {
  /// The watch channels by which providers announce changes.
  ///
  /// Of a channel's token only a keyed digest is kept: it is compared, never sent again.
  public static let channels = [
    Migration(name: "055_channels") { dialect in
      [
        """
        CREATE TABLE push_channels (
          id TEXT NOT NULL PRIMARY KEY,
          integration TEXT NOT NULL,
          connection TEXT NOT NULL,
          owner TEXT,
          model TEXT NOT NULL,
          token_digest \(dialect.blob) NOT NULL,
          state TEXT NOT NULL,
          resource TEXT,
          opened_at BIGINT NOT NULL,
          expires_at BIGINT NOT NULL
        )
        """,
        "CREATE INDEX push_channels_of ON push_channels (connection, model)",
        "CREATE INDEX push_channels_expiry ON push_channels (expires_at)",
      ]
    }
  ]
}
