public import Fairlead
import GRDB
import Synchronization

/// SQLite as Fairlead's storage: one writer, several readers side by side, durable commits.
///
/// A file runs in WAL mode with `synchronous=FULL`: what `write` returned survives a power cut. It
/// may be opened by several processes on one machine; notifications stay inside this process.
/// Transactions are not cut short when the calling task is cancelled, so that a shutdown can still
/// write down what it leaves behind.
///
/// Thread-safe. Transactions run on dispatch queues of their own, never on the cooperative pool.
public final class SQLiteDatabase: Sendable {
  public let dialect = Dialect(engine: .sqlite, skipLocked: "", forUpdate: "", blob: "BLOB")

  let pool: any DatabaseWriter
  let hub = NotificationHub()
  let statements = StatementCache()
  private let closed = Atomic(false)

  init(pool: any DatabaseWriter) {
    self.pool = pool
  }

  var isClosed: Bool { closed.load(ordering: .acquiring) }

  /// Whether this call was the one that closed it.
  func markClosed() -> Bool {
    closed.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing)
      .exchanged
  }
}
