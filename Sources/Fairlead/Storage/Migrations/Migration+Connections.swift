extension Migration {
  /// Connections, connect sessions, pending sign-ins and API keys.
  public static let connections: [Migration] = [
    Migration(name: "010_connections") { dialect in
      [
        """
        CREATE TABLE connections (
          id TEXT PRIMARY KEY,
          integration TEXT NOT NULL,
          owner TEXT NOT NULL,
          owner_label TEXT,
          state TEXT NOT NULL,
          scopes TEXT NOT NULL,
          params TEXT NOT NULL,
          identity TEXT NOT NULL,
          account TEXT,
          credential \(dialect.blob) NOT NULL,
          expires_at BIGINT,
          refresh_at BIGINT,
          created_at BIGINT NOT NULL,
          last_refreshed_at BIGINT,
          version BIGINT NOT NULL,
          error TEXT,
          lease_fence BIGINT NOT NULL,
          lease_until BIGINT
        )
        """,
        // One row per account of an owner: connecting again updates it. Unknown accounts are null
        // and so never collide.
        """
        CREATE UNIQUE INDEX connections_account ON connections (integration, owner, account)
        """,
        "CREATE INDEX connections_owner ON connections (owner)",
        """
        CREATE INDEX connections_due ON connections (refresh_at) WHERE refresh_at IS NOT NULL
        """,
        """
        CREATE TABLE connect_sessions (
          token_hash TEXT PRIMARY KEY,
          owner TEXT NOT NULL,
          owner_label TEXT,
          integration TEXT,
          redirect TEXT,
          browser_hash TEXT,
          expires_at BIGINT NOT NULL,
          used_at BIGINT
        )
        """,
        "CREATE INDEX connect_sessions_expiry ON connect_sessions (expires_at)",
        """
        CREATE TABLE oauth_states (
          state_hash TEXT PRIMARY KEY,
          session_hash TEXT NOT NULL,
          integration TEXT NOT NULL,
          browser_hash TEXT NOT NULL,
          params TEXT NOT NULL,
          secrets \(dialect.blob) NOT NULL,
          expires_at BIGINT NOT NULL
        )
        """,
        "CREATE INDEX oauth_states_expiry ON oauth_states (expires_at)",
        "CREATE INDEX oauth_states_session ON oauth_states (session_hash)",
        """
        CREATE TABLE api_keys (
          id TEXT PRIMARY KEY,
          name TEXT NOT NULL,
          hash TEXT NOT NULL UNIQUE,
          hint TEXT NOT NULL,
          scopes TEXT NOT NULL,
          created_at BIGINT NOT NULL,
          revoked_at BIGINT
        )
        """,
      ]
    }
  ]
}
