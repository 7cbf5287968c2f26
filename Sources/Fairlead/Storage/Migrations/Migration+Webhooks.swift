extension Migration {
  /// The inbox, its deliveries and the destinations.
  ///
  /// Payloads have a table of their own: a change of an event's status must not rewrite a body of
  /// many megabytes, and payloads are pruned before the ids that dedupe. The indexes on status leave
  /// out what is settled well, which is nearly everything.
  public static let webhooks: [Migration] = [
    Migration(name: "030_webhooks") { dialect in
      [
        """
        CREATE TABLE events (
          id TEXT NOT NULL PRIMARY KEY,
          integration TEXT NOT NULL,
          dedupe_key TEXT NOT NULL,
          body_hash TEXT NOT NULL,
          provider_event_id TEXT,
          type TEXT NOT NULL,
          connection_value TEXT,
          owner TEXT,
          connection TEXT,
          received_at BIGINT NOT NULL,
          status TEXT NOT NULL,
          generation BIGINT NOT NULL DEFAULT 0,
          attempts BIGINT NOT NULL DEFAULT 0,
          duplicates BIGINT NOT NULL DEFAULT 0,
          recovered BIGINT NOT NULL DEFAULT 0,
          error TEXT
        )
        """,
        "CREATE UNIQUE INDEX events_dedupe ON events (integration, dedupe_key)",
        "CREATE INDEX events_unsettled ON events (status, id) WHERE status <> 'processed'",
        "CREATE INDEX events_owner ON events (owner, id) WHERE owner IS NOT NULL",
        "CREATE INDEX events_connection ON events (connection, id) WHERE connection IS NOT NULL",
        """
        CREATE TABLE event_payloads (
          event_id TEXT NOT NULL PRIMARY KEY,
          headers TEXT NOT NULL,
          body \(dialect.blob) NOT NULL
        )
        """,
        """
        CREATE TABLE deliveries (
          id TEXT NOT NULL PRIMARY KEY,
          event_id TEXT NOT NULL,
          generation BIGINT NOT NULL,
          target_kind TEXT NOT NULL,
          target TEXT NOT NULL,
          status TEXT NOT NULL,
          attempts BIGINT NOT NULL DEFAULT 0,
          crashes BIGINT NOT NULL DEFAULT 0,
          created_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL,
          next_attempt_at BIGINT,
          error TEXT
        )
        """,
        """
        CREATE UNIQUE INDEX deliveries_target
          ON deliveries (event_id, generation, target_kind, target)
        """,
        "CREATE INDEX deliveries_unsettled ON deliveries (status, id) WHERE status <> 'succeeded'",
        "CREATE INDEX deliveries_by_target ON deliveries (target, id)",
        """
        CREATE TABLE delivery_attempts (
          delivery_id TEXT NOT NULL,
          number BIGINT NOT NULL,
          started_at BIGINT NOT NULL,
          duration BIGINT NOT NULL,
          outcome TEXT NOT NULL,
          status BIGINT,
          error TEXT,
          response TEXT,
          PRIMARY KEY (delivery_id, number)
        )
        """,
        """
        CREATE TABLE destinations (
          id TEXT NOT NULL PRIMARY KEY,
          url TEXT NOT NULL,
          integrations TEXT NOT NULL,
          types TEXT NOT NULL,
          owner TEXT,
          state TEXT NOT NULL,
          state_reason TEXT,
          configured BIGINT NOT NULL,
          secrets \(dialect.blob),
          created_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL
        )
        """,
      ]
    }
  ]
}
