/// What to do about one rule of one integration.
enum AlertStep: Sendable, Hashable {
  /// A new alert.
  case fire(value: Double, message: String)
  /// It is still broken, with other figures, or broken again before it was resolved.
  case update(value: Double, message: String)
  /// It is fine for the first time; wait whether it stays so.
  case calm
  /// It has stayed fine.
  case resolve(value: Double?, message: String)
}

/// The life of an alert: it fires once, follows the figures, and is resolved when they have been fine
/// for a while. Pure, and safe to ask twice: the same standing and verdict give the same step.
enum AlertMachine {
  /// - Parameter alert: the one that fires now, if any.
  /// - Returns: `nil` when there is nothing to do.
  static func step(
    _ alert: Alert?, _ verdict: AlertVerdict, at now: Timestamp, resolveAfter: Duration
  ) -> AlertStep? {
    switch (alert, verdict) {
    case (nil, .violated(let value, let message)): return .fire(value: value, message: message)
    case (nil, .fine): return nil
    case (let alert?, .violated(let value, let message)):
      let isNews = alert.quietSince != nil || alert.message != message
      return isNews ? .update(value: value, message: message) : nil
    case (let alert?, .fine(let value, let message)):
      guard resolveAfter > .zero else { return .resolve(value: value, message: message) }
      guard let since = alert.quietSince else { return .calm }
      return now - since >= resolveAfter ? .resolve(value: value, message: message) : nil
    }
  }

  /// How long a rule must have been watched by nobody before its alert is resolved: while a new
  /// configuration is rolled out nodes differ, and one that still watches it, or does already,
  /// begins the wait anew at each of its looks.
  static let patience = Duration.seconds(300)

  /// One step of one alert, and the limit it is about.
  struct Plan: Sendable {
    var key: AlertCheck.Key
    var threshold: Double
    /// The alert that fires now.
    var alert: Alert?
    var step: AlertStep
  }

  /// What one evaluation does: a step at most for each check, and for each alert whose rule is not
  /// watched here; that one counts as fine, for as long as `patience` at least.
  /// - Parameters:
  ///   - counters: by window and integration; what is not there is zero.
  ///   - firing: at most one for each key, as storage has it.
  static func plan(
    _ checks: [AlertCheck], _ counters: [Duration: [IntegrationName: HealthCounters]],
    firing: [Alert], at now: Timestamp, resolveAfter: Duration
  ) -> [Plan] {
    var open = Dictionary(
      firing.map { (AlertCheck.Key(rule: $0.rule, integration: $0.integration), $0) },
      uniquingKeysWith: { first, _ in first })
    var plans: [Plan] = []
    for check in checks {
      let alert = open.removeValue(forKey: check.key)
      let verdict = check.verdict(
        counters[check.limit.window]?[check.key.integration] ?? HealthCounters())
      guard let step = step(alert, verdict, at: now, resolveAfter: resolveAfter) else { continue }
      plans.append(
        Plan(key: check.key, threshold: check.limit.threshold, alert: alert, step: step))
    }
    for alert in open.values.sorted(by: { $0.id < $1.id }) {
      let verdict = AlertVerdict.fine(nil, AlertText.switchedOff(alert.integration))
      let wait = max(resolveAfter, patience)
      guard let step = step(alert, verdict, at: now, resolveAfter: wait) else { continue }
      plans.append(
        Plan(
          key: AlertCheck.Key(rule: alert.rule, integration: alert.integration),
          threshold: alert.threshold, alert: alert, step: step))
    }
    return plans
  }
}
