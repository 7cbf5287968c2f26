import Fairlead

/// What the Overview page shows, read in one go.
struct Overview {
  struct Moment {
    var exact: String
    var relative: String

    init(_ time: Timestamp, at now: Timestamp) {
      exact = time.rfc3339
      relative = PageText.relative(time, to: now)
    }
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
    var hasNotes: Bool
    var notes: [Note]
  }

  /// Something out of the ordinary about an integration, with a shape of its own.
  struct Note {
    var text: String
    var paused = false
    var probing = false
    var fallback = false
  }

  struct Jobs {
    var waiting: String
    var running: String
    var dead: String
  }

  var summary: String
  var empty: Bool
  /// `nil` on an empty page: there is nothing to watch.
  var watched: AlertSection?
  var cards: [Card]
  var jobs: Jobs
  var asOf: String

  static func read(from fairlead: Fairlead) async throws -> Overview {
    let now = fairlead.clock.now
    let health = try await fairlead.health.snapshot()
    let connections = try await fairlead.connections.counts()
    let jobs = try await fairlead.jobCounts()
    let alerts = try await fairlead.alerts.current()
    let section = AlertSection(alerts.firing, resolved: alerts.resolved, at: now) {
      fairlead.integrations[$0]?.definition.displayName ?? $0.rawValue
    }
    let cards = health.map { entry in
      card(
        entry, definition: fairlead.integrations[entry.integration]?.definition,
        connections: connections[entry.integration] ?? 0, now: now)
    }
    return Overview(
      summary: summary(health, firing: alerts.firing.count), empty: cards.isEmpty,
      watched: cards.isEmpty ? nil : section, cards: cards,
      jobs: Jobs(
        waiting: PageText.count(jobs.pending), running: PageText.count(jobs.running),
        dead: PageText.count(jobs.dead)),
      asOf: now.rfc3339)
  }

  private static func summary(_ health: [IntegrationHealth], firing: Int) -> String {
    if health.isEmpty { return "Nothing is configured yet." }
    let alerts =
      switch firing {
      case 0: ""
      case 1: " 1 alert is firing."
      default: " \(firing) alerts are firing."
      }
    let troubled = health.filter { $0.status == .down || $0.status == .degraded }
    guard !troubled.isEmpty else {
      return
        (health.count == 1
        ? "The one integration is fine." : "All \(health.count) integrations are fine.") + alerts
    }
    return
      (troubled.count == 1
      ? "1 of \(health.count) integrations needs a look."
      : "\(troubled.count) of \(health.count) integrations need a look.") + alerts
  }

  private static func notes(_ health: IntegrationHealth) -> [Note] {
    var notes: [Note] = []
    switch health.breaker {
    case .closed: break
    case .open: notes.append(Note(text: "Calls paused", paused: true))
    case .halfOpen: notes.append(Note(text: "Trying again", probing: true))
    }
    if health.recent.fallbacks > 0 { notes.append(Note(text: "Fallback in use", fallback: true)) }
    return notes
  }

  private static func card(
    _ health: IntegrationHealth, definition: ProviderDefinition?, connections: Int, now: Timestamp
  ) -> Card {
    let name = definition?.displayName ?? health.integration.rawValue
    func moment(_ time: Timestamp?) -> Moment? { time.map { Moment($0, at: now) } }
    let notes = notes(health)
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
      lastFailure: moment(health.lastFailureAt), hasNotes: !notes.isEmpty, notes: notes)
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
