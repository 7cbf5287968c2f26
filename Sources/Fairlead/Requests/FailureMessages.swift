/// What people read when a call failed: what happened and what to do, never a bare status.
enum FailureMessages {
  /// - Parameters:
  ///   - ownWords: the definition's message for the very error, where it has one.
  ///   - credential: tells a refused key from an ended grant.
  static func text(
    _ failure: RetryDecision.Failure, provider: String, ownWords: String?, credential: Credential
  ) -> String {
    if failure.code == .outcomeUnknown {
      return "We could not confirm whether \(provider) did this. Check before trying again."
    }
    if failure.refreshForNext {
      return "Access to \(provider) had just expired and was renewed. Send this again."
    }
    if let ownWords { return ownWords }
    switch failure.code {
    case .rateLimitExceeded:
      guard let wait = failure.retryAfter else {
        return "\(provider) limits how often it may be called. Try again in a moment."
      }
      return "\(provider) limits how often it may be called. Try again in \(duration(wait))."
    case .quotaExhausted:
      return
        "The quota or credit of this \(provider) account is used up. Check its plan and billing."
    case .needsReauth:
      if case .oauth2 = credential {
        return "\(provider) no longer accepts this connection. Connect \(provider) again."
      }
      return "\(provider) refused the stored key. Check the key, then connect \(provider) again."
    case .forbidden:
      return
        "This connection may not do that at \(provider). Grant the missing permission, then try again."
    case .notFound: return "\(provider) has nothing at this address. Check the id or the path."
    case .invalidRequest: return "\(provider) did not accept this request. Check what was sent."
    case .payloadTooLarge: return "This is larger than \(provider) accepts. Send less at once."
    case .conflict:
      return
        "\(provider) reports a conflict with another change. Look at its state, then try again."
    case .upstreamTimeout:
      return "\(provider) took too long to answer. Try again in a moment."
    default: return "\(provider) cannot be reached right now. Try again in a moment."
    }
  }

  /// For a failure without an answer.
  static func text(_ error: TransportError, provider: String) -> String? {
    switch error.kind {
    case .requestBody:
      "The request's body ended before all of it was sent to \(provider). Send it again in full."
    case .request:
      "This request cannot be sent to \(provider): it holds a header or an address HTTP does not allow."
    case .refusedAddress:
      "\(provider) is at a private address, which is not allowed here. Set FAIRLEAD_ALLOW_PRIVATE_NETWORKS=true if it should be."
    case .malformed:
      "\(provider) sent an answer that cannot be read. Try again in a moment."
    case .connect, .timeout, .disconnected: nil
    }
  }

  /// `2 s`, `350 ms`, `3 min`.
  static func duration(_ duration: Duration) -> String {
    let milliseconds = duration.milliseconds
    if milliseconds < 1_000 { return "\(max(1, milliseconds)) ms" }
    let seconds = (milliseconds + 999) / 1_000
    if seconds < 120 { return "\(seconds) s" }
    let minutes = (seconds + 59) / 60
    return minutes < 120 ? "\(minutes) min" : "\((minutes + 59) / 60) h"
  }

  static func waitReason(_ reason: RetryDecision.Reason, provider: String) -> String {
    switch reason {
    case .asked(let wait): "\(provider) asked us to wait \(duration(wait))"
    case .status(let status): "\(provider) answered \(status), so we waited before trying again"
    case .transport(.connect): "\(provider) could not be reached, so we waited before trying again"
    case .transport: "the exchange with \(provider) failed, so we waited before trying again"
    }
  }
}
