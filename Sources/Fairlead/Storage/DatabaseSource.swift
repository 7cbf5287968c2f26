/// Which database to use. The drivers add theirs: `.sqlite("fairlead.db")` comes with
/// FairleadSQLite.
public struct DatabaseSource: Sendable {
  /// Opens the database.
  /// - Throws: `FairleadError` (`configurationError`) with one line that says what to do.
  public let open: @Sendable () async throws -> any Database

  /// - Parameter open: opens the database, or throws one line that says what to do.
  public init(open: @escaping @Sendable () async throws -> any Database) {
    self.open = open
  }
}
