/// When a rule fires.
public struct AlertLimit: Sendable, Hashable {
  /// In the unit of `Alert.value`. `successRate` fires below it, the other rules above it.
  public var threshold: Double
  /// How far back counts go. They are kept by the minute, so the minute in which the window begins
  /// counts as a whole.
  public var window: Duration
  /// With fewer calls in the window nothing can be said. Only `successRate` and `latency` heed it.
  public var minimumCalls: Int

  public init(threshold: Double, window: Duration, minimumCalls: Int = 0) {
    self.threshold = threshold
    self.window = window
    self.minimumCalls = minimumCalls
  }
}

/// Where alerts are announced, beside the log.
public struct AlertWebhook: Sendable, Equatable {
  /// `https`, or `http` on this machine.
  public var url: String
  /// Signs the messages by Standard Webhooks: `whsec_` and base64 of 24 bytes or more.
  public var secret: Secret

  public init(url: String, secret: Secret) {
    self.url = url
    self.secret = secret
  }
}

/// The rules of a deployment: the block `alerts` of fairlead.yaml.
public struct AlertSettings: Sendable, Equatable {
  /// How often the rules are looked at.
  public var interval: Duration = .seconds(15)
  /// How long a figure must have been fine before its alert is resolved, so that one that hovers
  /// about its threshold does not fire again and again.
  public var resolveAfter: Duration = .seconds(120)
  /// Every integration's limits; a rule without one is off.
  public var limits: [AlertRule: AlertLimit] = AlertSettings.standard
  /// In place of `limits`, all of them, for single integrations.
  public var overrides: [IntegrationName: [AlertRule: AlertLimit]] = [:]
  public var webhook: AlertWebhook?
  /// How long resolved alerts are kept.
  public var retention: Duration = .seconds(90 * 86_400)

  public init() {}

  /// The thresholds are those of DESIGN section 4. It gives success and latency no window: health's
  /// 24 hours would keep an alert firing for most of a day after a bad hour, so they look at a
  /// quarter of an hour.
  public static let standard: [AlertRule: AlertLimit] = [
    .successRate: AlertLimit(threshold: 0.95, window: .seconds(900), minimumCalls: 20),
    .latency: AlertLimit(threshold: 5_000, window: .seconds(900), minimumCalls: 20),
    .serverErrors: AlertLimit(threshold: 10, window: .seconds(300)),
    .webhookFailures: AlertLimit(threshold: 10, window: .seconds(3_600)),
  ]

  func limits(for integration: IntegrationName) -> [AlertRule: AlertLimit] {
    overrides[integration] ?? limits
  }

  /// - Throws: `FairleadError` (`configurationError`) when the webhook cannot be used.
  public func validate() throws(FairleadError) {
    guard let webhook else { return }
    do throws(FairleadError) {
      try DestinationRules.check(url: webhook.url)
      try DestinationRules.check(secret: webhook.secret, url: webhook.url)
    } catch {
      throw FairleadError(.configurationError, "alerts.webhook: \(error.message)")
    }
  }
}
