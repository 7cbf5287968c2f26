public enum AlertKind: IdentifierKind { public static let prefix = "alrt" }
public typealias AlertID = Identifier<AlertKind>

/// What is watched of each integration. docs/alerts.md defines each of them.
public enum AlertRule: String, Sendable, Hashable, Codable, CaseIterable {
  /// The share of calls that succeeded is too low.
  case successRate = "success_rate"
  /// Calls take too long on average, deliberate waits left out.
  case latency
  /// Too many attempts were answered with a 5xx.
  case serverErrors = "server_errors"
  /// Too many attempts at handing on webhook events failed. Forged webhooks are none of them.
  case webhookFailures = "webhook_failures"
}

/// One time that something was wrong with an integration, from the moment it was noticed.
public struct Alert: Sendable, Hashable {
  public enum State: String, Sendable, Hashable, Codable, CaseIterable { case firing, resolved }

  public var id: AlertID
  public var rule: AlertRule
  public var integration: IntegrationName
  public var state: State
  /// For people: what happened, how much, and where to look. While it fires it follows the figures;
  /// once it is resolved it says why.
  public var message: String
  /// The last figure: a share from 0 to 1 for `successRate`, milliseconds for `latency`, else a
  /// count.
  public var value: Double
  /// What the figure was compared with, in the same unit.
  public var threshold: Double
  public var firedAt: Timestamp
  public var resolvedAt: Timestamp?
  /// Since when the figure has been fine again, while that is not long enough to resolve.
  var quietSince: Timestamp?
}

extension Alert: Encodable {
  private enum CodingKeys: String, CodingKey {
    case id, rule, integration, state, message, value, threshold
    case firedAt = "fired_at"
    case resolvedAt = "resolved_at"
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(rule, forKey: .rule)
    try container.encode(integration, forKey: .integration)
    try container.encode(state, forKey: .state)
    try container.encode(message, forKey: .message)
    try container.encode(value, forKey: .value)
    try container.encode(threshold, forKey: .threshold)
    try container.encode(firedAt, forKey: .firedAt)
    // Always there, so that a reader need not tell absent from null.
    try container.encode(resolvedAt, forKey: .resolvedAt)
  }
}

/// Which alerts a list holds. Empty parts match everything.
public struct AlertFilter: Sendable {
  public var integration: IntegrationName?
  public var rule: AlertRule?
  public var state: Alert.State?

  public init(
    integration: IntegrationName? = nil, rule: AlertRule? = nil, state: Alert.State? = nil
  ) {
    self.integration = integration
    self.rule = rule
    self.state = state
  }
}
