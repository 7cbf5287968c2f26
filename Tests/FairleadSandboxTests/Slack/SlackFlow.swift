import Fairlead
import FairleadSandbox
import Foundation

/// Walks Slack's OAuth flow in tests.
struct SlackFlow {
  static let redirect = "http://localhost:9/callback?from=slack"
  // The sample of Slack's documentation.
  static let verifier = "secretpassword"
  static let challenge = "ldMBaaWcQYtSATMV_IG8mf3wp7A6EW80arYoSW80ntU"

  let sandbox: TestSandbox

  func authorizePath(challenge: String? = nil, scope: String = "chat:write,channels:history")
    -> String
  {
    var query = form([
      "client_id": Sandbox.credentials.slackClientID, "scope": scope,
      "redirect_uri": Self.redirect, "state": "st&te",
    ])
    if let challenge { query += "&code_challenge=\(challenge)&code_challenge_method=S256" }
    return "/slack/oauth/v2/authorize?\(query)"
  }

  /// The query of the address that the flow returns to.
  func approve(_ path: String) async throws -> [String: String] {
    let answer = try await sandbox.send(
      "POST", path, headers: ["content-type": "application/x-www-form-urlencoded"],
      body: "decision=approve")
    return Self.query(answer.header("location"))
  }

  static func query(_ location: String?) -> [String: String] {
    let items = location.flatMap { URLComponents(string: $0)?.queryItems } ?? []
    return Dictionary(
      items.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { first, _ in first })
  }

  func exchange(
    code: String, verifier: String? = nil, redirect: String = Self.redirect, secret: Bool = true
  ) async throws -> TestSandbox.Answer {
    var body = form(["code": code, "redirect_uri": redirect])
    if let verifier { body += "&code_verifier=\(verifier)" }
    return try await token(body, secret: secret)
  }

  func refresh(_ token: String) async throws -> TestSandbox.Answer {
    try await self.token(
      form(["grant_type": "refresh_token", "refresh_token": token]), secret: true)
  }

  private func token(_ body: String, secret: Bool) async throws -> TestSandbox.Answer {
    var headers = ["content-type": "application/x-www-form-urlencoded"]
    var body = body
    let id = Sandbox.credentials.slackClientID
    if secret {
      let pair = "\(id):\(Sandbox.credentials.slackClientSecret)"
      headers["authorization"] = "Basic \(Array(pair.utf8).base64)"
    } else {
      body += "&client_id=\(id)"
    }
    return try await sandbox.send(
      "POST", "/slack/api/oauth.v2.access", headers: headers, body: body)
  }

  struct Tokens: Sendable {
    var access: String
    var refresh: String

    init(_ answer: TestSandbox.Answer) {
      access = answer["access_token"]?.string ?? ""
      refresh = answer["refresh_token"]?.string ?? ""
    }
  }

  /// A connected bot.
  func connect(scope: String = "chat:write,channels:read,channels:history") async throws -> Tokens {
    let code = try await approve(authorizePath(scope: scope))["code"] ?? ""
    return Tokens(try await exchange(code: code))
  }
}
