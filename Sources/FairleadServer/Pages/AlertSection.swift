import Fairlead

/// The alerts of the Overview page: what fires, and what was resolved lately.
struct AlertSection {
  struct Line {
    var integration: String
    var name: String
    var rule: String
    var parts: [Part]
    var since: Overview.Moment
    var resolved: Overview.Moment?
    /// How long a resolved one lasted.
    var lasted: String
  }

  /// A piece of a message: words, or a request to copy.
  struct Part {
    var text: String
    var code: Bool
  }

  var title: String
  /// Nothing fires.
  var calm: Bool
  var firing: [Line]
  var resolved: [Line]
  var hasResolved: Bool

  init(
    _ firing: [Alert], resolved: [Alert], at now: Timestamp, name: (IntegrationName) -> String
  ) {
    func line(_ alert: Alert) -> Line {
      Line(
        integration: alert.integration.rawValue, name: name(alert.integration),
        rule: alert.rule.title, parts: Self.parts(of: alert.message),
        since: Overview.Moment(alert.firedAt, at: now),
        resolved: alert.resolvedAt.map { Overview.Moment($0, at: now) },
        lasted: PageText.duration((alert.resolvedAt ?? now) - alert.firedAt))
    }
    self.firing = firing.map(line)
    self.resolved = resolved.map(line)
    calm = firing.isEmpty
    hasResolved = !resolved.isEmpty
    title = firing.isEmpty ? "No alerts" : firing.count == 1 ? "1 alert" : "\(firing.count) alerts"
  }

  /// Splits a message at the requests it names, `GET /v1/…` up to the next space.
  static func parts(of message: String) -> [Part] {
    var parts: [Part] = []
    var rest = message[...]
    while let start = rest.firstRange(of: "GET /v1/") {
      let end = rest[start.upperBound...].firstIndex(of: " ") ?? rest.endIndex
      parts.append(Part(text: String(rest[..<start.lowerBound]), code: false))
      parts.append(Part(text: String(rest[start.lowerBound..<end]), code: true))
      rest = rest[end...]
    }
    parts.append(Part(text: String(rest), code: false))
    return parts.filter { !$0.text.isEmpty }
  }
}

extension AlertRule {
  /// As people read it.
  var title: String {
    switch self {
    case .successRate: "Success rate"
    case .latency: "Latency"
    case .serverErrors: "Server errors"
    case .webhookFailures: "Webhook failures"
    }
  }
}
