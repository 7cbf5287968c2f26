extension Migration {
  /// The call log, and the counts that health is read from.
  ///
  /// Health rows carry the node that counted them, so that nodes never wait for each other's row
  /// and simply add up; `health_nodes` holds the last batch of each node that was stored.
  public static let monitoring: [Migration] = [
    Migration(name: "040_monitoring") { dialect in
      [
        """
        CREATE TABLE call_log (
          id TEXT PRIMARY KEY,
          integration TEXT NOT NULL,
          connection TEXT NOT NULL,
          owner TEXT,
          source TEXT NOT NULL,
          method TEXT NOT NULL,
          path TEXT NOT NULL,
          status BIGINT,
          error_code TEXT,
          error_class TEXT,
          attempts BIGINT NOT NULL,
          server_errors BIGINT NOT NULL,
          rate_limit_hits BIGINT NOT NULL,
          waited BIGINT NOT NULL,
          wait_reason TEXT,
          started_at BIGINT NOT NULL,
          duration BIGINT NOT NULL,
          outcome TEXT NOT NULL,
          fallback BIGINT NOT NULL
        )
        """,
        "CREATE INDEX call_log_time ON call_log (started_at, id)",
        "CREATE INDEX call_log_integration ON call_log (integration, started_at, id)",
        "CREATE INDEX call_log_connection ON call_log (connection, started_at, id)",
        """
        CREATE INDEX call_log_owner ON call_log (owner, started_at, id) WHERE owner IS NOT NULL
        """,
        """
        CREATE INDEX call_log_errors ON call_log (error_code, started_at, id)
        WHERE error_code IS NOT NULL
        """,
        """
        CREATE TABLE health_minutes (
          bucket BIGINT NOT NULL,
          integration TEXT NOT NULL,
          node TEXT NOT NULL,
          \(HealthCounters.columns.map { "\($0.name) BIGINT NOT NULL" }.joined(separator: ",\n  ")),
          PRIMARY KEY (bucket, integration, node)
        )
        """,
        """
        CREATE TABLE health_latencies (
          bucket BIGINT NOT NULL,
          integration TEXT NOT NULL,
          node TEXT NOT NULL,
          histogram \(dialect.blob) NOT NULL,
          PRIMARY KEY (bucket, integration, node)
        )
        """,
        """
        CREATE TABLE health_marks (
          integration TEXT PRIMARY KEY,
          last_success_at BIGINT,
          last_failure_at BIGINT
        )
        """,
        """
        CREATE TABLE health_nodes (
          node TEXT PRIMARY KEY,
          sequence BIGINT NOT NULL,
          seen_at BIGINT NOT NULL
        )
        """,
      ]
    }
  ]
}
