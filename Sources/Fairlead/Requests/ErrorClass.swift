/// What a provider's answer means for what we do next. One vocabulary for all providers.
public enum ErrorClass: String, Sendable, Hashable, Codable, CaseIterable {
  /// Network, timeout, overload: may work in a moment.
  case transient
  /// Slow down; the same call works later. Pauses its bucket, never opens a breaker.
  case rateLimited = "rate_limited"
  /// A lock or a duplicate in flight: short backoff, same idempotency key.
  case conflictRetryable = "conflict_retryable"
  /// The access token is stale: refresh once, replay once.
  case authExpired = "auth_expired"
  /// The grant is dead: the connection needs its person again.
  case authRevoked = "auth_revoked"
  /// Money, plan or daily cap: waiting does not help.
  case quotaExhausted = "quota_exhausted"
  /// A scope or permission is missing.
  case forbidden
  case notFound = "not_found"
  /// The caller's own mistake, or a business decline.
  case invalid
  /// A sync token or history is too old.
  case cursorExpired = "cursor_expired"
}
