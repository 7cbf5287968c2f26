import Fairlead
import FairleadSandbox
import FairleadTesting
import Testing

@Suite struct SlackOAuthTests {
  @Test func consentPageAsksAndBothAnswersReturnWithTheState() async throws {
    try await TestSandbox.with { sandbox in
      let flow = SlackFlow(sandbox: sandbox)
      let page = try await sandbox.get(flow.authorizePath())
      #expect(page.status == 200)
      #expect(page.text.contains("value=\"approve\""))
      let approved = try await flow.approve(flow.authorizePath())
      #expect(approved["state"] == "st&te")
      #expect(approved["code"]?.isEmpty == false)
      #expect(approved["from"] == "slack")
      let denied = try await sandbox.send("POST", flow.authorizePath() + "&decision=deny")
      #expect(
        SlackFlow.query(denied.header("location"))["error"] == "access_denied")
    }
  }

  @Test func scriptedConsentRedirectsAtOnce() async throws {
    try await TestSandbox.with { sandbox in
      let flow = SlackFlow(sandbox: sandbox)
      _ = try await sandbox.control("slack/consent", ["decision": "approve"])
      #expect(try await sandbox.get(flow.authorizePath()).status == 302)
      _ = try await sandbox.control("slack/consent", ["decision": "deny"])
      let denied = try await sandbox.get(flow.authorizePath())
      #expect(SlackFlow.query(denied.header("location"))["error"] == "access_denied")
    }
  }

  @Test func consentPageEscapesWhatCameWithTheRequest() async throws {
    try await TestSandbox.with { sandbox in
      let flow = SlackFlow(sandbox: sandbox)
      let page = try await sandbox.get(flow.authorizePath(scope: "<script>alert(1)</script>"))
      #expect(page.status == 200)
      #expect(!page.text.contains("<script>"))
    }
  }

  @Test(arguments: ["client_id=1000000000.2000000000", "redirect_uri=http%3A%2F%2Flocalhost%2F"])
  func authorizeWithoutClientOrRedirectShowsAnErrorAndNeverRedirects(query: String) async throws {
    try await TestSandbox.with { sandbox in
      let answer = try await sandbox.get("/slack/oauth/v2/authorize?scope=chat:write&\(query)")
      #expect(answer.status == 400)
      #expect(answer.header("location") == nil)
    }
  }

  @Test func verifierMustMatchTheChallengeBothWays() async throws {
    try await TestSandbox.with { sandbox in
      let flow = SlackFlow(sandbox: sandbox)
      let path = flow.authorizePath(challenge: SlackFlow.challenge)
      let bound = try await flow.approve(path)["code"] ?? ""
      #expect(try await flow.exchange(code: bound)["error"] == "invalid_code_verifier")
      #expect(
        try await flow.exchange(code: bound, verifier: "another")["error"]
          == "invalid_code_verifier")
      let good = try await flow.exchange(code: bound, verifier: SlackFlow.verifier)
      #expect(good["ok"] == true)
      let unbound = try await flow.approve(flow.authorizePath())["code"] ?? ""
      #expect(
        try await flow.exchange(code: unbound, verifier: SlackFlow.verifier)["error"]
          == "invalid_code_verifier")
    }
  }

  @Test func plainChallengesAreRefused() async throws {
    try await TestSandbox.with { sandbox in
      let path =
        SlackFlow(sandbox: sandbox).authorizePath()
        + "&code_challenge=secretpassword&code_challenge_method=plain"
      let answer = try await sandbox.get(path)
      #expect(
        SlackFlow.query(answer.header("location"))["error"] == "invalid_request")
    }
  }

  @Test func codesWorkOnceForTenMinutesAndForTheirRedirect() async throws {
    let clock = ManualClock()
    try await TestSandbox.with(clock: clock) { sandbox in
      let flow = SlackFlow(sandbox: sandbox)
      let code = try await flow.approve(flow.authorizePath())["code"] ?? ""
      #expect(
        try await flow.exchange(code: code, redirect: "http://localhost:9/callback")["error"]
          == "bad_redirect_uri")
      #expect(try await flow.exchange(code: code)["ok"] == true)
      #expect(try await flow.exchange(code: code)["error"] == "invalid_code")
      let stale = try await flow.approve(flow.authorizePath())["code"] ?? ""
      clock.advance(by: .seconds(600))
      #expect(try await flow.exchange(code: stale)["error"] == "invalid_code")
    }
  }

  @Test func exchangeWithoutASecretNeedsPKCE() async throws {
    try await TestSandbox.with { sandbox in
      let flow = SlackFlow(sandbox: sandbox)
      let plain = try await flow.approve(flow.authorizePath())["code"] ?? ""
      #expect(
        try await flow.exchange(code: plain, secret: false)["error"] == "bad_client_secret")
      let path = flow.authorizePath(challenge: SlackFlow.challenge)
      let bound = try await flow.approve(path)["code"] ?? ""
      let answer = try await flow.exchange(
        code: bound, verifier: SlackFlow.verifier, secret: false)
      #expect(answer["ok"] == true)
    }
  }

  @Test func exchangeAnswersInSlacksShape() async throws {
    try await TestSandbox.with { sandbox in
      let flow = SlackFlow(sandbox: sandbox)
      let path = flow.authorizePath() + "&user_scope=search:read"
      let code = try await flow.approve(path)["code"] ?? ""
      let answer = try await flow.exchange(code: code)
      #expect(answer["access_token"]?.string?.hasPrefix("xoxe.xoxb-1-") == true)
      #expect(answer["refresh_token"]?.string?.hasPrefix("xoxe-1-") == true)
      #expect(answer["expires_in"] == 43_200)
      #expect(answer["scope"] == "chat:write,channels:history")
      #expect(answer["token_type"] == "bot")
      #expect(answer["team.id"]?.string?.hasPrefix("T") == true)
      #expect(answer["authed_user.access_token"]?.string?.hasPrefix("xoxe.xoxp-1-") == true)
      #expect(answer["authed_user.token_type"] == "user")
      #expect(answer["authed_user.scope"] == "search:read")
    }
  }

  @Test func refreshTokensWorkOnceBesideAShortGrace() async throws {
    let clock = ManualClock()
    try await TestSandbox.with(clock: clock) { sandbox in
      let flow = SlackFlow(sandbox: sandbox)
      let first = try await flow.connect()
      let second = SlackFlow.Tokens(try await flow.refresh(first.refresh))
      #expect(second.access != first.access)
      #expect(second.refresh != first.refresh)
      #expect(try await flow.refresh(first.refresh)["ok"] == true)
      clock.advance(by: .seconds(30))
      #expect(try await flow.refresh(first.refresh)["error"] == "invalid_refresh_token")
      #expect(try await flow.refresh(second.refresh)["ok"] == true)
    }
  }

  @Test func atMostTwoAccessTokensAreActive() async throws {
    try await TestSandbox.with { sandbox in
      let flow = SlackFlow(sandbox: sandbox)
      let first = try await flow.connect()
      let second = SlackFlow.Tokens(try await flow.refresh(first.refresh))
      #expect(try await sandbox.slack("auth.test", token: first.access)["ok"] == true)
      let third = SlackFlow.Tokens(try await flow.refresh(second.refresh))
      #expect(try await sandbox.slack("auth.test", token: first.access)["error"] == "token_revoked")
      #expect(try await sandbox.slack("auth.test", token: second.access)["ok"] == true)
      #expect(try await sandbox.slack("auth.test", token: third.access)["ok"] == true)
    }
  }

  @Test func tokensExpireAfterTwelveHoursOfSandboxTime() async throws {
    try await TestSandbox.with { sandbox in
      let tokens = try await SlackFlow(sandbox: sandbox).connect()
      _ = try await sandbox.control("clock", ["advance": "11h59m"])
      #expect(try await sandbox.slack("auth.test", token: tokens.access)["ok"] == true)
      _ = try await sandbox.control("clock", ["advance": "1m"])
      #expect(
        try await sandbox.slack("auth.test", token: tokens.access)["error"] == "token_expired")
    }
  }

  @Test func revokingATokenEndsThatTokenAlone() async throws {
    try await TestSandbox.with { sandbox in
      let flow = SlackFlow(sandbox: sandbox)
      let tokens = try await flow.connect()
      #expect(try await sandbox.slack("auth.revoke", token: tokens.access)["revoked"] == true)
      #expect(
        try await sandbox.slack("auth.test", token: tokens.access)["error"] == "token_revoked")
      #expect(try await flow.refresh(tokens.refresh)["ok"] == true)
    }
  }
}
