import Fairlead
import FairleadSandbox
import FairleadTesting
import Testing

@Suite struct GoogleOAuthTests {
  @Test func thePageAsksByScopeAndReturnsWithTheState() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GoogleFlow(sandbox: sandbox)
      let page = try await sandbox.get(flow.authorizePath())
      #expect(page.text.contains("value=\"approve\""))
      #expect(page.text.contains(GoogleFlow.calendarScope))
      let approved = try await flow.approve(flow.authorizePath())
      #expect(approved["state"] == "st&te")
      #expect(approved["code"]?.hasPrefix("4/0") == true)
      let denied = try await flow.approve(flow.authorizePath(), "decision=deny")
      #expect(denied["error"] == "access_denied")
      #expect(denied["state"] == "st&te")
    }
  }

  @Test(arguments: ["client_id=other", "redirect_uri=nowhere", "response_type=token", "scope="])
  func aWrongRequestShowsAnErrorAndNeverRedirects(wrong: String) async throws {
    try await TestSandbox.with { sandbox in
      let path = GoogleFlow(sandbox: sandbox).authorizePath() + "&\(wrong)"
      let answer = try await sandbox.get(path)
      #expect(answer.status == 400)
      #expect(answer.header("location") == nil)
    }
  }

  @Test func theRefreshTokenComesOnFirstConsentOrWhenConsentIsForced() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GoogleFlow(sandbox: sandbox)
      func grant(offline: Bool, forced: Bool) async throws -> TestSandbox.Answer {
        let path = flow.authorizePath(offline: offline, forced: forced)
        return try await flow.exchange(try await flow.approve(path)["code"] ?? "")
      }
      #expect(try await grant(offline: false, forced: false)["refresh_token"] == nil)
      let first = try await grant(offline: true, forced: false)
      #expect(first["refresh_token"]?.string?.hasPrefix("1//0") == true)
      #expect(first["access_token"]?.string?.hasPrefix("ya29.") == true)
      #expect(first["expires_in"] == 3_599)
      #expect(first["token_type"] == "Bearer")
      #expect(first["scope"] == .string(GoogleFlow.scope))
      #expect(try await grant(offline: true, forced: false)["refresh_token"] == nil)
      let again = try await grant(offline: true, forced: true)
      #expect(again["refresh_token"]?.string != nil)
      #expect(again["refresh_token"] != first["refresh_token"])
    }
  }

  @Test func refreshingKeepsTheRefreshToken() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GoogleFlow(sandbox: sandbox)
      let client = try await flow.connect()
      for _ in 0..<2 {
        let answer = try await flow.token([
          "grant_type": "refresh_token", "refresh_token": client.refreshToken,
        ])
        #expect(answer["access_token"]?.string?.hasPrefix("ya29.") == true)
        #expect(answer["access_token"] != .string(client.token))
        #expect(answer["refresh_token"] == nil)
      }
    }
  }

  @Test func codesWorkOnceForTenMinutesAndForTheirRedirect() async throws {
    let clock = ManualClock()
    try await TestSandbox.with(clock: clock) { sandbox in
      let flow = GoogleFlow(sandbox: sandbox)
      let code = try await flow.approve(flow.authorizePath())["code"] ?? ""
      let elsewhere = try await flow.exchange(code, redirect: "http://localhost:9/")
      #expect(elsewhere["error"] == "redirect_uri_mismatch")
      #expect(try await flow.exchange(code).status == 200)
      #expect(try await flow.exchange(code)["error"] == "invalid_grant")
      let late = try await flow.approve(flow.authorizePath())["code"] ?? ""
      clock.advance(by: .seconds(600))
      #expect(try await flow.exchange(late)["error"] == "invalid_grant")
    }
  }

  @Test func theVerifierMustMatchTheChallengeBothWays() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GoogleFlow(sandbox: sandbox)
      func exchange(bound: Bool, verifier: String?) async throws -> Int {
        let path = flow.authorizePath(challenge: bound ? SlackFlow.challenge : nil)
        let code = try await flow.approve(path)["code"] ?? ""
        guard let verifier else { return try await flow.exchange(code).status }
        return try await flow.token([
          "grant_type": "authorization_code", "code": code, "redirect_uri": GoogleFlow.redirect,
          "code_verifier": verifier,
        ]).status
      }
      let right = try await exchange(bound: true, verifier: SlackFlow.verifier)
      #expect(right == 200)
      let another = try await exchange(bound: true, verifier: "another")
      #expect(another == 400)
      let missing = try await exchange(bound: true, verifier: nil)
      #expect(missing == 400)
      let unannounced = try await exchange(bound: false, verifier: SlackFlow.verifier)
      #expect(unannounced == 400)
    }
  }

  @Test func aPersonMayGrantLessThanWasAsked() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GoogleFlow(sandbox: sandbox)
      let ticked = try await flow.approve(
        flow.authorizePath(), "decision=approve&granular=1&granted=email")
      let answer = try await flow.exchange(ticked["code"] ?? "")
      #expect(answer["scope"] == "openid email")
      let client = GoogleClient(sandbox: sandbox, token: answer["access_token"]?.string ?? "")
      let refused = try await client.call("GET", GoogleClient.events)
      #expect(refused.status == 403)
      #expect(refused["error.errors.0.reason"] == "insufficientPermissions")

      _ = try await sandbox.control(
        "google/consent",
        ["decision": "approve", "scopes": ["openid"], "account": "kim@example.com"])
      let scripted = try await sandbox.get(flow.authorizePath())
      let code = SlackFlow.query(scripted.header("location"))["code"] ?? ""
      #expect(try await flow.exchange(code)["scope"] == "openid")
    }
  }

  @Test func revokingAnyTokenEndsTheWholeGrant() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GoogleFlow(sandbox: sandbox)
      let client = try await flow.connect()
      let revoked = try await sandbox.send(
        "POST", "/google/revoke", body: form(["token": client.token]))
      #expect(revoked.status == 200)
      let refused = try await client.call("GET", GoogleClient.events)
      #expect(refused.status == 401)
      #expect(refused["error.errors.0.reason"] == "authError")
      let refresh = try await flow.token([
        "grant_type": "refresh_token", "refresh_token": client.refreshToken,
      ])
      #expect(refresh.status == 400)
      #expect(refresh["error"] == "invalid_grant")
      #expect(refresh["error_description"] == "Token has been expired or revoked.")
      let again = try await sandbox.send(
        "POST", "/google/revoke", body: form(["token": client.refreshToken]))
      #expect(again["error"] == "invalid_token")
    }
  }

  @Test func tokensExpireAfterAnHour() async throws {
    let clock = ManualClock()
    try await TestSandbox.with(clock: clock) { sandbox in
      let client = try await GoogleFlow(sandbox: sandbox).connect()
      clock.advance(by: .seconds(3_599))
      #expect(try await client.call("GET", GoogleClient.events).status == 200)
      let info = try await sandbox.get("/google/tokeninfo?access_token=\(client.token)")
      #expect(info["expires_in"] == "1")
      #expect(info["scope"] == .string(GoogleFlow.scope))
      clock.advance(by: .seconds(1))
      #expect(try await client.call("GET", GoogleClient.events).status == 401)
    }
  }

  @Test func identityNamesTheAccountThatConsented() async throws {
    try await TestSandbox.with { sandbox in
      let flow = GoogleFlow(sandbox: sandbox)
      let client = try await flow.connect(account: "kim@example.com")
      let headers = ["authorization": "Bearer \(client.token)"]
      let claims = try await sandbox.send("GET", "/google/oauth2/v3/userinfo", headers: headers)
      #expect(claims["email"] == "kim@example.com")
      #expect(claims["sub"]?.string?.utf8.count == 21)
      let older = try await sandbox.send("GET", "/google/oauth2/v2/userinfo", headers: headers)
      #expect(older["id"] == claims["sub"])
    }
  }

  @Test(arguments: ["client_id", "client_secret"])
  func aWrongClientIsRefused(field: String) async throws {
    try await TestSandbox.with { sandbox in
      let body = form([
        "client_id": field == "client_id" ? "x" : Sandbox.credentials.googleClientID,
        "client_secret": "wrong", "grant_type": "refresh_token", "refresh_token": "x",
      ])
      let answer = try await sandbox.send("POST", "/google/token", body: body)
      #expect(answer.status == 401)
      #expect(answer["error"] == "invalid_client")
    }
  }
}
