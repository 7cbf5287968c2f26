import Fairlead

extension GoogleState {
  /// `POST /token`: exchanges a code or a refresh token.
  mutating func token(
    _ request: SimulatedRequest
  ) throws(GoogleOAuthError) -> SimulatedResponse {
    guard let form = FormPair.parse(request.body) else {
      throw GoogleOAuthError("invalid_request", "The form cannot be read.")
    }
    let basic = request.basicCredentials
    guard (basic?.user ?? form["client_id"]) == Sandbox.credentials.googleClientID else {
      throw GoogleOAuthError("invalid_client", "The OAuth client was not found.", status: 401)
    }
    guard (basic?.password ?? form["client_secret"]) == Sandbox.credentials.googleClientSecret
    else { throw GoogleOAuthError("invalid_client", "Unauthorized", status: 401) }
    switch form["grant_type"] {
    case "authorization_code": return .json(try exchange(form, now: request.now))
    case "refresh_token": return .json(try refresh(form, now: request.now))
    case nil: throw GoogleOAuthError("invalid_request", "Missing parameter: grant_type")
    default: throw GoogleOAuthError("unsupported_grant_type", "Invalid grant_type")
    }
  }

  private mutating func exchange(
    _ form: [FormPair], now: Timestamp
  ) throws(GoogleOAuthError) -> JSONValue {
    guard let text = form["code"], let code = codes[text], code.expires > now else {
      throw GoogleOAuthError("invalid_grant", "Malformed auth code.")
    }
    guard form["redirect_uri"] == code.redirectURI else {
      throw GoogleOAuthError("redirect_uri_mismatch", "Bad Request")
    }
    let verifier = form["code_verifier"]
    if code.challenge != nil, verifier == nil {
      throw GoogleOAuthError("invalid_grant", "Missing code verifier.")
    }
    // Bound both ways: a verifier nobody announced is refused as well (RFC 9700 section 4.8.2).
    guard verifier.map(SlackState.challenge) == code.challenge else {
      throw GoogleOAuthError("invalid_grant", "Invalid code verifier.")
    }
    codes[text] = nil
    exchanges += 1
    var grant = grant(for: code)
    var body: [String: JSONValue] = [:]
    // Without a forced consent the refresh token comes once.
    if code.isOffline, code.isForced || grant.refreshTokens.isEmpty {
      let refresh = "1//0" + random.alphanumeric(60)
      refreshTokens[refresh] = grant.id
      grant.refreshTokens.append(refresh)
      while grant.refreshTokens.count > Self.refreshTokenLimit {
        refreshTokens[grant.refreshTokens.removeFirst()] = nil
      }
      body["refresh_token"] = .string(refresh)
    }
    grants[grant.id] = grant
    let scopes = code.includesGranted ? grant.scopes : code.scopes
    body.merge(issue(grant, scopes: scopes, now: now)) { _, issued in issued }
    return .object(body)
  }

  private mutating func grant(for code: GoogleCode) -> GoogleGrant {
    if let id = liveGrants[code.account], var grant = grants[id], !grant.isRevoked {
      grant.scopes += code.scopes.filter { !grant.scopes.contains($0) }
      return grant
    }
    let grant = GoogleGrant(
      id: "grant_" + random.hexadecimal(16), account: code.account, scopes: code.scopes)
    liveGrants[code.account] = grant.id
    return grant
  }

  private mutating func issue(
    _ grant: GoogleGrant, scopes: [String], now: Timestamp
  ) -> [String: JSONValue] {
    let access = "ya29." + random.alphanumeric(120)
    accessTokens[access] = GoogleAccessToken(
      grantID: grant.id, scopes: scopes, expires: now + Self.tokenLifetime)
    return [
      "access_token": .string(access), "token_type": "Bearer",
      // A second has passed since it was made.
      "expires_in": .int(Self.tokenLifetime.components.seconds - 1),
      "scope": .string(scopes.joined(separator: " ")),
    ]
  }

  /// The answer has no refresh token: the one that was used goes on working.
  private mutating func refresh(
    _ form: [FormPair], now: Timestamp
  ) throws(GoogleOAuthError) -> JSONValue {
    guard let text = form["refresh_token"] else {
      throw GoogleOAuthError("invalid_request", "Missing required parameter: refresh_token")
    }
    guard let id = refreshTokens[text], let grant = grants[id], !grant.isRevoked else {
      throw .revoked
    }
    refreshes += 1
    return .object(issue(grant, scopes: grant.scopes, now: now))
  }

  /// `POST /revoke`: one token of a grant ends all of it.
  mutating func revoke(
    _ request: SimulatedRequest
  ) throws(GoogleOAuthError) -> SimulatedResponse {
    let form = (FormPair.parse(request.body) ?? []) + (request.queryPairs ?? [])
    guard let text = form["token"],
      let id = refreshTokens[text] ?? accessTokens[text]?.grantID, var grant = grants[id],
      !grant.isRevoked
    else { throw GoogleOAuthError("invalid_token", "Token expired or revoked") }
    grant.isRevoked = true
    grant.refreshTokens = []
    grants[id] = grant
    if liveGrants[grant.account] == id { liveGrants[grant.account] = nil }
    revocations += 1
    return .json([:])
  }
}
