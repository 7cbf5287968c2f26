enum AlertsKey: String, YAMLKeySet {
  case interval, integrations, webhook
  case resolveAfter = "resolve_after"
  case successRate = "success_rate"
  case latency
  case serverErrors = "server_errors"
  case webhookFailures = "webhook_failures"
}

enum IntegrationAlertsKey: String, YAMLKeySet {
  case successRate = "success_rate"
  case latency
  case serverErrors = "server_errors"
  case webhookFailures = "webhook_failures"
}

enum AlertShareKey: String, YAMLKeySet {
  case threshold, window
  case minimumCalls = "min_calls"
}

enum AlertCountKey: String, YAMLKeySet { case threshold, window }
enum AlertWebhookKey: String, YAMLKeySet { case url, secret }

extension ConfigurationFormat {
  static let alertKeys: [String] =
    paths("alerts.", AlertsKey.self) + paths("alerts.success_rate.", AlertShareKey.self)
    + paths("alerts.latency.", AlertShareKey.self)
    + paths("alerts.server_errors.", AlertCountKey.self)
    + paths("alerts.webhook_failures.", AlertCountKey.self)
    + paths("alerts.webhook.", AlertWebhookKey.self)
    + paths("alerts.integrations.NAME.", IntegrationAlertsKey.self)
}

extension ConfigurationParser {
  private typealias Limits = [AlertRule: AlertLimit]

  func alerts(
    _ top: YAMLMapping<ConfigurationKey>, _ configuration: inout FairleadConfiguration
  ) {
    guard let reader = top[.alerts] else { return }
    if reader.isOff {
      configuration.alerts.limits = [:]
      return
    }
    guard let mapping = YAMLMapping<AlertsKey>(reader) else { return }
    if let interval = mapping[.interval]?.duration(in: .seconds(1)...(.seconds(3_600))) {
      configuration.alerts.interval = interval
    }
    if let wait = mapping[.resolveAfter]?.duration(in: .zero...(.seconds(86_400))) {
      configuration.alerts.resolveAfter = wait
    }
    let limits = limits(
      [
        .successRate: mapping[.successRate], .latency: mapping[.latency],
        .serverErrors: mapping[.serverErrors], .webhookFailures: mapping[.webhookFailures],
      ], over: configuration.alerts.limits)
    configuration.alerts.limits = limits
    for entry in mapping[.integrations]?.entries() ?? [] {
      configuration.alerts.overrides[IntegrationName(entry.key)] = overrides(
        entry.value, over: limits)
    }
    if let webhook = mapping.mapping(.webhook, AlertWebhookKey.self) {
      let url = webhook.require(.url, "where alerts go, https://…")?
        .setting(SettingRules.destinationURL)
      let secret = webhook.require(.secret, "the secret that signs the messages")?
        .setting(SettingRules.secret)
      if let url, let secret {
        configuration.alerts.webhook = AlertWebhook(url: url, secret: secret)
      }
    }
  }

  private func overrides(_ reader: YAMLReader, over limits: Limits) -> Limits {
    if reader.isOff { return [:] }
    guard let mapping = YAMLMapping<IntegrationAlertsKey>(reader) else { return limits }
    return self.limits(
      [
        .successRate: mapping[.successRate], .latency: mapping[.latency],
        .serverErrors: mapping[.serverErrors], .webhookFailures: mapping[.webhookFailures],
      ], over: limits)
  }

  /// - Parameter rules: what is said about each rule, where anything is.
  private func limits(_ rules: [AlertRule: YAMLReader?], over base: Limits) -> Limits {
    var limits = base
    for rule in AlertRule.allCases {
      guard let reader = rules[rule] ?? nil else { continue }
      limits[rule] = reader.isOff ? nil : limit(rule, reader, over: base[rule])
    }
    return limits
  }

  /// What is not said stays as it is; of a rule that was off, as it is by default.
  private func limit(
    _ rule: AlertRule, _ reader: YAMLReader, over base: AlertLimit?
  ) -> AlertLimit? {
    guard var limit = base ?? AlertSettings.standard[rule] else { return nil }
    let windows = Duration.seconds(60)...(.seconds(86_400))
    switch rule {
    case .successRate, .latency:
      guard let mapping = YAMLMapping<AlertShareKey>(reader) else { return limit }
      let threshold =
        rule == .successRate
        ? mapping[.threshold]?.setting(SettingRules.share)
        : mapping[.threshold]?.duration(in: .milliseconds(1)...(.seconds(3_600)))
          .map { Double($0.microseconds) / 1_000 }
      limit.threshold = threshold ?? limit.threshold
      limit.window = mapping[.window]?.duration(in: windows) ?? limit.window
      limit.minimumCalls = mapping[.minimumCalls]?.int(in: 1...1_000_000) ?? limit.minimumCalls
    case .serverErrors, .webhookFailures:
      guard let mapping = YAMLMapping<AlertCountKey>(reader) else { return limit }
      limit.threshold =
        mapping[.threshold]?.int(in: 0...1_000_000).map { Double($0) } ?? limit.threshold
      limit.window = mapping[.window]?.duration(in: windows) ?? limit.window
    }
    return limit
  }
}

extension YAMLReader {
  /// `off` in place of a mapping.
  fileprivate var isOff: Bool {
    guard case .scalar(let text, _) = node.content else { return false }
    return text == "off" || text == "false"
  }
}

extension SettingRules {
  /// A percentage such as `95%` or `99.5 %`, as a share from 0 to 1.
  static func share(_ text: String) throws(SettingFault) -> Double {
    var digits = text.trimming(while: \.isWhitespace)[...]
    if digits.hasSuffix("%") { digits = digits.dropLast() }
    let number = digits.trimming(while: \.isWhitespace)
    // `Double` would take `inf`, `0x1p3` and more.
    guard number.utf8.count <= 8, number.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 }),
      let percent = Double(number), percent > 0, percent <= 100
    else { throw SettingFault("is no percentage; write one above 0 and up to 100, such as 95%.") }
    return percent / 100
  }
}
