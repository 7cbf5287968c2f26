/// What one logical call says about the health of its integration.
public enum HealthOutcome: String, Sendable, Hashable, Codable, CaseIterable {
  /// The provider did its part, be it by refusing what the caller asked for.
  case success
  /// The integration did not work: outage, timeout, dead grant, spent quota.
  case failure
  /// Says nothing either way: held back by a rate limit, or given up by the caller.
  case neutral

  /// Reads the final result of a logical call (DESIGN section 4, "Health").
  ///
  /// The error class decides where there is one, because the provider answered; otherwise the code
  /// of the error that was born here. Both `nil` is a success.
  /// - Parameter cancelled: the caller went away before there was a result.
  public static func of(
    errorClass: ErrorClass?, errorCode: ErrorCode? = nil, cancelled: Bool = false
  ) -> HealthOutcome {
    if cancelled { return .neutral }
    if let errorClass { return of(errorClass) }
    if let errorCode { return of(errorCode) }
    return .success
  }

  private static func of(_ errorClass: ErrorClass) -> HealthOutcome {
    switch errorClass {
    case .transient, .authExpired, .authRevoked, .quotaExhausted: .failure
    case .rateLimited: .neutral
    case .conflictRetryable, .forbidden, .notFound, .invalid, .cursorExpired: .success
    }
  }

  private static func of(_ code: ErrorCode) -> HealthOutcome {
    switch code {
    case .serviceUnavailable, .upstreamTimeout, .outcomeUnknown, .needsReauth, .quotaExhausted,
      .configurationError:
      .failure
    case .rateLimitExceeded: .neutral
    case .unauthenticated, .forbidden, .notFound, .invalidRequest, .conflict, .payloadTooLarge:
      .success
    }
  }
}
