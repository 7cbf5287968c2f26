import Crypto
import Fairlead

extension SlackState {
  /// `oauth.v2.access`: exchanges a code or a refresh token.
  mutating func access(
    _ request: SimulatedRequest, _ arguments: SlackArguments
  ) throws(SlackError) -> [String: JSONValue] {
    let basic = request.basicCredentials
    let clientID = basic?.user ?? arguments.text("client_id")
    let secret = basic?.password ?? arguments.text("client_secret")
    guard clientID == Sandbox.credentials.slackClientID else {
      throw SlackError("invalid_client_id")
    }
    if let secret, secret != Sandbox.credentials.slackClientSecret {
      throw SlackError("bad_client_secret")
    }
    switch arguments.text("grant_type") ?? "authorization_code" {
    case "authorization_code":
      return try exchange(arguments, hasSecret: secret != nil, now: request.now)
    case "refresh_token":
      return try refresh(arguments, hasSecret: secret != nil, now: request.now)
    default: throw SlackError("invalid_grant_type")
    }
  }

  private mutating func exchange(
    _ arguments: SlackArguments, hasSecret: Bool, now: Timestamp
  ) throws(SlackError) -> [String: JSONValue] {
    guard let text = arguments.text("code"), let code = codes[text], code.expires > now else {
      throw SlackError("invalid_code")
    }
    guard arguments.text("redirect_uri") == code.redirectURI else {
      throw SlackError("bad_redirect_uri")
    }
    // Bound both ways: a verifier nobody announced is refused as well (RFC 9700 section 4.8.2).
    let verifier = arguments.text("code_verifier")
    guard verifier.map(Self.challenge) == code.challenge else {
      throw SlackError("invalid_code_verifier")
    }
    guard hasSecret || code.challenge != nil else { throw SlackError("bad_client_secret") }
    codes[text] = nil
    exchanges += 1
    return grantAll(code, isPublic: !hasSecret, now: now)
  }

  /// RFC 7636's S256.
  static func challenge(of verifier: String) -> String {
    Array(SHA256.hash(data: Array(verifier.utf8))).base64URL
  }

  private mutating func grantAll(
    _ code: SlackCode, isPublic: Bool, now: Timestamp
  ) -> [String: JSONValue] {
    let workspace = workspaces.first { $0.id == code.teamID }
    var user: [String: JSONValue] = ["id": .string(workspace?.userID ?? "")]
    if !code.userScopes.isEmpty {
      let grant = newGrant(.user, code, scopes: code.userScopes, isPublic: isPublic)
      user.merge(issue(grant, now: now)) { _, issued in issued }
    }
    var body = installation(teamID: code.teamID)
    body["authed_user"] = .object(user)
    if !code.botScopes.isEmpty {
      let grant = newGrant(.bot, code, scopes: code.botScopes, isPublic: isPublic)
      body.merge(issue(grant, now: now)) { _, issued in issued }
      body["bot_user_id"] = .string(workspace?.botUserID ?? "")
    }
    return body
  }

  private func installation(teamID: String) -> [String: JSONValue] {
    let name = workspaces.first { $0.id == teamID }?.name ?? ""
    return [
      "app_id": .string(appID), "team": ["id": .string(teamID), "name": .string(name)],
      "enterprise": nil, "is_enterprise_install": false,
    ]
  }

  private mutating func newGrant(
    _ kind: SlackGrant.Kind, _ code: SlackCode, scopes: [String], isPublic: Bool
  ) -> SlackGrant {
    let grant = SlackGrant(
      id: "grant_" + random.hexadecimal(16), kind: kind, teamID: code.teamID, scopes: scopes,
      isPublic: isPublic)
    grants[grant.id] = grant
    return grant
  }

  /// A new pair of tokens. A third active access token revokes the oldest.
  private mutating func issue(_ grant: SlackGrant, now: Timestamp) -> [String: JSONValue] {
    let letter = grant.kind == .bot ? "b" : "p"
    let access = "xoxe.xox\(letter)-1-" + random.alphanumeric(64)
    let refresh = "xoxe-1-" + random.alphanumeric(64)
    accessTokens[access] = SlackAccessToken(
      grantID: grant.id, expires: now + Self.tokenLifetime)
    refreshTokens[refresh] = SlackRefreshToken(
      grantID: grant.id, expires: grant.isPublic ? now + Self.publicRefreshLifetime : nil)
    var grant = grant
    grant.active.append(access)
    while grant.active.count > 2 {
      accessTokens[grant.active.removeFirst()]?.isRevoked = true
    }
    grants[grant.id] = grant
    return [
      "access_token": .string(access), "refresh_token": .string(refresh),
      "expires_in": .int(Self.tokenLifetime.components.seconds),
      "token_type": .string(grant.kind.rawValue),
      "scope": .string(grant.scopes.joined(separator: ",")),
    ]
  }

  private mutating func refresh(
    _ arguments: SlackArguments, hasSecret: Bool, now: Timestamp
  ) throws(SlackError) -> [String: JSONValue] {
    guard let text = arguments.text("refresh_token"), var token = refreshTokens[text],
      let grant = grants[token.grantID], !grant.isRevoked,
      token.expires.map({ $0 > now }) ?? true,
      token.used.map({ now < $0 + Self.refreshGrace }) ?? true
    else { throw SlackError("invalid_refresh_token") }
    guard hasSecret || grant.isPublic else { throw SlackError("bad_client_secret") }
    token.used = token.used ?? now
    refreshTokens[text] = token
    refreshes += 1
    var body = installation(teamID: grant.teamID)
    body.merge(issue(grant, now: now)) { _, issued in issued }
    let workspace = workspaces.first { $0.id == grant.teamID }
    switch grant.kind {
    case .bot: body["bot_user_id"] = .string(workspace?.botUserID ?? "")
    case .user: body["authed_user"] = ["id": .string(workspace?.userID ?? "")]
    }
    return body
  }

  /// `auth.revoke`: with rotation on, it ends that one token.
  mutating func revoke(
    _ caller: SlackCaller, _ arguments: SlackArguments
  ) -> [String: JSONValue] {
    guard !arguments.flag("test") else { return ["revoked": false] }
    accessTokens[caller.token]?.isRevoked = true
    var grant = caller.grant
    grant.active.removeAll { $0 == caller.token }
    grants[grant.id] = grant
    return ["revoked": true]
  }
}
