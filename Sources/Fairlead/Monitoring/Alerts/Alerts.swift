import Logging
public import ServiceLifecycle
import Synchronization

/// Watches the integrations by the rules of `AlertSettings` and tells when one is broken and when it
/// is fine again: once each, however many nodes watch. Thread-safe.
///
/// What fires is in storage, so that nodes agree on it and a restart forgets nothing.
public final class Alerts: Service {
  static let pruneInterval = Duration.seconds(3_600)
  private static let pruneSlice = 200

  let settings: AlertSettings
  let checks: [AlertCheck]
  let callLog: CallLog
  let database: any Database
  let clock: any FairleadClock
  let random: RandomSource
  let live: LiveUpdates
  let logger: Logger
  private let announcer: AlertAnnouncer
  private let isFailing = Mutex(false)
  /// What fired when this process last looked; `nil` before the first time.
  let known = Mutex<[AlertID: Alert]?>(nil)

  init(
    _ settings: AlertSettings, callLog: CallLog, integrations: IntegrationRegistry,
    queue: JobQueue, transport: any Transport, live: LiveUpdates, clock: any FairleadClock,
    random: RandomSource, logger: Logger
  ) {
    self.settings = settings
    checks = AlertCheck.all(settings, of: integrations.all)
    self.callLog = callLog
    database = callLog.database
    self.clock = clock
    self.random = random
    self.live = live
    self.logger = logger
    announcer = AlertAnnouncer(
      webhook: settings.webhook, database: callLog.database, queue: queue,
      sender: DestinationSender(transport: transport, clock: clock), schedule: .alerts,
      clock: clock, random: random, logger: logger)
  }

  /// Alerts, newest first.
  /// - Throws: `FairleadError` (`serviceUnavailable`) when storage fails.
  public func list(
    _ filter: AlertFilter = AlertFilter(), page: PageRequest = PageRequest()
  ) async throws -> Page<Alert> {
    try await database.guardedRead { try AlertStore.page(filter, page, in: $0) }
  }

  /// What fires now, oldest first, and what was resolved within `window`, the latest first and at
  /// most `limit` of them.
  /// - Throws: `FairleadError` (`serviceUnavailable`) when storage fails.
  public func current(
    resolvedWithin window: Duration = .seconds(86_400), limit: Int = 5
  ) async throws -> (firing: [Alert], resolved: [Alert]) {
    let since = clock.now - window
    return try await database.guardedRead { connection in
      (
        try AlertStore.firing(in: connection),
        try AlertStore.resolved(since: since, limit: max(0, limit), in: connection)
      )
    }
  }

  /// What the job worker runs to announce alerts.
  var jobHandlers: [String: JobHandler] {
    let announcer = announcer
    return [AlertAnnouncer.kind: { try await announcer.handle($0) }]
  }

  /// Adds the job that announces a change, in the transaction of the change: neither is there
  /// without the other.
  func announce(_ alert: Alert, at now: Timestamp, in connection: any SQLConnection) throws {
    try announcer.enqueue(alert, at: now, in: connection)
  }

  /// 1 for each rule of each integration that fires, 0 for the others that are watched. Every node
  /// tells the same.
  func metricFamilies() -> [MetricFamily] {
    let firing = Set(
      (known.withLock { $0 } ?? [:]).values.map {
        AlertCheck.Key(rule: $0.rule, integration: $0.integration)
      })
    return [
      MetricFamily(
        "fairlead_alerts_firing", .gauge, help: "Alerts that fire now, by rule and integration.",
        samples: checks.map { check in
          .init(
            labels: [
              ("rule", check.key.rule.rawValue), ("integration", check.key.integration.rawValue),
            ], value: firing.contains(check.key) ? 1 : 0)
        })
    ]
  }
}

// MARK: - Running

extension Alerts {
  /// Looks at the rules at once and at every interval until shutdown, and removes what is past
  /// retention.
  public func run() async throws {
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        group.addTask { await self.evaluateRegularly() }
        group.addTask { await self.pruneRegularly() }
      }
    }
  }

  private func evaluateRegularly() async {
    repeat {
      do {
        try await evaluate()
        isFailing.withLock { $0 = false }
      } catch is CancellationError {
        return
      } catch {
        let isFirst = isFailing.withLock { failing in
          defer { failing = true }
          return !failing
        }
        if isFirst {
          logger.warning("Alerts cannot be evaluated", metadata: ["error": "\(error)"])
        }
      }
      // Ends with the task's cancellation, the only thing a clock throws.
    } while (try? await clock.sleep(for: settings.interval)) != nil
  }

  private func pruneRegularly() async {
    repeat {
      do {
        try await prune()
      } catch is CancellationError {
        return
      } catch {
        logger.warning("Old alerts could not be removed", metadata: ["error": "\(error)"])
      }
      // Ends with the task's cancellation, the only thing a clock throws.
    } while (try? await clock.sleep(for: Self.pruneInterval)) != nil
  }

  /// Removes what is past retention, in slices that leave room for other writers.
  func prune() async throws {
    let cutoff = clock.now - settings.retention
    while try await database.write({
      try AlertStore.prune(before: cutoff, limit: Self.pruneSlice, in: $0)
    }) == Self.pruneSlice {}
  }
}
