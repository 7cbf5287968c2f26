import Fairlead

/// What goes wrong with the requests it matches.
struct Fault: Sendable {
  enum Kind: String, Sendable, CaseIterable {
    /// Before any effect: the provider's "too many requests".
    case rateLimit = "rate_limit"
    /// Before any effect: the provider's own server error.
    case serverError = "server_error"
    /// Waits before the effect; the answer is the right one.
    case slow
    /// Before any effect: the connection is reset.
    case reset
    /// After the effect: the connection closes without an answer.
    case dropAfterCommit = "drop_after_commit"
    /// After the effect: the head promises the whole body, half of it comes.
    case truncate
    /// Before any effect: bytes that are no HTTP.
    case garbage
    /// At once: every access token issued so far is expired.
    case expireTokens = "expire_tokens"
    /// At once: every grant given so far is revoked.
    case revoke

    /// Whether it acts once, when it is set, rather than on requests.
    var isImmediate: Bool { self == .expireTokens || self == .revoke }
  }

  var id: String
  var provider: SandboxProvider
  var kind: Kind
  /// Upper case; `nil` matches every method.
  var method: String?
  /// The provider's own path, exact or with a trailing `*`; `nil` matches every path.
  var path: String?
  /// How many requests it still hits; `nil` until it is deleted.
  var remaining: Int?
  var status: Int?
  /// The value of `Retry-After`.
  var retryAfter: RetryAfter?
  /// The provider's error code instead of the usual one.
  var code: String?
  var delay: Duration = .zero
  /// A pause before each chunk of a streamed answer.
  var chunkDelay: Duration = .zero
  var hits = 0

  enum RetryAfter: Sendable {
    case seconds(Int)
    /// Sent as an HTTP date that many seconds ahead.
    case date(Int)
    /// Sent as it is.
    case verbatim(String)

    func text(now: Timestamp) -> String {
      switch self {
      case .seconds(let seconds): String(seconds)
      case .date(let seconds): HTTPDate.text(now + .seconds(seconds))
      case .verbatim(let text): text
      }
    }
  }

  func matches(_ provider: SandboxProvider, method: String, path: String) -> Bool {
    guard provider == self.provider, self.method.map({ $0 == method }) ?? true else { return false }
    return self.path.map { PathPattern.matches($0, path) } ?? true
  }

  var json: JSONValue {
    var members: [String: JSONValue] = [
      "id": .string(id), "provider": .string(provider.rawValue), "kind": .string(kind.rawValue),
      "times": remaining.map { .int(Int64($0)) } ?? .null, "hits": .int(Int64(hits)),
    ]
    var match: [String: JSONValue] = [:]
    if let method { match["method"] = .string(method) }
    if let path { match["path"] = .string(path) }
    if !match.isEmpty { members["match"] = .object(match) }
    if let status { members["status"] = .int(Int64(status)) }
    if let code { members["code"] = .string(code) }
    if delay > .zero { members["delay_ms"] = .int(delay.milliseconds) }
    if chunkDelay > .zero { members["chunk_delay_ms"] = .int(chunkDelay.milliseconds) }
    switch retryAfter {
    case .seconds(let seconds): members["retry_after"] = .int(Int64(seconds))
    case .date(let seconds):
      members["retry_after"] = .int(Int64(seconds))
      members["retry_after_format"] = "date"
    case .verbatim(let text): members["retry_after"] = .string(text)
    case nil: break
    }
    return .object(members)
  }
}

/// An exact path, or the beginning of one followed by `*`.
enum PathPattern {
  static func matches(_ pattern: String, _ path: String) -> Bool {
    pattern.hasSuffix("*") ? path.hasPrefix(pattern.dropLast()) : pattern == path
  }
}
