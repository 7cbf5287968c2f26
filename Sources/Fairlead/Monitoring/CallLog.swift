public import Logging
public import ServiceLifecycle
import Synchronization

/// The log of outgoing calls and the counts that health is read from.
///
/// `record` and the webhook counters are called on the hot path: they are synchronous, take one
/// short lock and never wait for storage. What they collect is written in batches, at the latest
/// half a second later, each batch in one transaction. While storage cannot keep up, entries beyond
/// `capacity` are dropped and counted in `dropped`; the counts for health keep every call.
public final class CallLog: Service, Sendable {
  static let flushInterval = Duration.milliseconds(500)
  static let pruneInterval = Duration.seconds(600)
  private static let pruneSlice = 500

  let database: any Database
  let clock: any FairleadClock
  /// Names this process in the health tables.
  let node: String
  private let live: LiveUpdates
  private let retention: Duration
  private let logger: Logger
  private let buffer: Mutex<CallLogBuffer>
  private let isFailing = Mutex(false)
  private let wakes: AsyncStream<Void>
  private let wake: AsyncStream<Void>.Continuation

  /// - Parameters:
  ///   - capacity: how many entries may wait for storage.
  ///   - retention: how long entries are kept; `retention.requests` of the configuration.
  public init(
    database: any Database, clock: any FairleadClock, live: LiveUpdates, capacity: Int = 10_000,
    retention: Duration = .seconds(14 * 86_400), random: RandomSource = .system, logger: Logger
  ) {
    self.database = database
    self.clock = clock
    self.live = live
    self.retention = retention
    self.logger = logger
    node = random.token(bytes: 9)
    buffer = Mutex(CallLogBuffer(capacity: capacity))
    (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Adds one finished call. Thread-safe; never waits.
  public func record(_ entry: CallLogEntry) {
    if buffer.withLock({ $0.add(entry) }) { wake.yield() }
  }

  /// How many entries were dropped since the process started because storage could not keep up.
  public var dropped: Int { Int(clamping: buffer.withLock { $0.dropped }) }

  /// The newest entries first. Everything recorded before the call is included.
  /// - Throws: `FairleadError` (`invalidRequest`) for a cursor that is none, `StorageError`.
  public func entries(
    _ filter: CallLogFilter = CallLogFilter(), page: PageRequest = PageRequest()
  ) async throws -> Page<CallLogEntry> {
    let cursor = try page.cursor.map(CallLogStore.Cursor.init(text:))
    try await flush()
    var items = try await database.read { connection in
      try CallLogStore.page(filter, after: cursor, limit: page.limit + 1, in: connection)
    }
    guard items.count > page.limit else { return Page(items: items, nextCursor: nil) }
    items.removeLast(items.count - page.limit)
    let next = items.last.map {
      CallLogStore.Cursor(startedAt: $0.startedAt, id: $0.requestID).text
    }
    return Page(items: items, nextCursor: next)
  }
}

// MARK: - Webhooks

extension CallLog {
  /// A webhook arrived, whatever became of it. Thread-safe; never waits, like all of these.
  public func webhookReceived(_ integration: IntegrationName) {
    count(\.webhooksReceived, for: integration)
  }

  /// A webhook was refused.
  /// - Parameter forged: no secret of ours made its signature.
  public func webhookRejected(_ integration: IntegrationName, forged: Bool) {
    count(\.webhooksRejected, for: integration)
    if forged { count(\.webhooksForged, for: integration) }
  }

  /// An event is through: every delivery of it succeeded.
  public func webhookProcessed(_ integration: IntegrationName) {
    count(\.webhooksProcessed, for: integration)
  }

  /// One attempt at processing an event failed; it will be tried again.
  public func webhookFailed(_ integration: IntegrationName) {
    count(\.webhooksFailed, for: integration)
  }

  /// An event was given up.
  public func webhookDead(_ integration: IntegrationName) {
    count(\.webhooksDead, for: integration)
  }

  /// An event that the provider never managed to send was fetched from it.
  public func webhookRecovered(_ integration: IntegrationName) {
    count(\.webhooksRecovered, for: integration)
  }

  /// An event came again and was left out.
  public func webhookDuplicate(_ integration: IntegrationName) {
    count(\.webhooksDuplicate, for: integration)
  }

  private func count(
    _ field: any WritableKeyPath<HealthCounters, Int64> & Sendable, for integration: IntegrationName
  ) {
    let now = clock.now
    buffer.withLock { $0.count(field, for: integration, at: now) }
  }
}

// MARK: - Writing

extension CallLog {
  /// Writes what is buffered until shutdown, then what is left; prunes what is past retention.
  public func run() async throws {
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        group.addTask { await self.tick() }
        group.addTask { await self.flushWhenWoken() }
        group.addTask { await self.pruneRegularly() }
      }
    }
    await flushOrReport()
  }

