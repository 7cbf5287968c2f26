/// Whose session tokens are accepted as proof of who an end user is, and under which conditions.
public struct TokenIssuer: Sendable, Hashable {
  /// Compared with the token's `iss` byte by byte.
  public var issuer: String
  /// Where the issuer's public keys are; `issuer` and `/.well-known/jwks.json` by default.
  public var keySetURL: String
  /// The `azp` that tokens must carry, for Clerk the origin of the page that asked for the token. Any,
  /// and none, when empty.
  public var authorizedParties: [String]
  /// One of a token's `aud` must equal it; not looked at when `nil`.
  public var audience: String?
  /// Whether a session that still has something to do (`sts: pending`, as Clerk says it) counts.
  public var acceptsPendingSessions: Bool

  public init(
    _ issuer: String, keySetURL: String? = nil, authorizedParties: [String] = [],
    audience: String? = nil, acceptsPendingSessions: Bool = false
  ) {
    self.issuer = issuer
    self.keySetURL =
      keySetURL ?? (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer)
      + "/.well-known/jwks.json"
    self.authorizedParties = authorizedParties
    self.audience = audience
    self.acceptsPendingSessions = acceptsPendingSessions
  }

  /// The issuer that a Clerk publishable key stands for: behind `pk_test_` or `pk_live_` is the host
  /// of its Frontend API with a dollar sign, in base64. `nil` for text that is no such key.
  public static func clerk(publishableKey: String) -> TokenIssuer? {
    let prefixes = ["pk_test_", "pk_live_"]
    guard let prefix = prefixes.first(where: { publishableKey.hasPrefix($0) }),
      let bytes = [UInt8](anyBase64: publishableKey.dropFirst(prefix.count)),
      let text = String(validating: bytes, as: UTF8.self), text.hasSuffix("$")
    else { return nil }
    let host = text.dropLast()
    // What is no host makes no issuer; why it is none does not matter.
    guard let address = try? WebAddress("https://\(host)"), address.isOrigin,
      address.origin == "https://\(host)"
    else { return nil }
    return TokenIssuer(address.origin)
  }
}
