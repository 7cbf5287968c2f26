import Testing

@testable import Fairlead

@Suite struct RetryDecisionTests {
  private func circumstances(
    _ random: RandomSource, remaining: Duration = .seconds(60), replayable: Bool = true,
    budget: Bool = true
  ) -> RetryDecision.Circumstances {
    RetryDecision.Circumstances(
      bodyReplayable: replayable, refreshable: true, remaining: remaining, random: random,
      takeFromBudget: { _ in budget })
  }

  private func outcome(_ random: RandomSource) -> RetryDecision.Outcome {
    switch random.next() % 3 {
    case 0:
      let kinds: [TransportError.Kind] = [.connect, .timeout, .disconnected, .malformed]
      let kind = kinds[Int(random.next() % 4)]
      return .failed(TransportError(kind, nothingSent: kind == .connect, detail: ""))
    default:
      let errorClass = ErrorClass.allCases[Int(random.next() % UInt64(ErrorClass.allCases.count))]
      let effect: ProviderDefinition.Effect = random.next() % 2 == 0 ? .none : .unknown
      let hint: Duration? = random.next() % 2 == 0 ? .seconds(Int(random.next() % 90)) : nil
      return .answered(
        Classification(
          errorClass: random.next() % 6 == 0 ? nil : errorClass, effect: effect, message: nil),
        status: 500, hint: hint, shouldRetry: [nil, true, false][Int(random.next() % 3)])
    }
  }

  /// The heart of the matter: a write that may have happened is never sent again.
  @Test(arguments: 1...300)
  func aWriteThatMayHaveHappenedIsNeverRepeated(seed: UInt64) {
    let random = RandomSource(seed: seed)
    var decision = RetryDecision(
      policy: RetryPolicy(ProviderDefinition.RetrySettings()), idempotency: .none)
    var mayHaveHappened = false
    var refreshes = 0
    for _ in 0..<20 {
      let outcome = outcome(random)
      switch outcome {
      case .failed(let error): mayHaveHappened = mayHaveHappened || !error.nothingSent
      case .answered(let meaning, _, _, _):
        if meaning.errorClass == .transient || meaning.errorClass == .conflictRetryable {
          mayHaveHappened = mayHaveHappened || meaning.effect == .unknown
        }
      }
      let remaining: Duration = .seconds(Int(random.next() % 60))
      switch decision.next(after: outcome, circumstances(random, remaining: remaining)) {
      case .retry(let delay, _):
        #expect(!mayHaveHappened)
        #expect(delay <= remaining)
      case .refresh: refreshes += 1
      case .succeed: return
      case .fail(let failure):
        let mustNotRepeat: Set<ErrorCode> = [
          .serviceUnavailable, .rateLimitExceeded, .upstreamTimeout, .conflict,
        ]
        if mayHaveHappened, case .failed = outcome {
          #expect(!mustNotRepeat.contains(failure.code))
        }
        #expect(decision.attempt <= 3)
        #expect(refreshes <= 1)
        return
      }
    }
    Issue.record("a call that never ends")
  }

  @Test(arguments: 1...100)
  func noCallTakesMoreAttemptsThanItsPolicy(seed: UInt64) {
    let random = RandomSource(seed: seed)
    var decision = RetryDecision(
      policy: RetryPolicy(ProviderDefinition.RetrySettings()), idempotency: .byMethod)
    var retries = 0
    for _ in 0..<20 {
      switch decision.next(after: outcome(random), circumstances(random)) {
      case .retry: retries += 1
      case .refresh: continue
      case .succeed, .fail:
        #expect(retries <= 2)
        return
      }
    }
    Issue.record("a call that never ends")
  }

  private static let transient = Classification(
    errorClass: .transient, effect: .unknown, message: nil)

  @Test func whatCannotBeRetriedSaysWhy() {
    let random = RandomSource(seed: 1)
    let policy = RetryPolicy(ProviderDefinition.RetrySettings())
    func first(
      _ idempotency: Idempotency, _ outcome: RetryDecision.Outcome,
      _ circumstances: RetryDecision.Circumstances
    ) -> RetryDecision.Action {
      var decision = RetryDecision(policy: policy, idempotency: idempotency)
      return decision.next(after: outcome, circumstances)
    }
    let overloaded = RetryDecision.Outcome.answered(
      Self.transient, status: 503, hint: nil, shouldRetry: nil)
    #expect(
      first(.byMethod, overloaded, circumstances(random, budget: false))
        == .fail(.init(code: .serviceUnavailable, budgetExhausted: true)))
    #expect(
      first(.byMethod, overloaded, circumstances(random, replayable: false))
        == .fail(.init(code: .serviceUnavailable)))
    #expect(
      first(.byMethod, overloaded, circumstances(random, remaining: .milliseconds(10)))
        == .fail(.init(code: .serviceUnavailable)))
    #expect(
      first(.none, overloaded, circumstances(random)) == .fail(.init(code: .outcomeUnknown)))
    #expect(
      first(.byOurKey, overloaded, circumstances(random, budget: false))
        == .fail(.init(code: .outcomeUnknown)))
    #expect(
      first(.byCallersKey, overloaded, circumstances(random, budget: false))
        == .fail(.init(code: .outcomeUnknown)))
    let throttled = RetryDecision.Outcome.answered(
      Classification(errorClass: .rateLimited, effect: .none, message: nil), status: 429,
      hint: .seconds(61), shouldRetry: nil)
    #expect(
      first(.none, throttled, circumstances(random, remaining: .seconds(600)))
        == .fail(.init(code: .rateLimitExceeded, retryAfter: .seconds(61))))
    let vetoed = RetryDecision.Outcome.answered(
      Self.transient, status: 500, hint: nil, shouldRetry: false)
    #expect(
      first(.byMethod, vetoed, circumstances(random)) == .fail(.init(code: .serviceUnavailable)))
  }

  @Test func aStaleTokenIsRenewedOnceAndThenTheGrantIsDead() {
    let random = RandomSource(seed: 1)
    var decision = RetryDecision(
      policy: RetryPolicy(ProviderDefinition.RetrySettings()), idempotency: .none)
    let stale = RetryDecision.Outcome.answered(
      Classification(errorClass: .authExpired, effect: .none, message: nil), status: 401,
      hint: nil, shouldRetry: nil)
    let first = decision.next(after: stale, circumstances(random))
    let second = decision.next(after: stale, circumstances(random))
    #expect(first == .refresh)
    #expect(second == .fail(.init(code: .needsReauth, grantDied: true)))
  }
}
