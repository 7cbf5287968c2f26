/// What an evaluation found about one rule of one integration.
enum AlertVerdict: Sendable, Hashable {
  /// The limit is broken: the figure, and the words for it.
  case violated(Double, String)
  /// It is not; without a figure when there was too little to judge by.
  case fine(Double?, String)
}

/// One rule of one integration with its limit. Pure: counts in, verdict out.
struct AlertCheck: Sendable, Hashable {
  struct Key: Sendable, Hashable {
    var rule: AlertRule
    var integration: IntegrationName
  }

  var key: Key
  /// The integration as people know it.
  var name: String
  var limit: AlertLimit

  init(_ rule: AlertRule, of integration: IntegrationName, name: String, _ limit: AlertLimit) {
    key = Key(rule: rule, integration: integration)
    self.name = name
    self.limit = limit
  }

  /// Every rule that is on, in the order of integrations and rules.
  static func all(_ settings: AlertSettings, of integrations: [Integration]) -> [AlertCheck] {
    integrations.flatMap { integration in
      let limits = settings.limits(for: integration.name)
      return AlertRule.allCases.compactMap { rule in
        limits[rule].map {
          AlertCheck(rule, of: integration.name, name: integration.definition.displayName, $0)
        }
      }
    }
  }

  /// - Parameter counters: what happened in the limit's window.
  func verdict(_ counters: HealthCounters) -> AlertVerdict {
    let text = AlertText(check: self)
    switch key.rule {
    case .successRate:
      guard counters.rated >= Int64(max(1, limit.minimumCalls)) else {
        return .fine(nil, text.tooFew(counters.rated))
      }
      // Divided once and rounded once, so that exactly 95 of 100 is not below 95 %.
      let rate = Double(counters.rated &- counters.failures) / Double(counters.rated)
      return rate < limit.threshold
        ? .violated(rate, text.lowSuccess(counters, rate)) : .fine(rate, text.success(counters))
    case .latency:
      guard counters.rated >= Int64(max(1, limit.minimumCalls)),
        let mean = counters.meanLatency
      else { return .fine(nil, text.tooFew(counters.rated)) }
      return mean > limit.threshold
        ? .violated(mean, text.slow(counters, mean)) : .fine(mean, text.fast(counters, mean))
    case .serverErrors:
      let count = Double(counters.serverErrors)
      return count > limit.threshold
        ? .violated(count, text.manyServerErrors(counters.serverErrors))
        : .fine(count, text.fewServerErrors(counters.serverErrors))
    case .webhookFailures:
      // An attempt that failed counts as failed or, where it was the last one, as dead.
      let failures = counters.webhooksFailed &+ counters.webhooksDead
      return Double(failures) > limit.threshold
        ? .violated(Double(failures), text.manyWebhookFailures(failures))
        : .fine(Double(failures), text.fewWebhookFailures(failures))
    }
  }
}
