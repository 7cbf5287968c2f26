/// How the integrations are, over the last 24 hours and over all nodes.
///
/// Read from storage and from what this process has counted since the last flush, each call exactly
/// once, so that a reading right after a call is true and a restart forgets nothing.
public final class Health: Sendable {
  private let callLog: CallLog
  private let integrations: IntegrationRegistry
  private let breaker: @Sendable (IntegrationName) -> IntegrationHealth.Breaker

  /// - Parameter breaker: where an integration's circuit breaker stands now.
  public init(
    callLog: CallLog, integrations: IntegrationRegistry,
    breaker: @escaping @Sendable (IntegrationName) -> IntegrationHealth.Breaker
  ) {
    self.callLog = callLog
    self.integrations = integrations
    self.breaker = breaker
  }

  /// Every configured integration, in the order of their names.
  /// - Throws: `StorageError`.
  public func snapshot() async throws -> [IntegrationHealth] {
    let readings = try await read()
    return integrations.all.map { describe($0, readings[$0.name] ?? HealthReading()) }
  }

  /// One integration.
  /// - Throws: `FairleadError` (`notFound`), `StorageError`.
  public func health(of integration: IntegrationName) async throws -> IntegrationHealth {
    let known = try integrations.require(integration)
    return describe(known, try await read(integration)[integration] ?? HealthReading())
  }

  /// Whether calls are expected to work, for an application that asks before it calls.
  ///
  /// `false` while the circuit breaker is open. Half open is no reason against: somebody has to try,
  /// or an application that always asks first would never learn that it works again. Otherwise the
  /// last 24 hours decide when they are `healthy` or `idle`; when they are not, the last five minutes
  /// do, so that an outage that is over does not count for the rest of the day: they must be
  /// `healthy`, or hold no calls. `false` for an integration that is not configured. While storage
  /// cannot be read, what this process has seen decides.
  public func isHealthy(_ integration: IntegrationName) async -> Bool {
    guard integrations[integration] != nil, breaker(integration) != .open else { return false }
    let reading: HealthReading
    do {
      reading = try await read(integration, withLatencies: false)[integration] ?? HealthReading()
    } catch {
      let windows = HealthReading.Windows(endingAt: callLog.clock.now)
      reading =
        HealthReading.sum(nil, callLog.unsettled, windows)[integration] ?? HealthReading()
    }
    return [reading.day, reading.recent].contains { counters in
      let status = HealthStatus.of(calls: counters.rated, failures: counters.failures)
      return status == .healthy || status == .idle
    }
  }

  /// Whole hours, oldest first, the current one last; hours without calls included.
  /// - Parameter hours: 1 to 168.
  /// - Throws: `StorageError`.
  public func series(
    _ integration: IntegrationName, hours: Int = 24
  ) async throws -> [HealthPoint] {
    let count = Int64(min(max(hours, 1), 168))
    let width = HealthRollup.hour
    let current = HealthRollup.start(of: width, at: callLog.clock.now)
    let first = current - (count - 1) * width
    let unsettled = callLog.unsettled
    let node = callLog.node
    let (sequence, stored) = try await callLog.database.read { connection in
      (
        try HealthStore.sequence(of: node, in: connection),
        try HealthStore.hours(after: first - 1, of: integration, in: connection)
      )
    }
    var sums: [Int64: HealthCounters] = [:]
    for span in stored { sums[span.start, default: .init()] += span.counters }
    for part in unsettled where part.sequence > sequence {
      for span in part.rollup.minutes where span.integration == integration {
        let hour = HealthRollup.start(of: width, at: Timestamp(microseconds: span.start))
        sums[hour, default: .init()] += span.counters
      }
    }
    return stride(from: first, through: current, by: Int(width)).map { start in
      let sum = sums[start] ?? HealthCounters()
      return HealthPoint(
        start: Timestamp(microseconds: start), calls: sum.calls, failures: sum.failures,
        meanLatency: sum.meanLatency)
    }
  }

  private func read(
    _ integration: IntegrationName? = nil, withLatencies: Bool = true
  ) async throws -> [IntegrationName: HealthReading] {
    let windows = HealthReading.Windows(endingAt: callLog.clock.now)
    let node = callLog.node
    let unsettled = callLog.unsettled
    let stored = try await callLog.database.read { connection in
      try HealthReading.Stored(
        windows, of: integration, node: node, withLatencies: withLatencies, in: connection)
    }
    return HealthReading.sum(stored, unsettled, windows)
  }

  private func describe(
    _ integration: Integration, _ reading: HealthReading
  ) -> IntegrationHealth {
    let day = reading.day
    let status = HealthStatus.of(calls: day.rated, failures: day.failures)
    let breaker = breaker(integration.name)
    let errorRate = day.rated > 0 ? Double(day.failures) / Double(day.rated) : nil
    let message = HealthMessage.text(
      .init(
        name: integration.definition.displayName, status: status, breaker: breaker,
        calls: day.rated, failures: day.failures, neutral: day.neutral,
        recentCalls: reading.recent.rated, recentFailures: reading.recent.failures))
    return IntegrationHealth(
      integration: integration.name, status: status, message: message, calls: day.calls,
      failures: day.failures, successRate: errorRate.map { 1 - $0 }, errorRate: errorRate,
      latency: .init(
        mean: day.meanLatency, p50: reading.latencies.milliseconds(percentile: 50),
        p95: reading.latencies.milliseconds(percentile: 95),
        p99: reading.latencies.milliseconds(percentile: 99)),
      lastSuccessAt: reading.lastSuccess, lastFailureAt: reading.lastFailure,
      rateLimitHits: day.rateLimitHits, waited: .microseconds(day.waited),
      webhooks: .init(
        received: day.webhooksReceived, rejected: day.webhooksRejected,
        forged: day.webhooksForged, processed: day.webhooksProcessed,
        failed: day.webhooksFailed, dead: day.webhooksDead, recovered: day.webhooksRecovered,
        duplicates: day.webhooksDuplicate),
      breaker: breaker,
      recent: .init(
        calls: reading.recent.calls, failures: reading.recent.failures,
        serverErrors: reading.recent.serverErrors, fallbacks: reading.recent.fallbacks))
  }
}
