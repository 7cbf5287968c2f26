extension Migration {
  /// Alerts. At most one of a rule and an integration fires at a time, whichever node noticed it.
  ///
  /// Figures are stored in millionths, so that both engines give back what they were given.
  public static let alerts = [
    Migration(name: "060_alerts") { _ in
      [
        """
        CREATE TABLE alerts (
          id TEXT NOT NULL PRIMARY KEY,
          rule TEXT NOT NULL,
          integration TEXT NOT NULL,
          state TEXT NOT NULL,
          message TEXT NOT NULL,
          figure BIGINT NOT NULL,
          threshold BIGINT NOT NULL,
          fired_at BIGINT NOT NULL,
          quiet_since BIGINT,
          resolved_at BIGINT,
          announced BIGINT NOT NULL DEFAULT 0
        )
        """,
        "CREATE UNIQUE INDEX alerts_firing ON alerts (rule, integration) WHERE state = 'firing'",
        "CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE resolved_at IS NOT NULL",
      ]
    }
  ]
}
