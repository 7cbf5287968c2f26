import Testing

@testable import Fairlead

@Suite struct AlertCheckTests {
  private func verdict(
    _ rule: AlertRule, _ limit: AlertLimit? = nil, _ change: (inout HealthCounters) -> Void
  ) throws -> AlertVerdict {
    var counters = HealthCounters()
    change(&counters)
    let limit = try #require(limit ?? AlertSettings.standard[rule])
    return AlertCheck(rule, of: "stripe", name: "Stripe", limit).verdict(counters)
  }

  @Test(arguments: [
    // calls, failures, neutral, violated
    (Int64(20), Int64(1), Int64(0), false),  // exactly 95 %
    (20, 2, 0, true),
    (19, 19, 0, false),  // one call short of an opinion
    (120, 5, 20, false),  // neutral calls are no calls: 95 of 100
    (120, 6, 20, true),
    (39, 0, 20, false),
    (1_000, 50, 0, false),
    (1_000, 51, 0, true),
    (0, 0, 0, false),
  ])
  func successIsBelowItsThresholdOnlyWhenItIs(
    calls: Int64, failures: Int64, neutral: Int64, violated: Bool
  ) throws {
    let verdict = try verdict(.successRate) {
      $0.calls = calls
      $0.failures = failures
      $0.neutral = neutral
    }
    #expect(verdict.isViolated == violated)
  }

  /// Every percentage that can be configured, met exactly.
  @Test(arguments: 1...99)
  func aRateThatIsExactlyTheThresholdIsFine(percent: Int64) throws {
    let share = try SettingRules.share("\(percent)%")
    let limit = AlertLimit(threshold: share, window: .seconds(900), minimumCalls: 1)
    let exact = try verdict(.successRate, limit) {
      $0.calls = 700
      $0.failures = 700 - 7 * percent
    }
    #expect(!exact.isViolated)
    let below = try verdict(.successRate, limit) {
      $0.calls = 700
      $0.failures = 701 - 7 * percent
    }
    #expect(below.isViolated)
  }

  @Test(arguments: [
    (Int64(20), Int64(5_000), false), (20, 5_001, true), (19, 60_000, false), (1_000, 4_999, false),
  ])
  func latencyIsTheMeanOfEnoughCalls(calls: Int64, milliseconds: Int64, violated: Bool) throws {
    let verdict = try verdict(.latency) {
      $0.calls = calls
      $0.latency = calls * milliseconds * 1_000
    }
    #expect(verdict.isViolated == violated)
  }

  @Test func serverErrorsCountAttemptsAndElevenAreTooMany() throws {
    #expect(try !verdict(.serverErrors) { $0.serverErrors = 10 }.isViolated)
    #expect(try verdict(.serverErrors) { $0.serverErrors = 11 }.isViolated)
  }

  @Test func webhookFailuresAreFailedAndDeadAttemptsAndNoForgedOnes() throws {
    #expect(
      try verdict(.webhookFailures) {
        $0.webhooksFailed = 10
        $0.webhooksDead = 1
      }.isViolated)
    #expect(
      try !verdict(.webhookFailures) {
        $0.webhooksFailed = 10
        $0.webhooksForged = 1_000
        $0.webhooksRejected = 2_000
        $0.webhooksDuplicate = 50
      }.isViolated)
  }

  @Test(arguments: [
    (
      AlertRule.successRate,
      "3 of 40 calls to Stripe failed in the last 15 minutes: 92.5 % succeeded, below 95 %."
    ),
    (
      .latency,
      "Calls to Stripe took 7.2 s on average in the last 15 minutes (40 calls), above 5 s."
    ),
    (
      .serverErrors,
      "Stripe answered 12 attempts with a server error in the last 5 minutes, more than 10."
    ),
    (
      .webhookFailures,
      "11 attempts to hand on webhook events of Stripe failed in the last hour, more than 10."
    ),
  ])
  func theMessageSaysWhatHowMuchAndWhereToLook(rule: AlertRule, start: String) throws {
    let verdict = try verdict(rule) {
      $0.calls = 40
      $0.failures = 3
      $0.latency = 40 * 7_200_000
      $0.serverErrors = 12
      $0.webhooksFailed = 9
      $0.webhooksDead = 2
    }
    guard case .violated(_, let message) = verdict else {
      Issue.record("not violated")
      return
    }
    #expect(message.hasPrefix(start))
    #expect(message.contains("GET /v1/"))
  }

  @Test func aRateJustBelowItsThresholdIsNotRoundedUpToIt() throws {
    let verdict = try verdict(.successRate) {
      $0.calls = 10_000
      $0.failures = 501
    }
    guard case .violated(_, let message) = verdict else {
      Issue.record("not violated")
      return
    }
    #expect(message.contains("94.9 % succeeded, below 95 %"))
  }

  @Test func anIntegrationCanHaveItsOwnLimitsOrNone() {
    var settings = AlertSettings()
    settings.limits[.latency] = nil
    settings.overrides["slack"] = [.latency: AlertLimit(threshold: 1, window: .seconds(60))]
    settings.overrides["openai"] = [:]
    let integrations = ["openai", "slack", "stripe"].map { name in
      Integration(
        name: IntegrationName(name),
        definition: ProviderDefinition(
          name: name, displayName: name, purpose: "Tests", baseURL: "https://\(name).example",
          auth: .apiKey))
    }
    let keys = AlertCheck.all(settings, of: integrations).map(\.key)
    #expect(
      keys == [
        .init(rule: .latency, integration: "slack"),
        .init(rule: .successRate, integration: "stripe"),
        .init(rule: .serverErrors, integration: "stripe"),
        .init(rule: .webhookFailures, integration: "stripe"),
      ])
  }
}

extension AlertVerdict {
  var isViolated: Bool {
    if case .violated = self { true } else { false }
  }
}
