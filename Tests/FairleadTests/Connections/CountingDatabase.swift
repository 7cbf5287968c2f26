import Fairlead
import Synchronization

/// A database that counts what is asked of it, and can refuse writes for a while.
final class CountingDatabase: Database {
  private let base: any Database
  private let counted = Mutex((reads: 0, refusals: 0))

  init(_ base: any Database) { self.base = base }

  var dialect: Dialect { base.dialect }
  var reads: Int { counted.withLock { $0.reads } }

  /// The next `count` writes find the disk full.
  func refuseWrites(_ count: Int) { counted.withLock { $0.refusals = count } }

  func read<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result {
    counted.withLock { $0.reads += 1 }
    return try await base.read(body)
  }

  func write<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result {
    let refused = counted.withLock { counted in
      guard counted.refusals > 0 else { return false }
      counted.refusals -= 1
      return true
    }
    if refused { throw StorageError.unavailable("disk full") }
    return try await base.write(body)
  }

  func notifications(on channel: Channel) -> AsyncStream<DatabaseNotification> {
    base.notifications(on: channel)
  }

  func close() async throws { try await base.close() }
}
