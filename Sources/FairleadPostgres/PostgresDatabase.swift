public import Fairlead
public import Logging
import Synchronization

/// PostgreSQL 14 or newer as Fairlead's storage, shared by any number of nodes.
///
/// `write` runs serializably: whatever a body reads and then writes, the outcome is as if it had been
/// alone, as with SQLite's single writer. A body that lost a race is run again, the third time in
/// turn with the other losers, so that it gets through under any load. `write(.locking)` runs at
/// READ COMMITTED and is not repeated for what others commit; only deadlocks are.
///
/// A transaction whose connection broke before COMMIT was sent did not happen and is run again once,
/// on a fresh connection. One whose COMMIT was not answered may have happened: that is
/// `StorageError.outcomeUnknown`, and it is not run again.
///
/// What `write` returned is durable as far as the server's `synchronous_commit` promises; a server
/// where that is off is refused. Transactions are not cut short when the calling task is cancelled.
///
/// Thread-safe. Each connection has a queue of its own; nothing blocks the cooperative pool.
public final class PostgresDatabase: Sendable {
  public let dialect: Dialect
  let address: PostgresAddress
  let pool: ConnectionPool
  let hub = NotificationHub()
  let listener: NotificationListener
  let clock: any FairleadClock
  let random: RandomSource
  private let closed = Atomic(false)

  init(
    _ address: PostgresAddress, clock: any FairleadClock, random: RandomSource, logger: Logger
  ) {
    let pool = ConnectionPool(address)
    self.address = address
    self.pool = pool
    self.clock = clock
    self.random = random
    listener = NotificationListener(
      address: address, hub: hub, isOwn: { pool.owns($0) }, logger: logger)
    // By schema: deployments that share a database do not wait for each other.
    dialect = Dialect(
      engine: .postgres, skipLocked: "FOR UPDATE SKIP LOCKED", forUpdate: "FOR UPDATE",
      blob: "BYTEA",
      takeTurn: "SELECT pg_advisory_xact_lock(\(Self.lockSpace), hashtext(current_schema()))")
  }

  /// Tells our advisory locks from other applications'.
  static let lockSpace = 0x666c

  var isClosed: Bool { closed.load(ordering: .acquiring) }

  /// Opens a database by its URL, connecting once to see that it can be used.
  /// - Throws: `FairleadError` (`configurationError`) with one line that says what to do, never with
  ///   the password.
  public static func open(
    _ url: Secret, clock: any FairleadClock = SystemClock(), random: RandomSource = .system,
    logger: Logger = Logger(label: "fairlead.postgres")
  ) async throws -> PostgresDatabase {
    let address = try PostgresAddress(url)
    let database = PostgresDatabase(address, clock: clock, random: random, logger: logger)
    do {
      database.pool.release(try await database.pool.acquire(), isUsable: true)
    } catch let failure as ConnectFailure {
      throw FairleadError(
        .configurationError, "The database \(address.name) cannot be used. \(failure.words)")
    }
    return database
  }

  /// Whether this call was the one that closed it.
  func markClosed() -> Bool {
    closed.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing)
      .exchanged
  }
}
