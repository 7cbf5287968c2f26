extension Migration {
  /// The queue of background work.
  ///
  /// `due_at` is when a job may be claimed: a pending one when it is to run, a running one when its
  /// lease ends. One partial index so serves claims, reclaims and the question what comes next.
  public static let jobs = [
    Migration(name: "020_jobs") { _ in
      [
        """
        CREATE TABLE jobs (
          id TEXT NOT NULL PRIMARY KEY,
          kind TEXT NOT NULL,
          job_key TEXT,
          payload TEXT NOT NULL,
          state TEXT NOT NULL,
          due_at BIGINT NOT NULL,
          errors BIGINT NOT NULL,
          crashes BIGINT NOT NULL,
          claim TEXT,
          error TEXT,
          created_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL
        )
        """,
        "CREATE INDEX jobs_claimable ON jobs (kind, due_at, id) WHERE state <> 'dead'",
        "CREATE INDEX jobs_running ON jobs (kind) WHERE state = 'running'",
        "CREATE INDEX jobs_dead ON jobs (updated_at) WHERE state = 'dead'",
        "CREATE UNIQUE INDEX jobs_key ON jobs (kind, job_key) WHERE state <> 'dead'",
      ]
    }
  ]
}
