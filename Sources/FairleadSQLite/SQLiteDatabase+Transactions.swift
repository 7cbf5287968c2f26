import Dispatch
import Fairlead
import GRDB

extension SQLiteDatabase {
  func runRead<Output: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Output
  ) async throws -> Output {
    if isClosed { throw Self.closedError }
    return try await withCheckedThrowingContinuation { continuation in
      pool.asyncRead { [self] access in
        continuation.resume(
          with: Result {
            let connection = SQLiteConnection(try access.get(), statements, isReadOnly: true)
            return try body(connection)
          }.mapError(translate))
      }
    }
  }

  func runWrite<Output: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Output
  ) async throws -> Output {
    if isClosed { throw Self.closedError }
    return try await withCheckedThrowingContinuation { continuation in
      pool.asyncWriteWithoutTransaction { [self] database in
        let outcome = Result { try transaction(on: database, body) }
        if case .success(let (_, announcements)) = outcome { hub.publish(announcements) }
        continuation.resume(with: outcome.map(\.output).mapError(translate))
      }
    }
  }

  func runClose() async throws {
    guard markClosed() else { return }
    hub.finish()
    try await onDispatchQueue { [pool, self] in
      // GRDB closes its readers last, and only a writer that closes last removes the log files.
      (pool as? DatabasePool)?.invalidateReadOnlyConnections()
      // Best effort: the log is replayed at the next start when it cannot be emptied now.
      try? pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
      do { try pool.close() } catch { throw translate(error) }
    }
  }

  private func transaction<Output>(
    on database: GRDB.Database, _ body: (any SQLConnection) throws -> Output
  ) throws -> (output: Output, announcements: [DatabaseNotification]) {
    let connection = SQLiteConnection(database, statements, isReadOnly: false)
    var output: Output?
    // Taking the write lock first means that no transaction has to give up halfway. SQLite ends a
    // transaction by itself after some failures (a full disk); `inTransaction` then refuses the
    // statements of a body that goes on, which would otherwise be committed one by one.
    try database.inTransaction(.immediate) {
      output = try body(connection)
      return .commit
    }
    guard let output else { throw StorageError.statement("a transaction ended without a result") }
    return (output, connection.announcements)
  }

  private func translate(_ error: any Error) -> any Error {
    guard let failure = error as? DatabaseError else { return error }
    return isClosed ? Self.closedError : StorageError(failure)
  }

  private static let closedError = StorageError.unavailable("The database is closed.")
}

/// Runs blocking work off the cooperative pool.
func onDispatchQueue<Output: Sendable>(
  _ work: @escaping @Sendable () throws -> Output
) async throws -> Output {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global(qos: .userInitiated).async {
      continuation.resume(with: Result(catching: work))
    }
  }
}
