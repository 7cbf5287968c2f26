import Crypto
import Fairlead
import HTTPTypes

/// A refusal of the token endpoint: HTTP 200 with an error in the body.
struct GitHubOAuthError: Error {
  var name: String
  var description: String

  init(_ name: String, _ description: String) {
    self.name = name
    self.description = description
  }
}

extension GitHubState {
  typealias Fields = [(name: String, value: JSONValue)]

  /// `POST /login/oauth/access_token`. The reply is a form unless JSON is asked for.
  mutating func accessToken(_ request: SimulatedRequest) -> SimulatedResponse {
    guard request.method == "POST" else { return .text("Not Found", status: 404) }
    let fields: Fields
    do throws(GitHubOAuthError) {
      fields = try grantTokens(request)
    } catch {
      fields = [
        ("error", .string(error.name)), ("error_description", .string(error.description)),
        ("error_uri", "https://docs.github.com/apps/oauth-apps"),
      ]
    }
    if request.headers[.accept]?.contains("application/json") == true {
      return .json(.object(Dictionary(fields.map { ($0.name, $0.value) }) { $1 }))
    }
    let form = fields.map { "\($0.name)=\(PercentEncoding.encode($0.value.scalarText ?? ""))" }
    return .text(
      form.joined(separator: "&"), status: 200,
      type: "application/x-www-form-urlencoded; charset=utf-8")
  }

  private mutating func grantTokens(
    _ request: SimulatedRequest
  ) throws(GitHubOAuthError) -> Fields {
    let arguments = Self.arguments(of: request)
    let basic = request.basicCredentials
    guard (basic?.user ?? arguments["client_id"]) == Sandbox.credentials.githubClientID,
      (basic?.password ?? arguments["client_secret"]) == Sandbox.credentials.githubClientSecret
    else {
      throw GitHubOAuthError(
        "incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.")
    }
    switch arguments["grant_type"] ?? "authorization_code" {
    case "authorization_code": return try exchange(arguments, now: request.now)
    case "refresh_token": return try refresh(arguments, now: request.now)
    default:
      throw GitHubOAuthError("unsupported_grant_type", "The grant_type is not supported.")
    }
  }

  private static func arguments(of request: SimulatedRequest) -> [String: String] {
    var values: [String: String] = [:]
    for pair in request.queryPairs ?? [] { values[pair.name] = pair.value }
    if request.mediaType == "application/json" {
      // What is no JSON has no arguments, and is refused for the lack of them.
      let body = try? JSONValue(parsing: request.body)
      for (name, value) in body?.object ?? [:] { values[name] = value.scalarText }
    } else {
      for pair in FormPair.parse(request.body) ?? [] { values[pair.name] = pair.value }
    }
    return values
  }

  private mutating func exchange(
    _ arguments: [String: String], now: Timestamp
  ) throws(GitHubOAuthError) -> Fields {
    let bad = GitHubOAuthError(
      "bad_verification_code", "The code passed is incorrect or expired.")
    guard let text = arguments["code"], let code = codes[text], code.expires > now else {
      throw bad
    }
    guard arguments["redirect_uri"] == code.redirectURI else {
      throw GitHubOAuthError(
        "redirect_uri_mismatch",
        "The redirect_uri MUST match the registered callback URL for this application.")
    }
    // Bound both ways: a verifier nobody announced is refused as well (RFC 9700 section 4.8.2).
    guard arguments["code_verifier"].map(Self.challenge) == code.challenge else { throw bad }
    codes[text] = nil
    exchanges += 1
    let grant = GitHubGrant(
      id: "grant_" + random.hexadecimal(16), login: code.login, scopes: code.scopes,
      isApp: expiringTokens)
    return issue(grant, now: now)
  }

  /// RFC 7636's S256.
  private static func challenge(of verifier: String) -> String {
    Array(SHA256.hash(data: Array(verifier.utf8))).base64URL
  }

  private mutating func refresh(
    _ arguments: [String: String], now: Timestamp
  ) throws(GitHubOAuthError) -> Fields {
    guard let text = arguments["refresh_token"], let token = refreshTokens[text],
      token.expires > now, var grant = grants[token.grantID], !grant.isRevoked
    else {
      throw GitHubOAuthError(
        "bad_refresh_token", "The refresh token passed is incorrect or expired.")
    }
    // Using a refresh token ends it and the access token beside it.
    for old in grant.activeAccess { accessTokens[old]?.isRevoked = true }
    for old in grant.activeRefresh { refreshTokens[old] = nil }
    grant.activeAccess = []
    grant.activeRefresh = []
    refreshes += 1
    return issue(grant, now: now)
  }

  private mutating func issue(_ grant: GitHubGrant, now: Timestamp) -> Fields {
    var grant = grant
    let access = (grant.isApp ? "ghu_" : "gho_") + random.alphanumeric(36)
    accessTokens[access] = GitHubAccessToken(
      grantID: grant.id, expires: grant.isApp ? now + Self.tokenLifetime : nil)
    var fields: Fields = [("access_token", .string(access))]
    if grant.isApp {
      let refresh = "ghr_" + random.alphanumeric(76)
      refreshTokens[refresh] = GitHubRefreshToken(
        grantID: grant.id, expires: now + Self.refreshLifetime)
      grant.activeAccess.append(access)
      grant.activeRefresh.append(refresh)
      fields += [
        ("expires_in", .int(Self.tokenLifetime.components.seconds)),
        ("refresh_token", .string(refresh)),
        ("refresh_token_expires_in", .int(Self.refreshLifetime.components.seconds)),
      ]
    }
    grants[grant.id] = grant
    fields += [
      ("scope", .string(grant.isApp ? "" : grant.scopes.joined(separator: ","))),
      ("token_type", "bearer"),
    ]
    return fields
  }

  /// `DELETE /applications/{client_id}/token` ends one token, `…/grant` all of its grant.
  mutating func revoke(
    _ request: SimulatedRequest, wholeGrant: Bool
  ) throws(GitHubError) -> SimulatedResponse {
    guard let basic = request.basicCredentials,
      basic.user == Sandbox.credentials.githubClientID,
      basic.password == Sandbox.credentials.githubClientSecret,
      request.segments.dropFirst().first == basic.user
    else { throw .notFound }
    let body = try GitHubBody(request)
    guard let token = try body.text("access_token", of: "OauthAccess", required: true),
      let access = accessTokens[token], !access.isRevoked
    else { throw GitHubError(422, "Validation Failed") }
    accessTokens[token]?.isRevoked = true
    if wholeGrant { grants[access.grantID]?.isRevoked = true }
    revocations += 1
    return SimulatedResponse(status: 204, body: .bytes([]))
  }
}
