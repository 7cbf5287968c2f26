import Fairlead

/// One model's budget: requests and tokens a minute, refilled evenly.
struct OpenAIRateLimit: Sendable {
  static let requests = 30_000.0
  static let tokens = 150_000_000.0

  private var requestLevel = Self.requests
  private var tokenLevel = Self.tokens
  private var filled: Timestamp

  init(now: Timestamp) { filled = now }

  /// Takes one request of `tokens`; `false` when the budget is spent.
  mutating func take(tokens: Int, now: Timestamp) -> Bool {
    let minutes = max(0, (now - filled).inSeconds) / 60
    filled = max(filled, now)
    requestLevel = min(Self.requests, requestLevel + minutes * Self.requests)
    tokenLevel = min(Self.tokens, tokenLevel + minutes * Self.tokens)
    guard requestLevel >= 1, tokenLevel >= Double(tokens) else { return false }
    requestLevel -= 1
    tokenLevel -= Double(tokens)
    return true
  }

  func write(to response: inout SimulatedResponse) {
    response.set("x-ratelimit-limit-requests", String(Int(Self.requests)))
    response.set("x-ratelimit-limit-tokens", String(Int(Self.tokens)))
    response.set("x-ratelimit-remaining-requests", String(Int(requestLevel)))
    response.set("x-ratelimit-remaining-tokens", String(Int(tokenLevel)))
    response.set(
      "x-ratelimit-reset-requests", Self.text(1 - requestLevel / Self.requests))
    response.set("x-ratelimit-reset-tokens", Self.text(1 - tokenLevel / Self.tokens))
  }

  /// The time until the budget is full, as Go writes durations: `20ms`, `1.5s`.
  private static func text(_ minutes: Double) -> String {
    let milliseconds = Int((minutes * 60_000).rounded(.up))
    guard milliseconds >= 1_000 else { return "\(milliseconds)ms" }
    let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
    let hundredths = rest / 10
    return hundredths == 0
      ? "\(seconds)s" : "\(seconds).\(hundredths < 10 ? "0" : "")\(hundredths)s"
  }
}
