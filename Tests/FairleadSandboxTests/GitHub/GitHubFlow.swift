import Fairlead
import FairleadSandbox
import Foundation

/// Walks GitHub's OAuth flow and API in tests.
struct GitHubFlow {
  static let redirect = "http://localhost:9/callback?from=github"
  static let verifier = "secretpassword"
  static let challenge = "ldMBaaWcQYtSATMV_IG8mf3wp7A6EW80arYoSW80ntU"

  let sandbox: TestSandbox

  func authorizePath(
    challenge: String? = nil, scope: String = "repo read:user", login: String? = nil
  ) -> String {
    var query = form([
      "client_id": Sandbox.credentials.githubClientID, "scope": scope,
      "redirect_uri": Self.redirect, "state": "st&te",
    ])
    if let challenge { query += "&code_challenge=\(challenge)&code_challenge_method=S256" }
    if let login { query += "&login=\(login)" }
    return "/github/login/oauth/authorize?\(query)"
  }

  func approve(_ path: String) async throws -> [String: String] {
    let answer = try await sandbox.send(
      "POST", path, headers: ["content-type": "application/x-www-form-urlencoded"],
      body: "decision=approve")
    return SlackFlow.query(answer.header("location"))
  }

  func token(
    _ fields: KeyValuePairs<String, String>, accept: String? = "application/json",
    secret: String = Sandbox.credentials.githubClientSecret
  ) async throws -> TestSandbox.Answer {
    var headers = ["content-type": "application/x-www-form-urlencoded"]
    headers["accept"] = accept
    let client = form([
      "client_id": Sandbox.credentials.githubClientID, "client_secret": secret,
    ])
    return try await sandbox.send(
      "POST", "/github/login/oauth/access_token", headers: headers,
      body: "\(client)&\(form(fields))")
  }

  /// The tokens of a connected account.
  func connect(
    scope: String = "repo read:user", login: String? = nil
  ) async throws -> TestSandbox.Answer {
    let code = try await approve(authorizePath(scope: scope, login: login))["code"] ?? ""
    return try await token(["code": code, "redirect_uri": Self.redirect])
  }

  func api(
    _ method: String, _ path: String, token: String?, body: JSONValue? = nil,
    headers more: [String: String] = [:]
  ) async throws -> TestSandbox.Answer {
    var headers = more
    headers["user-agent"] = more["user-agent"] ?? "test"
    if let token { headers["authorization"] = more["authorization"] ?? "Bearer \(token)" }
    return try await sandbox.send(
      method, "/github/\(path)", headers: headers.filter { !$0.value.isEmpty }, body: body?.text)
  }
}
