/// What the claims of a token must say beside being signed. Pure.
/// Source: RFC 8725; Clerk, "Manual JWT verification".
struct TokenRules: Sendable {
  /// How far the issuer's clock may be from ours.
  static let skew = Duration.seconds(5)
  /// The last second of the year 9999; a later time is no time.
  private static let latest = 253_402_300_799.0

  let issuer: TokenIssuer
  let now: Timestamp

  func check(_ claims: [String: JSONValue]) throws(TokenRefusal) -> EndUser {
    guard claims["iss"] == .string(issuer.issuer) else { throw .unknownIssuer }
    guard let expiry = try time("exp", claims) else { throw .noExpiry }
    guard now < expiry + Self.skew else { throw .expired }
    if let start = try time("nbf", claims), start > now + Self.skew { throw .notYetValid }
    if let issued = try time("iat", claims), issued > now + Self.skew { throw .issuedInFuture }
    try checkParties(claims)
    if claims["sts"] == .string("pending"), !issuer.acceptsPendingSessions {
      throw .pendingSession
    }
    // A subject that cannot be an owner names nobody here.
    guard let subject = claims["sub"]?.string, let owner = try? Owner(subject).validated() else {
      throw .noSubject
    }
    return EndUser(owner: owner, issuer: issuer.issuer, expiresAt: expiry, claims: claims)
  }

  private func checkParties(_ claims: [String: JSONValue]) throws(TokenRefusal) {
    if !issuer.authorizedParties.isEmpty {
      guard let party = claims["azp"]?.string else { throw .noAuthorizedParty }
      guard issuer.authorizedParties.contains(party) else { throw .wrongAuthorizedParty }
    }
    guard let audience = issuer.audience else { return }
    let audiences: [JSONValue]
    switch claims["aud"] {
    case .array(let list)?: audiences = list
    case let one?: audiences = [one]
    case nil: audiences = []
    }
    guard audiences.contains(.string(audience)) else { throw .wrongAudience }
  }

  /// A NumericDate (RFC 7519): seconds, perhaps with a fraction.
  private func time(
    _ name: String, _ claims: [String: JSONValue]
  ) throws(TokenRefusal) -> Timestamp? {
    guard let value = claims[name] else { return nil }
    guard let seconds = value.double, seconds >= 0, seconds <= Self.latest else {
      throw .badClaims
    }
    return Timestamp(microseconds: Int64(seconds * 1_000_000))
  }
}
