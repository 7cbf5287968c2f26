import Fairlead

/// What the Overview page shows, read in one go.
struct Overview {
  struct Moment {
    var exact: String
    var relative: String
  }

  struct Card {
    var integration: String
    var name: String
    var purpose: String
    var monogram: String
    var hue: Int
    var status: String
    var statusWord: String
    var healthy: Bool
    var degraded: Bool
    var down: Bool
    var idle: Bool
    var message: String
    var calls: String
    var errorRate: String
    var p50: String
    var p95: String
    var waited: String
    var connections: String
    var received: String
    var processed: String
    var rejected: String
    var dead: String
    var lastSuccess: Moment?
    var lastFailure: Moment?
  }

  struct Jobs {
    var waiting: String
    var running: String
    var dead: String
  }

  var summary: String
  var empty: Bool
  var cards: [Card]
  var jobs: Jobs
  var asOf: String

  static func read(from fairlead: Fairlead) async throws -> Overview {
    let now = fairlead.clock.now
    let health = try await fairlead.health.snapshot()
    let connections = try await fairlead.connections.counts()
    let jobs = try await fairlead.jobCounts()
    let cards = health.map { entry in
      card(
        entry, definition: fairlead.integrations[entry.integration]?.definition,
        connections: connections[entry.integration] ?? 0, now: now)
    }
    return Overview(
      summary: summary(health), empty: cards.isEmpty, cards: cards,
      jobs: Jobs(
        waiting: PageText.count(jobs.pending), running: PageText.count(jobs.running),
        dead: PageText.count(jobs.dead)),
      asOf: now.rfc3339)
  }

  private static func summary(_ health: [IntegrationHealth]) -> String {
    if health.isEmpty { return "Nothing is configured yet." }
    let troubled = health.filter { $0.status == .down || $0.status == .degraded }
    guard !troubled.isEmpty else {
      return health.count == 1
        ? "The one integration is fine." : "All \(health.count) integrations are fine."
    }
    return troubled.count == 1
      ? "1 of \(health.count) integrations needs a look."
      : "\(troubled.count) of \(health.count) integrations need a look."
  }

  private static func card(
    _ health: IntegrationHealth, definition: ProviderDefinition?, connections: Int, now: Timestamp
  ) -> Card {
    let name = definition?.displayName ?? health.integration.rawValue
    func moment(_ time: Timestamp?) -> Moment? {
      time.map { Moment(exact: $0.rfc3339, relative: PageText.relative($0, to: now)) }
    }
    return Card(
      integration: health.integration.rawValue, name: name, purpose: definition?.purpose ?? "",
      monogram: Monogram.letters(name), hue: Monogram.hue(health.integration),
      status: health.status.rawValue, statusWord: health.status.rawValue.capitalizedFirst,
      healthy: health.status == .healthy, degraded: health.status == .degraded,
      down: health.status == .down, idle: health.status == .idle, message: health.message,
      calls: PageText.count(health.calls), errorRate: PageText.percent(health.errorRate),
      p50: PageText.milliseconds(health.latency.p50),
      p95: PageText.milliseconds(health.latency.p95),
      waited: PageText.duration(health.waited), connections: PageText.count(connections),
      received: PageText.count(health.webhooks.received),
      processed: PageText.count(health.webhooks.processed),
      rejected: PageText.count(health.webhooks.rejected),
      dead: PageText.count(health.webhooks.dead), lastSuccess: moment(health.lastSuccessAt),
      lastFailure: moment(health.lastFailureAt))
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
