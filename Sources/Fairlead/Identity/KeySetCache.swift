/// What is known of one issuer's keys, and what to do when one is asked for. Pure; times are uptimes.
struct KeySetCache: Sendable {
  /// How long a set is fresh when the answer does not say, and at least.
  static let freshness = Duration.seconds(300)
  static let longestFreshness = Duration.seconds(3_600)
  /// How long a set still serves while no other can be fetched.
  static let staleness = Duration.seconds(86_400)
  /// Between two fetches for the sake of an unknown key, so that forged key ids fetch nothing; and
  /// after a failed one as long as there are keys to go by.
  static let pause = Duration.seconds(30)
  /// After a failed fetch without keys to go by.
  static let firstPause = Duration.seconds(5)

  enum Action: Sendable {
    case use(SigningKey)
    /// Fetch the set, then ask again.
    case fetch
    /// The issuer has no such key.
    case refuse
    /// The keys cannot be had.
    case unavailable(retryAfter: Duration)
  }

  private var keys: SigningKeySet?
  private var fetchedAt: Duration = .zero
  private var freshUntil: Duration = .zero
  private var failedAt: Duration?

  /// - Parameter fetched: whether this question has waited for a fetch already.
  func action(for id: String, now: Duration, fetched: Bool) -> Action {
    guard let keys, now < fetchedAt + Self.staleness else {
      let wait = pause(Self.firstPause, now: now)
      if wait > .zero { return .unavailable(retryAfter: wait) }
      return fetched ? .unavailable(retryAfter: Self.firstPause) : .fetch
    }
    let wait = pause(Self.pause, now: now)
    if let key = keys[id] {
      return now < freshUntil || fetched || wait > .zero ? .use(key) : .fetch
    }
    // After a failure nobody knows whether the key has come since.
    if wait > .zero { return .unavailable(retryAfter: wait) }
    if fetched { return .refuse }
    return failedAt != nil || now >= fetchedAt + Self.pause ? .fetch : .refuse
  }

  /// What is left of `length` after the last fetch, if that failed.
  private func pause(_ length: Duration, now: Duration) -> Duration {
    failedAt.map { max(.zero, $0 + length - now) } ?? .zero
  }

  /// A set that came replaces the one before: a key that is not in it any more is not used again.
  mutating func succeeded(_ keys: SigningKeySet, maximumAge: Duration?, now: Duration) {
    self.keys = keys
    fetchedAt = now
    failedAt = nil
    let age = maximumAge ?? Self.freshness
    freshUntil = now + min(max(age, Self.freshness), Self.longestFreshness)
  }

  mutating func failed(now: Duration) { failedAt = now }
}
