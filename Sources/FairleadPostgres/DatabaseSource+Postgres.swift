public import Fairlead

extension DatabaseSource {
  /// A PostgreSQL database, 14 or newer, that any number of nodes may share:
  /// `postgres://user:password@host:port/database?sslmode=verify-full&pool=10`.
  ///
  /// The tables are made in the first schema of the user's `search_path`. docs/postgres.md has the
  /// parameters.
  public static func postgres(_ url: Secret) -> DatabaseSource {
    DatabaseSource { try await PostgresDatabase.open(url) }
  }
}
