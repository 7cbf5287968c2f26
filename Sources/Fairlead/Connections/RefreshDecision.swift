/// What a credential needs before a call may use it. Pure.
enum RefreshDecision: Sendable, Equatable {
  /// Good for now.
  case fresh
  /// Still valid, but near its end: refresh beside the call.
  case refreshAhead
  /// Expired: no call before a refresh.
  case mustRefresh
  /// Expired, and there is nothing to refresh with.
  case dead

  static func decide(_ credential: Credential.OAuth2, now: Timestamp) -> Self {
    guard let expiresAt = credential.expiresAt else { return .fresh }
    let canRefresh = credential.refreshToken != nil
    if now >= expiresAt { return canRefresh ? .mustRefresh : .dead }
    guard canRefresh else { return .fresh }
    return now >= expiresAt - margin(of: credential) ? .refreshAhead : .fresh
  }

  /// max(60 s, 10 % of the lifetime), but never more than half of it.
  static func margin(of credential: Credential.OAuth2) -> Duration {
    guard let expiresAt = credential.expiresAt else { return .zero }
    let lifetime = max(expiresAt - credential.issuedAt, .zero)
    return min(max(.seconds(60), lifetime / 10), lifetime / 2)
  }

  /// When the scheduler should refresh a credential that nobody uses: in the first half of the
  /// margin, spread by `jitter` in `0..<1` so that tokens issued together do not meet there.
  /// `nil` when there is nothing to do.
  static func scheduledAt(_ credential: Credential, jitter: Double) -> Timestamp? {
    guard case .oauth2(let tokens) = credential, tokens.refreshToken != nil,
      let expiresAt = tokens.expiresAt
    else { return nil }
    let margin = margin(of: tokens)
    return expiresAt - margin + margin * (jitter / 2)
  }
}
