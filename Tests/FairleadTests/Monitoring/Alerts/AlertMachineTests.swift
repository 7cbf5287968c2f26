import Testing

@testable import Fairlead

@Suite struct AlertMachineTests {
  private static let start = Timestamp(seconds: 1_800_000_000)

  private static func alert(quietSince: Timestamp? = nil) -> Alert {
    Alert(
      id: AlertID(rawValue: "alrt_1"), rule: .latency, integration: "stripe", state: .firing,
      message: "slow", value: 7_000, threshold: 5_000, firedAt: start, quietSince: quietSince)
  }

  private func step(_ alert: Alert?, _ verdict: AlertVerdict, after seconds: Int64 = 0)
    -> AlertStep?
  {
    AlertMachine.step(
      alert, verdict, at: Self.start + .seconds(seconds), resolveAfter: .seconds(120))
  }

  @Test func firesOnlyWhenNothingFires() {
    #expect(step(nil, .violated(1, "a")) == .fire(value: 1, message: "a"))
    #expect(step(nil, .fine(1, "a")) == nil)
    #expect(step(Self.alert(), .violated(7_000, "slow")) == nil)
    #expect(
      step(Self.alert(), .violated(8_000, "slower")) == .update(value: 8_000, message: "slower"))
  }

  @Test func resolvesOnlyWhenItHasBeenFineForLongEnough() {
    let quiet = Self.alert(quietSince: Self.start)
    #expect(step(Self.alert(), .fine(1, "a")) == .calm)
    #expect(step(quiet, .fine(1, "a"), after: 119) == nil)
    #expect(step(quiet, .fine(1, "a"), after: 120) == .resolve(value: 1, message: "a"))
    // Breaking out again ends the quiet, even with the same words.
    #expect(
      step(quiet, .violated(7_000, "slow"), after: 60) == .update(value: 7_000, message: "slow"))
  }

  @Test func resolvesAtOnceWithoutAWait() {
    #expect(
      AlertMachine.step(Self.alert(), .fine(nil, "a"), at: Self.start, resolveAfter: .zero)
        == .resolve(value: nil, message: "a"))
  }

  @Test(arguments: [Duration.zero, .seconds(600)])
  func anAlertWhoseRuleNobodyWatchesIsResolvedInTime(resolveAfter: Duration) {
    func step(_ alert: Alert, after seconds: Int64) -> AlertStep? {
      AlertMachine.plan(
        [], [:], firing: [alert], at: Self.start + .seconds(seconds), resolveAfter: resolveAfter
      ).first?.step
    }
    let quiet = Self.alert(quietSince: Self.start)
    let wait: Int64 = resolveAfter == .zero ? 300 : 600
    #expect(step(Self.alert(), after: 0) == .calm)
    #expect(step(quiet, after: wait - 1) == nil)
    #expect(
      step(quiet, after: wait)
        == .resolve(value: nil, message: "This rule is no longer watched for stripe."))
  }

  /// What the machine may do, whatever happens: one firing alert at most for each key, one firing
  /// per episode, a resolution exactly when it was fine long enough.
  @Test(arguments: UInt64(1)...40)
  func whateverHappensAnAlertFiresOnceAndIsResolvedOnce(seed: UInt64) throws {
    let random = RandomSource(seed: seed)
    let keys: [AlertCheck.Key] = [
      .init(rule: .serverErrors, integration: "a"), .init(rule: .serverErrors, integration: "b"),
      .init(rule: .webhookFailures, integration: "a"),
    ]
    let limit = AlertLimit(threshold: 10, window: .seconds(300))
    let checks = keys.map {
      AlertCheck($0.rule, of: $0.integration, name: $0.integration.rawValue, limit)
    }
    var now = Self.start
    var firing: [Alert] = []
    var number = 0
    // The model: since when each key has been fine, and whether it fires.
    var fineSince: [AlertCheck.Key: Timestamp] = [:]
    var fires: Set<AlertCheck.Key> = []
    for _ in 0..<120 {
      now = now + .seconds(Double(5 + Int(random.unit() * 60)))
      var counters: [IntegrationName: HealthCounters] = [:]
      for name in ["a", "b"] as [IntegrationName] {
        var counter = HealthCounters()
        counter.serverErrors = random.unit() < 0.3 ? 11 + Int64(random.unit() * 3) : 4
        counter.webhooksFailed = random.unit() < 0.2 ? 12 : 10
        counters[name] = counter
      }
      let plans = AlertMachine.plan(
        checks, [.seconds(300): counters], firing: firing, at: now, resolveAfter: .seconds(120))
      for plan in plans {
        switch plan.step {
        case .fire(let value, let message):
          #expect(plan.alert == nil)
          number += 1
          firing.append(
            Alert(
              id: AlertID(rawValue: "alrt_\(number)"), rule: plan.key.rule,
              integration: plan.key.integration, state: .firing, message: message, value: value,
              threshold: plan.threshold, firedAt: now))
        case .update(let value, let message):
          let index = try #require(firing.firstIndex { $0.id == plan.alert?.id })
          firing[index].value = value
          firing[index].message = message
          firing[index].quietSince = nil
        case .calm:
          let index = try #require(firing.firstIndex { $0.id == plan.alert?.id })
          firing[index].quietSince = now
        case .resolve:
          firing.removeAll { $0.id == plan.alert?.id }
        }
      }
      for check in checks {
        let isFine = !check.verdict(try #require(counters[check.key.integration])).isViolated
        fineSince[check.key] = isFine ? fineSince[check.key] ?? now : nil
        if !isFine {
          fires.insert(check.key)
        } else if let since = fineSince[check.key], now - since >= .seconds(120) {
          fires.remove(check.key)
        }
      }
      let keysThatFire = firing.map { AlertCheck.Key(rule: $0.rule, integration: $0.integration) }
      #expect(Set(keysThatFire).count == keysThatFire.count)
      #expect(Set(keysThatFire) == fires)
      // Asked again with nothing new, nothing happens.
      let again = AlertMachine.plan(
        checks, [.seconds(300): counters], firing: firing, at: now, resolveAfter: .seconds(120))
      #expect(again.isEmpty)
    }
    #expect(number > 0)
  }
}
