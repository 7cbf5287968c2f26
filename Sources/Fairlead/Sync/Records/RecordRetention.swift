import Logging
import ServiceLifecycle

/// Forgets deletions that are older than consumers may lag behind, a slice at a time.
final class RecordRetention: Service {
  static let interval = Duration.seconds(3_600)
  private static let pause = Duration.milliseconds(100)

  private let database: any Database
  private let period: Duration
  private let clock: any FairleadClock
  private let logger: Logger

  init(
    database: any Database, period: Duration, clock: any FairleadClock, logger: Logger
  ) {
    self.database = database
    self.period = period
    self.clock = clock
    self.logger = logger
  }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do {
          try await self.prune()
        } catch is CancellationError {
          return
        } catch {
          self.logger.warning(
            "Old deletions could not be removed; will try again", metadata: ["error": "\(error)"])
        }
        // Cancelled is the only way this ends early.
        guard (try? await self.clock.sleep(for: Self.interval)) != nil else { return }
      }
    }
  }

  /// Removes every tombstone that is due.
  /// - Throws: `StorageError`, `CancellationError`.
  func prune() async throws {
    let end = clock.now - period
    while try await database.write(.locking, { try Self.slice(before: end, in: $0) })
      == RecordStore.slice
    {
      try await clock.sleep(for: Self.pause)
    }
  }

  /// Removes some tombstones of the model that has the oldest one.
  /// - Returns: how many; a full slice when there may be more.
  static func slice(before end: Timestamp, in sql: any SQLConnection) throws -> Int {
    guard
      let model = try sql.first(
        """
        SELECT model FROM records WHERE data IS NULL AND written_at < $1
        ORDER BY written_at LIMIT 1
        """, [SQLValue(end)]
      ).map({ try $0.text(0) })
    else { return 0 }
    let store = RecordStore(connection: ConnectionID(rawValue: ""), model: model)
    _ = try store.lockVersions(in: sql)
    let rows = try sql.query(
      """
      SELECT connection, record_id, version FROM records
      WHERE data IS NULL AND written_at < $1 AND model = $2
      ORDER BY written_at LIMIT \(RecordStore.slice)
      """, [SQLValue(end), .text(model)])
    var pruned: Int64 = 0
    for row in rows {
      pruned = max(pruned, try row.int(2))
      try sql.execute(
        "DELETE FROM records WHERE connection = $1 AND model = $2 AND record_id = $3",
        [.text(try row.text(0)), .text(model), .text(try row.text(1))])
    }
    try sql.execute(
      """
      UPDATE record_versions SET pruned = CASE WHEN pruned < $2 THEN $2 ELSE pruned END
      WHERE model = $1
      """, [.text(model), .integer(pruned)])
    // Another model may have some left even where this one has not.
    return RecordStore.slice
  }
}
