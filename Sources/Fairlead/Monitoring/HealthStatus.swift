/// How an integration is, by the share of calls that failed (DESIGN section 4, "Health").
public enum HealthStatus: String, Sendable, Hashable, Codable, CaseIterable {
  /// Below 1 % failed.
  case healthy
  /// Below 10 % failed.
  case degraded
  case down
  /// There were no calls to judge by.
  case idle

  /// - Parameters:
  ///   - calls: the calls that succeeded or failed.
  ///   - failures: how many of them failed.
  public static func of(calls: Int64, failures: Int64) -> HealthStatus {
    guard calls > 0 else { return .idle }
    // In whole numbers, so that exactly 1 % and exactly 10 % fall on the worse side.
    if failures &* 100 < calls { return .healthy }
    if failures &* 10 < calls { return .degraded }
    return .down
  }
}

/// The sentence that goes with a status.
enum HealthMessage {
  struct Facts {
    var name: String
    var status: HealthStatus
    var breaker: IntegrationHealth.Breaker
    /// Over 24 hours; only calls that succeeded or failed.
    var calls: Int64
    var failures: Int64
    /// Over 24 hours; calls that say nothing about health.
    var neutral: Int64
    /// Over the last five minutes; only calls that succeeded or failed.
    var recentCalls: Int64
    var recentFailures: Int64
  }

  static func text(_ facts: Facts) -> String {
    let name = facts.name
    let share = "\(count(facts.failures)) of \(calls(facts.calls)) failed in the last 24 hours"
    let sentence =
      switch facts.status {
      case .idle where facts.neutral > 0:
        "No call to \(name) came through in the last 24 hours: "
          + "\(calls(facts.neutral)) waited for a limit or were cancelled."
      case .idle: "No calls to \(name) in the last 24 hours."
      case .healthy where facts.failures == 0: "\(name) is working."
      case .healthy: "\(name) is working: \(share)."
      case .degraded: "\(name) is having trouble: \(share)."
      case .down: "\(name) is down: \(share)."
      }
    let whole = sentence + (addition(facts).map { " \($0)" } ?? "")
    guard facts.breaker == .open else { return whole }
    return
      "\(name) is temporarily unavailable: it keeps failing, so calls are paused for a moment. "
      + whole
  }

  /// What the last minutes add to a picture of 24 hours.
  private static func addition(_ facts: Facts) -> String? {
    if facts.breaker == .halfOpen { return "It is being tried again." }
    guard facts.status == .degraded || facts.status == .down, facts.recentCalls > 0 else {
      return nil
    }
    if facts.recentFailures == 0 { return "It has worked again for the last 5 minutes." }
    return nil
  }

  private static func calls(_ number: Int64) -> String {
    number == 1 ? "1 call" : "\(count(number)) calls"
  }

  /// With a comma between thousands.
  static func count(_ number: Int64) -> String {
    var digits = String(number.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    groups.insert(digits, at: 0)
    return (number < 0 ? "-" : "") + groups.joined(separator: ",")
  }
}
