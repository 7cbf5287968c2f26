import Logging
import Synchronization

extension Alerts {
  /// Looks at every rule once and does what follows from it.
  /// - Throws: `StorageError`.
  func evaluate() async throws {
    // Storage's view first: counts that are newer than it can only be told once more, older ones
    // could fire what was just resolved.
    let firing = try await database.read { try AlertStore.firing(in: $0) }
    let counters = try await callLog.counters(over: Set(checks.map(\.limit.window)))
    let now = clock.now
    let plans = AlertMachine.plan(
      checks, counters, firing: firing, at: now, resolveAfter: settings.resolveAfter)
    // Ids are made here: a transaction may run more than once.
    let random = random
    let steps = plans.map { (plan: $0, id: $0.alert?.id ?? AlertID(at: now, random: random)) }
    var changes: [Alert] = []
    if !steps.isEmpty {
      changes = try await database.write { connection in
        try steps.compactMap { try self.apply($0.plan, $0.id, at: now, in: connection) }
      }
    }
    for change in changes { log(change) }
    try await publish(changes, seen: firing)
  }

  /// - Returns: the alert when this fired or resolved it.
  private func apply(
    _ plan: AlertMachine.Plan, _ id: AlertID, at now: Timestamp, in connection: any SQLConnection
  ) throws -> Alert? {
    switch plan.step {
    case .fire(let value, let message):
      let alert = Alert(
        id: id, rule: plan.key.rule, integration: plan.key.integration, state: .firing,
        message: message, value: value, threshold: plan.threshold, firedAt: now)
      guard try AlertStore.insert(alert, in: connection) else { return nil }
      try announce(alert, at: now, in: connection)
      return alert
    case .update(let value, let message):
      try AlertStore.update(id, value: value, message: message, in: connection)
      return nil
    case .calm:
      try AlertStore.calm(id, since: now, in: connection)
      return nil
    case .resolve(let value, let message):
      let resolved = try AlertStore.resolve(
        id, at: now, quietSince: plan.alert?.quietSince, value: value, message: message,
        in: connection)
      guard let resolved else { return nil }
      try announce(resolved, at: now, in: connection)
      return resolved
    }
  }

  private func log(_ alert: Alert) {
    let metadata: Logger.Metadata = [
      "alert": "\(alert.id)", "rule": "\(alert.rule.rawValue)",
      "integration": "\(alert.integration)", "reason": "\(alert.message)",
    ]
    switch alert.state {
    case .firing: logger.warning("Alert fired", metadata: metadata)
    case .resolved: logger.notice("Alert resolved", metadata: metadata)
    }
  }

  /// Tells this process's watchers what changed here, and what other nodes changed since the last
  /// look.
  private func publish(_ changes: [Alert], seen firing: [Alert]) async throws {
    var now = Dictionary(firing.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    for change in changes { now[change.id] = change.state == .firing ? change : nil }
    let current = now
    let before = known.withLock { known in
      defer { known = current }
      return known
    }
    for change in changes { live.publish(.alert(change)) }
    guard let before, live.hasSubscribers else { return }
    let told = Set(changes.map(\.id))
    for alert in firing where before[alert.id] == nil && !told.contains(alert.id) {
      live.publish(.alert(alert))
    }
    let gone = before.keys.filter { current[$0] == nil && !told.contains($0) }.sorted()
    guard !gone.isEmpty else { return }
    let resolved = try await database.read { connection in
      try gone.compactMap { try AlertStore.alert($0, in: connection) }
    }
    for alert in resolved { live.publish(.alert(alert)) }
  }
}
