/// Decides what follows each exchange of one refresh. Pure: the refresher performs what it returns.
struct RefreshAttempts: Sendable {
  enum Action: Sendable, Equatable {
    case store(TokenGrant)
    /// Ask again with the same refresh token.
    case retry(after: Duration)
    /// The grant is dead, unless the store holds a newer credential by now.
    case declareDead(code: String)
    /// The operator's client settings are refused.
    case misconfigured(code: String)
    /// Not now. The old credential stays as it is.
    case unavailable(reason: String)
  }

  static let limit = 3
  private var attempts = 0
  private var ambiguous = 0

  /// - Parameter jitter: in `0..<1`, spreads the waits.
  mutating func next(after outcome: TokenOutcome, jitter: Double) -> Action {
    attempts += 1
    switch outcome {
    case .granted(let grant): return .store(grant)
    case .grantRefused(let code): return .declareDead(code: code)
    case .clientRefused(let code): return .misconfigured(code: code)
    case .otherRefusal(let code): return .unavailable(reason: code)
    case .transient(let reason):
      guard attempts < Self.limit else { return .unavailable(reason: reason) }
      return .retry(after: backoff(jitter))
    case .ambiguous(let reason):
      // The provider may have rotated already. Rotating providers take the old token for a short
      // grace period, so it is tried once more, soon; a refusal then is final.
      ambiguous += 1
      guard ambiguous < 2, attempts < Self.limit else { return .unavailable(reason: reason) }
      return .retry(after: backoff(jitter))
    }
  }

  private func backoff(_ jitter: Double) -> Duration {
    .milliseconds(200) * (Double(1 << min(attempts - 1, 4)) * (0.5 + jitter / 2))
  }
}