  /// Writes everything recorded before the call. Safe to call at any time and from several tasks.
  /// - Throws: `StorageError`; what was not written stays and is tried again.
  public func flush() async throws {
    // A bound, so that a flood of calls cannot hold a reader here for ever.
    var rows = buffer.withLock { $0.queued }
    var more = false
    repeat {
      guard let (batch, isNew) = buffer.withLock({ $0.nextBatch() }) else { return }
      if isNew { announce(batch) }
      let (node, now) = (node, clock.now)
      // The first statement locks this node's own row, and with it its counts.
      try await database.write(.locking) { connection in
        guard try HealthStore.begin(batch.sequence, of: node, at: now, in: connection) else {
          return
        }
        try HealthStore.add(batch.rollup, node: node, in: connection)
        try CallLogStore.insert(batch.entries, in: connection)
      }
      buffer.withLock { $0.settle(batch.sequence) }
      rows -= batch.entries.count
      // A batch left over from a failure holds nothing of what came since.
      more = !isNew || rows > 0
    } while more
  }

  /// Deletes everything past retention, in slices that leave room for other writers.
  public func prune() async throws {
    let now = clock.now
    let cutoff = now - retention
    var deleted = 0
    repeat {
      deleted = try await database.write { connection in
        try CallLogStore.prune(before: cutoff, limit: Self.pruneSlice, in: connection)
      }
    } while deleted == Self.pruneSlice
    while try await database.write({ try HealthStore.prune(at: now, in: $0) }) {}
  }

  private func tick() async {
    while true {
      // Ends with the task's cancellation, the only thing a clock throws.
      guard (try? await clock.sleep(for: Self.flushInterval)) != nil else { return }
      wake.yield()
    }
  }

  private func flushWhenWoken() async {
    for await _ in wakes { await flushOrReport() }
  }

  private func flushOrReport() async {
    do {
      try await flush()
      let recovered = isFailing.withLock { failing in
        defer { failing = false }
        return failing
      }
      if recovered { logger.info("The call log is written again", metadata: droppedMetadata) }
    } catch is CancellationError {
      return
    } catch {
      let first = isFailing.withLock { failing in
        defer { failing = true }
        return !failing
      }
      guard first else { return }
      logger.warning(
        "The call log cannot be written; it is kept in memory as far as it fits",
        metadata: droppedMetadata.merging(["error": "\(error)"]) { $1 })
    }
  }

  private var droppedMetadata: Logger.Metadata { ["dropped": "\(dropped)"] }

  private func pruneRegularly() async {
    repeat {
      do {
        try await prune()
      } catch is CancellationError {
        return
      } catch {
        logger.warning("The call log could not be pruned", metadata: ["error": "\(error)"])
      }
      // Ends with the task's cancellation, the only thing a clock throws.
    } while (try? await clock.sleep(for: Self.pruneInterval)) != nil
  }

  private func announce(_ batch: CallLogBuffer.Batch) {
    guard live.hasSubscribers else { return }
    for entry in batch.entries { live.publish(.call(entry)) }
    for integration in Set(batch.rollup.minutes.map(\.integration)) {
      live.publish(.health(integration))
    }
  }

  /// What storage may lack, each part with the number of its batch.
  var unsettled: [(sequence: Int64, rollup: HealthRollup)] { buffer.withLock { $0.unsettled } }

  var tallies: [IntegrationTally] { buffer.withLock { $0.tallies } }
}
