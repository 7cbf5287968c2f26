import Fairlead

/// How many requests came in the last ten seconds.
struct ClerkRateLimit: Sendable {
  static let window = Duration.seconds(10)
  let limit: Int
  private var times: [Timestamp] = []

  init(limit: Int) { self.limit = limit }

  /// Counts one request.
  /// - Returns: whole seconds to wait when the limit is reached; `nil` when it is not.
  mutating func take(now: Timestamp) -> Int64? {
    times.removeAll { now - $0 >= Self.window || $0 > now }
    guard times.count >= limit, let first = times.first else {
      times.append(now)
      return nil
    }
    return max(1, ((first + Self.window - now).milliseconds + 999) / 1_000)
  }
}
