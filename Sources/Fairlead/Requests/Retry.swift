/// How often and how soon a call is tried again.
struct RetryPolicy: Sendable, Equatable {
  /// Attempts in all, the first included.
  var attempts: Int
  var base: Duration
  var cap: Duration
  /// A longer wish of the provider fails the call at once.
  var retryAfterCap: Duration

  /// An attempt that could only start this close to the deadline is not worth starting.
  static let minimumUsefulTime: Duration = .milliseconds(50)

  init(_ settings: ProviderDefinition.RetrySettings) {
    attempts = max(1, settings.attempts)
    base = max(.zero, settings.base)
    cap = max(.zero, settings.cap)
    retryAfterCap = max(.zero, settings.retryAfterCap)
  }

  /// Full jitter: anything between zero and `base · 2^(attempt-1)`, at most `cap`.
  /// - Parameter attempt: the one that failed, from 1.
  func backoff(attempt: Int, random: RandomSource) -> Duration {
    var ceiling = base
    for _ in 1..<max(1, min(attempt, 32)) where ceiling < cap { ceiling = ceiling * 2 }
    return min(ceiling, cap).scaled(by: random.unit())
  }

  /// Never earlier than the provider said, and up to 10 % later, so that the crowd it sent away
  /// does not come back as one.
  func delay(honouring hint: Duration, attempt: Int, random: RandomSource) -> Duration {
    guard hint > .zero else { return backoff(attempt: attempt, random: random) }
    return hint + hint.scaled(by: 0.1 * random.unit())
  }
}

extension Duration {
  /// To the microsecond.
  func scaled(by factor: Double) -> Duration {
    .microseconds(Int64((Double(microseconds) * factor).rounded()))
  }
}
