public import Logging
public import ServiceLifecycle

/// Removes old events, a slice at a time so that intake is never stalled: payloads first, ids (which
/// dedupe) later. What is still on its way is kept.
public final class EventRetention: Service {
  /// How long things are kept.
  public struct Periods: Sendable, Equatable {
    public var payloads: Duration
    public var ids: Duration

    /// 30 and 90 days unless told otherwise. Ids are kept as long as payloads at least.
    public init(
      payloads: Duration = .seconds(30 * 86_400), ids: Duration = .seconds(90 * 86_400)
    ) {
      self.payloads = payloads
      self.ids = max(ids, payloads)
    }
  }

  static let interval = Duration.seconds(3_600)
  static let pause = Duration.milliseconds(100)
  static let slice = 100

  private let database: any Database
  private let periods: Periods
  private let clock: any FairleadClock
  private let logger: Logger

  public init(
    database: any Database, periods: Periods = Periods(), clock: any FairleadClock, logger: Logger
  ) {
    self.database = database
    self.periods = periods
    self.clock = clock
    self.logger = logger
  }

  /// Prunes now and every hour.
  public func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do {
          try await self.prune()
        } catch is CancellationError {
          return
        } catch {
          self.logger.warning(
            "Old events could not be removed; will try again", metadata: ["error": "\(error)"])
        }
        // Cancelled is the only way this ends early.
        guard (try? await self.clock.sleep(for: Self.interval)) != nil else { return }
      }
    }
  }

  /// Removes everything that is due.
  /// - Throws: `StorageError`, `CancellationError`.
  func prune() async throws {
    let now = clock.now
    try await inSlices { try EventPruning.payloads(before: now - self.periods.payloads, in: $0) }
    try await inSlices { try EventPruning.events(before: now - self.periods.ids, in: $0) }
  }

  private func inSlices(
    _ remove: @escaping @Sendable (any SQLConnection) throws -> Int
  ) async throws {
    while try await database.write(remove) == Self.slice {
      try await clock.sleep(for: Self.pause)
    }
  }
}

/// SQL of the pruning. Ids begin with their time, so the oldest come first by primary key.
enum EventPruning {
  private static let settled = "status NOT IN ('received', 'processing', 'failed')"

  /// - Returns: how many payloads were removed.
  static func payloads(before time: Timestamp, in connection: any SQLConnection) throws -> Int {
    try connection.execute(
      """
      DELETE FROM event_payloads WHERE event_id IN (
        SELECT p.event_id FROM event_payloads p JOIN events e ON e.id = p.event_id
        WHERE p.event_id < $1 AND e.\(settled)
        ORDER BY p.event_id LIMIT \(EventRetention.slice)
      )
      """, [.text(EventID.lowerBound(at: time))])
  }

  /// - Returns: how many events were removed, with their deliveries.
  static func events(before time: Timestamp, in connection: any SQLConnection) throws -> Int {
    let ids = try connection.query(
      """
      SELECT id FROM events WHERE id < $1 AND \(settled) ORDER BY id LIMIT \(EventRetention.slice)
      """, [.text(EventID.lowerBound(at: time))]
    ).map { try $0.text(0) }
    for id in ids {
      try connection.execute(
        """
        DELETE FROM delivery_attempts
        WHERE delivery_id IN (SELECT id FROM deliveries WHERE event_id = $1)
        """, [.text(id)])
      try connection.execute("DELETE FROM deliveries WHERE event_id = $1", [.text(id)])
      try connection.execute("DELETE FROM event_payloads WHERE event_id = $1", [.text(id)])
      try connection.execute("DELETE FROM events WHERE id = $1", [.text(id)])
    }
    return ids.count
  }
}

extension EventID {
  /// No id issued at `time` or later sorts before this text.
  static func lowerBound(at time: Timestamp) -> String {
    let randomLength = 16
    return String(EventID(at: time, random: RandomSource(seed: 0)).rawValue.dropLast(randomLength))
  }
}
