extension Migration {
  /// Syncs, the records they keep, and the counters that order the change feed.
  ///
  /// A record's row stays when it is deleted, without data: the tombstone is what tells consumers.
  public static let sync: [Migration] = [
    Migration(name: "050_sync") { _ in
      [
        """
        CREATE TABLE syncs (
          id TEXT NOT NULL PRIMARY KEY,
          integration TEXT NOT NULL,
          model TEXT NOT NULL,
          connection TEXT NOT NULL,
          owner TEXT,
          state TEXT NOT NULL,
          error TEXT,
          checkpoint TEXT,
          generation BIGINT NOT NULL DEFAULT 0,
          run TEXT,
          run_claim TEXT,
          wanted TEXT,
          last_run TEXT,
          live_records BIGINT NOT NULL DEFAULT 0,
          real_time BIGINT NOT NULL DEFAULT 0,
          last_synced_at BIGINT,
          schedule TEXT NOT NULL,
          next_full_at BIGINT,
          next_incremental_at BIGINT,
          next_run_at BIGINT,
          created_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX syncs_connection ON syncs (connection, model)",
        """
        CREATE INDEX syncs_due ON syncs (next_run_at)
          WHERE next_run_at IS NOT NULL AND state = 'active'
        """,
        """
        CREATE TABLE records (
          connection TEXT NOT NULL,
          model TEXT NOT NULL,
          record_id TEXT NOT NULL,
          data TEXT,
          hash TEXT NOT NULL,
          version BIGINT NOT NULL,
          added_version BIGINT NOT NULL,
          first_version BIGINT NOT NULL,
          generation BIGINT NOT NULL,
          source_at BIGINT NOT NULL,
          by_event BIGINT NOT NULL,
          written_at BIGINT NOT NULL,
          PRIMARY KEY (connection, model, record_id)
        )
        """,
        "CREATE UNIQUE INDEX records_feed ON records (model, version)",
        "CREATE INDEX records_feed_of_connection ON records (connection, model, version)",
        """
        CREATE INDEX records_generation ON records (connection, model, generation)
          WHERE data IS NOT NULL
        """,
        "CREATE INDEX records_tombstones ON records (written_at) WHERE data IS NULL",
        """
        CREATE TABLE record_versions (
          model TEXT NOT NULL PRIMARY KEY,
          version BIGINT NOT NULL,
          pruned BIGINT NOT NULL
        )
        """,
      ]
    }
  ]
}
