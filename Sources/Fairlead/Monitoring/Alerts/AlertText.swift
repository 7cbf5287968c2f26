import Foundation

/// The sentences of alerts: what, how much, since when, and where to look.
struct AlertText {
  let check: AlertCheck

  private var name: String { check.name }
  private var integration: String { check.key.integration.rawValue }
  private var window: String { "in the last \(Self.span(check.limit.window))" }

  // MARK: Firing

  func lowSuccess(_ counters: HealthCounters, _ rate: Double) -> String {
    // Rounded towards the failing side: "95.0 % succeeded, below 95 %" would be nonsense.
    let share = Self.decimal((rate * 1_000).rounded(.down) / 10)
    return "\(Self.count(counters.failures)) of \(Self.calls(counters.rated)) to \(name) failed "
      + "\(window): \(share) % succeeded, below \(Self.decimal(check.limit.threshold * 100)) %. "
      + "\(requests) lists them with their errors; \(name)'s status page may say more."
  }

  func slow(_ counters: HealthCounters, _ mean: Double) -> String {
    "Calls to \(name) took \(Self.seconds(mean)) on average \(window) "
      + "(\(Self.calls(counters.rated))), above \(Self.seconds(check.limit.threshold)). "
      + "\(requests) shows which of them are slow."
  }

  func manyServerErrors(_ count: Int64) -> String {
    "\(name) answered \(Self.count(count)) \(count == 1 ? "attempt" : "attempts") with a server "
      + "error \(window), more than \(allowed). The trouble is on their side; "
      + "\(requests) shows which calls it hit."
  }

  func manyWebhookFailures(_ count: Int64) -> String {
    "\(Self.count(count)) \(count == 1 ? "attempt" : "attempts") to hand on webhook events of "
      + "\(name) failed \(window), more than \(allowed). "
      + "GET /v1/events?integration=\(integration)&status=failed lists events that are tried again, "
      + "status=dead those that were given up and can be replayed."
  }

  // MARK: Fine again

  func success(_ counters: HealthCounters) -> String {
    let good = counters.rated &- counters.failures
    return "\(Self.count(good)) of \(Self.calls(counters.rated)) to \(name) succeeded \(window)."
  }

  func fast(_ counters: HealthCounters, _ mean: Double) -> String {
    "Calls to \(name) took \(Self.seconds(mean)) on average \(window)."
  }

  func fewServerErrors(_ count: Int64) -> String {
    count == 0
      ? "\(name) answered no attempt with a server error \(window)."
      : "\(name) answered \(Self.count(count)) attempts with a server error \(window), "
        + "no more than \(allowed)."
  }

  func fewWebhookFailures(_ count: Int64) -> String {
    count == 0
      ? "Webhook events of \(name) were handed on without a failure \(window)."
      : "\(Self.count(count)) attempts to hand on webhook events of \(name) failed \(window), "
        + "no more than \(allowed)."
  }

  func tooFew(_ calls: Int64) -> String {
    calls == 0
      ? "There were no calls to \(name) \(window) to judge by."
      : "\(Self.calls(calls)) to \(name) \(window) \(calls == 1 ? "is" : "are") too few to judge by."
  }

  static func switchedOff(_ integration: IntegrationName) -> String {
    "This rule is no longer watched for \(integration)."
  }

  // MARK: Parts

  private var requests: String { "GET /v1/requests?integration=\(integration)" }
  private var allowed: String { Self.decimal(check.limit.threshold) }

  private static func count(_ number: Int64) -> String { HealthMessage.count(number) }

  private static func calls(_ number: Int64) -> String {
    number == 1 ? "1 call" : "\(count(number)) calls"
  }

  /// At most one decimal, and none where it is zero.
  private static func decimal(_ number: Double) -> String {
    let text = String(format: "%.1f", number)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func seconds(_ milliseconds: Double) -> String {
    milliseconds < 1_000
      ? String(format: "%.0f ms", milliseconds) : "\(decimal(milliseconds / 1_000)) s"
  }

  /// `hour`, `15 minutes`: to be put behind "the last".
  static func span(_ duration: Duration) -> String {
    let seconds = duration.microseconds / 1_000_000
    for (size, unit) in [(Int64(86_400), "day"), (3_600, "hour"), (60, "minute")]
    where seconds >= size && seconds % size == 0 {
      let number = seconds / size
      return number == 1 ? unit : "\(number) \(unit)s"
    }
    return "\(seconds) seconds"
  }
}
