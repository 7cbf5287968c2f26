import Fairlead
import FairleadSandbox
import Foundation
import Testing

@Suite struct GitHubOAuthTests {
  @Test func consentPageAsksAndBothAnswersReturnWithTheState() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GitHubFlow(sandbox: sandbox)
      let page = try await sandbox.get(flow.authorizePath(login: "dana"))
      #expect(page.status == 200)
      #expect(page.text.contains("<b>dana</b>") && page.text.contains("value=\"approve\""))
      let approved = try await flow.approve(flow.authorizePath())
      #expect(approved["state"] == "st&te" && approved["from"] == "github")
      #expect(approved["code"]?.isEmpty == false)
      let denied = try await sandbox.send("POST", flow.authorizePath() + "&decision=deny")
      #expect(SlackFlow.query(denied.header("location"))["error"] == "access_denied")
      _ = try await sandbox.control("github/consent", ["decision": "approve"])
      #expect(try await sandbox.get(flow.authorizePath()).status == 302)
    }
  }

  @Test func tokensComeAsAFormUnlessJSONIsAskedFor() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GitHubFlow(sandbox: sandbox)
      let code = try await flow.approve(flow.authorizePath())["code"] ?? ""
      let answer = try await flow.token(
        ["code": code, "redirect_uri": GitHubFlow.redirect], accept: nil)
      #expect(answer.header("content-type")?.hasPrefix("application/x-www-form") == true)
      #expect(answer.text.contains("access_token=gho_"))
      // Asked for with a space, granted with a comma.
      #expect(answer.text.contains("scope=repo%2Cread%3Auser"))
      let again = try await flow.token(["code": code, "redirect_uri": GitHubFlow.redirect])
      #expect(again.status == 200 && again["error"] == "bad_verification_code")
    }
  }

  @Test func refusalsAreAnsweredWith200() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GitHubFlow(sandbox: sandbox)
      let code = try await flow.approve(flow.authorizePath(challenge: GitHubFlow.challenge))["code"]
      let fields: KeyValuePairs = ["code": code ?? "", "redirect_uri": GitHubFlow.redirect]
      let wrongSecret = try await flow.token(fields, secret: "wrong")
      #expect(wrongSecret.status == 200)
      #expect(wrongSecret["error"] == "incorrect_client_credentials")
      let elsewhere = try await flow.token(["code": code ?? "", "redirect_uri": "http://x.y/z"])
      #expect(elsewhere["error"] == "redirect_uri_mismatch")
      #expect(try await flow.token(fields)["error"] == "bad_verification_code")
      let good = try await flow.token([
        "code": code ?? "", "redirect_uri": GitHubFlow.redirect,
        "code_verifier": GitHubFlow.verifier,
      ])
      #expect(good["access_token"]?.string?.hasPrefix("gho_") == true)
      #expect(good["expires_in"] == nil && good["refresh_token"] == nil)
    }
  }

  @Test func anAppsTokensExpireAndARefreshEndsTheOldPair() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GitHubFlow(sandbox: sandbox)
      _ = try await sandbox.control("github/settings", ["expiring_tokens": true])
      let first = try await flow.connect()
      let access = first["access_token"]?.string ?? ""
      let refresh = first["refresh_token"]?.string ?? ""
      #expect(access.hasPrefix("ghu_") && refresh.hasPrefix("ghr_"))
      #expect(first["expires_in"] == 28_800)
      #expect(try await flow.api("GET", "user", token: access).status == 200)
      let second = try await flow.token(["grant_type": "refresh_token", "refresh_token": refresh])
      #expect(try await flow.api("GET", "user", token: access).status == 401)
      let current = second["access_token"]?.string ?? ""
      #expect(try await flow.api("GET", "user", token: current).status == 200)
      let reused = try await flow.token(["grant_type": "refresh_token", "refresh_token": refresh])
      #expect(reused["error"] == "bad_refresh_token")
      _ = try await sandbox.control("clock", ["advance": "8h"])
      #expect(try await flow.api("GET", "user", token: current).status == 401)
    }
  }

  @Test func aTokenIsEndedByItsClientAlone() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GitHubFlow(sandbox: sandbox)
      let access = try await flow.connect()["access_token"]?.string ?? ""
      let id = Sandbox.credentials.githubClientID
      let basic = "\(id):\(Sandbox.credentials.githubClientSecret)"
      func revoke(_ credentials: String) async throws -> Int {
        try await flow.api(
          "DELETE", "applications/\(id)/token", token: access,
          body: ["access_token": .string(access)],
          headers: ["authorization": "Basic \(Array(credentials.utf8).base64)"]
        ).status
      }
      #expect(try await revoke("\(id):wrong") == 404)
      #expect(try await flow.api("GET", "user", token: access).status == 200)
      #expect(try await revoke(basic) == 204)
      #expect(try await flow.api("GET", "user", token: access).status == 401)
      #expect(try await revoke(basic) == 422)
    }
  }
}
