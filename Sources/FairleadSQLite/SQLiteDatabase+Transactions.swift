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
  ) throws -> (output: Output, announcements: [Notification]) {
    let connection = SQLiteConnection(database, statements, isReadOnly: false)
    // Taking the write lock first means that no transaction has to give up halfway.
    try database.beginTransaction(.immediate)
    do {
      let output = try body(connection)
      // SQLite ends a transaction by itself after some failures; a body that swallowed one must not
      // have the rest of its statements committed on their own.
      guard database.isInsideTransaction else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
      try database.commit()
      return (output, connection.announcements)
    } catch {
      // The first error is the one to report; a failed rollback leaves nothing committed either.
      try? database.rollback()
      throw error
    }
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
