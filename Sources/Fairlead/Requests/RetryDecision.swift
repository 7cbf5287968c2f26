/// What to do after an attempt: the state machine of one logical call. It performs nothing; the
/// pipeline does what it says.
struct RetryDecision {
  /// How an attempt ended.
  enum Outcome {
    /// - Parameters:
    ///   - hint: when the provider wants to be called again.
    ///   - shouldRetry: `Stripe-Should-Retry` or `x-should-retry`, which override the status.
    case answered(Classification, status: Int, hint: Duration?, shouldRetry: Bool?)
    case failed(TransportError)
  }

  enum Reason: Equatable {
    case asked(Duration)
    case status(Int)
    case transport(TransportError.Kind)
  }

  struct Failure: Equatable {
    var code: ErrorCode
    var retryAfter: Duration?
    /// The grant is dead: the connection has to be told.
    var grantDied = false
    /// The token is stale, but the body cannot be sent again: renew it for the next call.
    var refreshForNext = false
    var budgetExhausted = false
  }

  enum Action: Equatable {
    case succeed
    case retry(after: Duration, Reason)
    case refresh
    case fail(Failure)
  }

  /// What the decision depends on besides the outcome.
  struct Circumstances {
    var bodyReplayable: Bool
    /// Whether the credential is of a kind that can be renewed.
    var refreshable: Bool
    var remaining: Duration
    /// How long the circuit breaker refuses attempts; `nil` when it does not.
    var refusedFor: Duration?
    var random: RandomSource
    /// Takes a retry's cost from the budget; `false` when it is empty.
    var takeFromBudget: (Int) -> Bool
  }

  let policy: RetryPolicy
  let idempotency: Idempotency
  /// The attempt whose outcome comes next, from 1.
  private(set) var attempt = 1
  private var refreshed = false
  /// An attempt may have had its effect without our knowing.
  private var ambiguous = false

  init(policy: RetryPolicy, idempotency: Idempotency) {
    self.policy = policy
    self.idempotency = idempotency
  }

  /// Whether an attempt may have had its effect and nobody can tell by trying again.
  var outcomeIsUnknown: Bool { ambiguous && !idempotency.callerMayRepeat }

  mutating func next(after outcome: Outcome, _ circumstances: Circumstances) -> Action {
    switch outcome {
    case .answered(let meaning, let status, let hint, let shouldRetry):
      guard let errorClass = meaning.errorClass else { return .succeed }
      switch errorClass {
      case .rateLimited:
        return rateLimited(hint: hint, shouldRetry: shouldRetry, circumstances)
      case .transient, .conflictRetryable:
        if meaning.effect == .unknown { ambiguous = true }
        let code: ErrorCode = errorClass == .transient ? .serviceUnavailable : .conflict
        guard idempotency.allowsRepeat || meaning.effect == .none, shouldRetry != false else {
          return fail(code, hint: hint)
        }
        return retry(hint: hint, .status(status), cost: RetryBudget.retryCost, code, circumstances)
      case .authExpired: return authExpired(circumstances)
      case .authRevoked: return .fail(Failure(code: .needsReauth, grantDied: true))
      case .quotaExhausted: return .fail(Failure(code: .quotaExhausted, retryAfter: hint))
      case .forbidden: return .fail(Failure(code: .forbidden))
      case .notFound: return .fail(Failure(code: .notFound))
      case .cursorExpired: return .fail(Failure(code: .conflict))
      case .invalid:
        if shouldRetry == true, idempotency.allowsRepeat {
          return retry(
            hint: hint, .status(status), cost: RetryBudget.retryCost, Self.code(status: status),
            circumstances)
        }
        return .fail(Failure(code: Self.code(status: status)))
      }
    case .failed(let error): return failed(error, circumstances)
    }
  }

  private mutating func failed(_ error: TransportError, _ circumstances: Circumstances) -> Action {
    switch error.kind {
    case .requestBody, .request: return .fail(Failure(code: .invalidRequest))
    case .refusedAddress: return .fail(Failure(code: .configurationError))
    case .connect, .timeout, .disconnected, .malformed: break
    }
    if !error.nothingSent { ambiguous = true }
    let code: ErrorCode = error.kind == .timeout ? .upstreamTimeout : .serviceUnavailable
    guard error.nothingSent || idempotency.allowsRepeat else { return fail(code, hint: nil) }
    return retry(
      hint: nil, .transport(error.kind), cost: RetryBudget.retryCost, code, circumstances)
  }

  private mutating func rateLimited(
    hint: Duration?, shouldRetry: Bool?, _ circumstances: Circumstances
  ) -> Action {
    guard shouldRetry != false else { return fail(.rateLimitExceeded, hint: hint) }
    return retry(
      hint: hint, hint.map(Reason.asked) ?? .status(429), cost: RetryBudget.throttleCost,
      .rateLimitExceeded, circumstances)
  }

  private mutating func authExpired(_ circumstances: Circumstances) -> Action {
    guard circumstances.refreshable, !refreshed else {
      return .fail(Failure(code: .needsReauth, grantDied: true))
    }
    guard circumstances.bodyReplayable else {
      return .fail(Failure(code: .serviceUnavailable, refreshForNext: true))
    }
    refreshed = true
    return .refresh
  }

  private mutating func retry(
    hint: Duration?, _ reason: Reason, cost: Int, _ code: ErrorCode, _ circumstances: Circumstances
  ) -> Action {
    guard attempt < policy.attempts, circumstances.bodyReplayable else {
      return fail(code, hint: hint)
    }
    if let hint, hint > policy.retryAfterCap { return fail(code, hint: hint) }
    let delay =
      if let hint {
        policy.delay(honouring: hint, attempt: attempt, random: circumstances.random)
      } else {
        policy.backoff(attempt: attempt, random: circumstances.random)
      }
    guard delay + RetryPolicy.minimumUsefulTime <= circumstances.remaining else {
      return fail(code, hint: hint)
    }
    // Waiting only to be refused helps nobody.
    if let refused = circumstances.refusedFor, refused > delay {
      return fail(code, hint: max(hint ?? .zero, refused))
    }
    guard circumstances.takeFromBudget(cost) else {
      return fail(code, hint: hint, budgetExhausted: true)
    }
    attempt += 1
    return .retry(after: delay, reason)
  }

  private func fail(_ code: ErrorCode, hint: Duration?, budgetExhausted: Bool = false) -> Action {
    // Whether an earlier attempt did it, only the provider knows.
    if outcomeIsUnknown { return .fail(Failure(code: .outcomeUnknown)) }
    return .fail(Failure(code: code, retryAfter: hint, budgetExhausted: budgetExhausted))
  }

  private static func code(status: Int) -> ErrorCode {
    switch status {
    case 409: .conflict
    case 413: .payloadTooLarge
    default: .invalidRequest
    }
  }
}
