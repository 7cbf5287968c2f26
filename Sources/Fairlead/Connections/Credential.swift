/// The secret part of a connection. Lives in memory only while a call needs it; at rest it is sealed
/// in the vault.
public enum Credential: Sendable, Equatable {
  case oauth2(OAuth2)
  case apiKey(key: Secret, secret: Secret?)
  case basic(username: String, password: Secret)
  case none

  public struct OAuth2: Sendable, Equatable {
    public var accessToken: Secret
    public var refreshToken: Secret?
    public var tokenType: String
    /// `nil` when the token does not expire.
    public var expiresAt: Timestamp?
    /// When the token was issued, so that "ahead of expiry" can be a share of its lifetime.
    public var issuedAt: Timestamp

    public init(
      accessToken: Secret, refreshToken: Secret? = nil, tokenType: String = "Bearer",
      expiresAt: Timestamp? = nil, issuedAt: Timestamp
    ) {
      self.accessToken = accessToken
      self.refreshToken = refreshToken
      self.tokenType = tokenType
      self.expiresAt = expiresAt
      self.issuedAt = issuedAt
    }
  }

  /// The fields that `apply` templates may name.
  public func field(_ name: String) -> Secret? {
    switch (self, name) {
    case (.oauth2(let tokens), "access_token"): tokens.accessToken
    case (.apiKey(let key, _), "api_key"): key
    case (.apiKey(_, let secret), "api_secret"): secret
    case (.basic(let username, _), "username"): Secret(username)
    case (.basic(_, let password), "password"): password
    default: nil
    }
  }
}
