import Fairlead

extension GoogleState {
  /// `/oauth2/v3/userinfo` and `/v1/userinfo` (OpenID Connect's claims), `/oauth2/v2/userinfo`.
  mutating func userInfo(
    _ request: SimulatedRequest, version: Int
  ) throws(GoogleError) -> SimulatedResponse {
    let caller = try caller(of: request, ["openid"] + GoogleScope.email + GoogleScope.profile)
    let subject = JSONValue.string(subjects[caller.account] ?? "")
    var claims: [String: JSONValue] = [version == 2 ? "id" : "sub": subject]
    if GoogleScope.email.contains(where: caller.scopes.contains) {
      claims["email"] = .string(caller.account)
      claims[version == 2 ? "verified_email" : "email_verified"] = true
    }
    if GoogleScope.profile.contains(where: caller.scopes.contains) {
      let name = caller.account.prefix { $0 != "@" }
      claims["name"] = .string(name.prefix(1).uppercased() + name.dropFirst())
    }
    return .json(.object(claims))
  }

  /// `/tokeninfo`: what an access token is.
  mutating func tokenInfo(
    _ request: SimulatedRequest
  ) throws(GoogleOAuthError) -> SimulatedResponse {
    let fields = (request.queryPairs ?? []) + (FormPair.parse(request.body) ?? [])
    guard let text = fields["access_token"], let token = accessTokens[text],
      token.expires > request.now, let grant = grants[token.grantID], !grant.isRevoked
    else { throw GoogleOAuthError("invalid_token", "Invalid Value") }
    let client = JSONValue.string(Sandbox.credentials.googleClientID)
    var body: [String: JSONValue] = [
      "azp": client, "aud": client, "scope": .string(token.scopes.joined(separator: " ")),
      "exp": .string(String(token.expires.seconds)),
      "expires_in": .string(String(max(0, (token.expires - request.now).components.seconds))),
      "access_type": .string(grant.refreshTokens.isEmpty ? "online" : "offline"),
    ]
    if token.scopes.contains("openid") { body["sub"] = .string(subjects[grant.account] ?? "") }
    if GoogleScope.email.contains(where: token.scopes.contains) {
      body["email"] = .string(grant.account)
      body["email_verified"] = "true"
    }
    return .json(.object(body))
  }
}
