import AsyncHTTPClient
import Fairlead
import FairleadSandbox
import FairleadTesting
import Foundation
import NIOCore
import NIOHTTP1
import Testing

@Suite struct FaultTests {
  /// Slack, Stripe and OpenAI word the same trouble each in their own way.
  @Test(arguments: [
    ("slack", "rate_limit", 429, #"{"error":"ratelimited","ok":false}"#),
    ("slack", "server_error", 503, #"{"error":"service_unavailable","ok":false}"#),
  ])
  func slackFaultsHaveSlacksShape(
    provider: String, kind: String, status: Int, body: String
  ) async throws {
    try await TestSandbox.with { sandbox in
      _ = try await sandbox.control(
        "faults", ["provider": .string(provider), "kind": .string(kind)])
      let answer = try await sandbox.get("/slack/api/api.test")
      #expect(answer.status == status)
      #expect(answer.text == body)
      #expect(
        answer.header("retry-after") == (kind == "rate_limit" ? "1" : nil))
      #expect(try await sandbox.get("/slack/api/api.test")["ok"] == true)
    }
  }

  @Test func stripeAndOpenAIFaultsHaveTheirErrorObjects() async throws {
    try await TestSandbox.with { sandbox in
      _ = try await sandbox.control("faults", ["provider": "stripe", "kind": "rate_limit"])
      let limited = try await sandbox.stripe("GET", "customers")
      #expect(limited.status == 429)
      #expect(limited["error.code"] == "rate_limit")
      #expect(limited.header("stripe-rate-limited-reason") == "global-rate")
      #expect(limited.header("retry-after") == nil)
      _ = try await sandbox.control(
        "faults", ["provider": "stripe", "kind": "server_error", "status": 502])
      let failed = try await sandbox.stripe("GET", "customers")
      #expect(failed.status == 502)
      #expect(failed["error.type"] == "api_error")
      _ = try await sandbox.control(
        "faults", ["provider": "openai", "kind": "rate_limit", "code": "insufficient_quota"])
      let quota = try await sandbox.openAI("embeddings", [:])
      #expect(quota.status == 429)
      #expect(quota["error.type"] == "insufficient_quota")
      #expect(quota["error.code"] == "insufficient_quota")
    }
  }

  @Test func retryAfterComesInEveryForm() async throws {
    let clock = ManualClock(start: Timestamp(seconds: 784_111_767))
    try await TestSandbox.with(clock: clock) { sandbox in
      func header(_ members: [String: JSONValue]) async throws -> String? {
        let body: [String: JSONValue] = ["provider": "slack", "kind": "rate_limit"]
        _ = try await sandbox.control("faults", .object(body.merging(members) { _, new in new }))
        return try await sandbox.get("/slack/api/api.test").header("retry-after")
      }
      let seconds = try await header(["retry_after": 7])
      #expect(seconds == "7")
      // RFC 9110's own example of a date.
      #expect(
        try await header(["retry_after": 10, "retry_after_format": "date"])
          == "Sun, 06 Nov 1994 08:49:37 GMT")
      #expect(try await header(["retry_after": "soon"]) == "soon")
    }
  }

  @Test func faultsHitWhatTheyMatchAsOftenAsAsked() async throws {
    try await TestSandbox.with { sandbox in
      _ = try await sandbox.control(
        "faults",
        [
          "provider": "stripe", "kind": "server_error", "times": 2,
          "match": ["method": "post", "path": "/v1/cust*"],
        ])
      #expect(try await sandbox.stripe("GET", "customers").status == 200)
      #expect(try await sandbox.stripe("POST", "products", "name=x").status == 200)
      #expect(try await sandbox.stripe("POST", "customers", "name=x").status == 500)
      #expect(try await sandbox.stripe("POST", "customers/cus_1", "name=x").status == 500)
      #expect(try await sandbox.stripe("POST", "customers", "name=x").status == 200)
    }
  }

  @Test(arguments: [.null, 0] as [JSONValue])
  func faultsWithoutACountLastUntilTheyAreDeleted(times: JSONValue) async throws {
    try await TestSandbox.with { sandbox in
      _ = try await sandbox.control(
        "faults", ["provider": "slack", "kind": "server_error", "times": times])
      for _ in 0..<3 { #expect(try await sandbox.get("/slack/api/api.test").status == 503) }
      let listed = try await sandbox.get("/_sandbox/faults")
      #expect(listed["data.0.hits"] == 3)
      #expect(listed["data.0.times"] == .null)
      #expect(try await sandbox.send("DELETE", "/_sandbox/faults")["deleted"] == 1)
      #expect(try await sandbox.get("/slack/api/api.test").status == 200)
    }
  }

  /// How many customers there are after a POST that a fault hit.
  private func customersAfter(_ kind: String, _ sandbox: TestSandbox) async throws -> Int? {
    _ = try await sandbox.control("faults", ["provider": "stripe", "kind": .string(kind)])
    await #expect(throws: (any Error).self) {
      _ = try await sandbox.stripe("POST", "customers", "name=x")
    }
    return try await sandbox.stripe("GET", "customers")["data"]?.array?.count
  }

  @Test(arguments: [("reset", 0), ("garbage", 0), ("drop_after_commit", 1), ("truncate", 1)])
  func brokenConnectionsDifferInWhatWasDone(kind: String, effects: Int) async throws {
    try await TestSandbox.with { sandbox in
      #expect(try await customersAfter(kind, sandbox) == effects)
      let seen = try await sandbox.get("/_sandbox/stripe/requests?method=post")
      #expect(seen["data.0.fault"] == .string(kind))
      #expect(seen["data.0.status"] == (kind == "truncate" ? 200 : .null))
    }
  }

  @Test func truncatedAnswersPromiseMoreThanComes() async throws {
    try await TestSandbox.with { sandbox in
      _ = try await sandbox.control("faults", ["provider": "openai", "kind": "truncate"])
      let response = try await sandbox.stream(
        "GET", "/openai/v1/models", headers: TestSandbox.openAIHeaders)
      let promised = response.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
      var received = 0
      await #expect(throws: (any Error).self) {
        for try await part in response.body { received += part.readableBytes }
      }
      #expect(received == promised / 2)
      #expect(received > 0)
    }
  }

  @Test func truncatedStreamsEndWithoutTheirEnd() async throws {
    try await TestSandbox.with { sandbox in
      _ = try await sandbox.control("faults", ["provider": "openai", "kind": "truncate"])
      let response = try await sandbox.stream(
        "POST", "/openai/v1/responses", headers: TestSandbox.openAIHeaders,
        body: #"{"model":"gpt-5","input":"hello","stream":true}"#)
      var text = ""
      await #expect(throws: (any Error).self) {
        for try await part in response.body { text += String(buffer: part) }
      }
      #expect(text.contains("response.created"))
      #expect(!text.contains("response.completed"))
    }
  }

  @Test func garbageIsNoHTTP() async throws {
    try await TestSandbox.with { sandbox in
      _ = try await sandbox.control("faults", ["provider": "slack", "kind": "garbage"])
      let bytes = try await RawClient.bytes(
        port: sandbox.port, sending: "GET /slack/api/api.test HTTP/1.1\r\nhost: x\r\n\r\n")
      #expect(!bytes.isEmpty)
      #expect(!bytes.starts(with: Array("HTTP".utf8)))
    }
  }

  @Test func slowAnswersWaitBeforeTheirEffect() async throws {
    let clock = ManualClock()
    try await TestSandbox.with(clock: clock) { sandbox in
      _ = try await sandbox.control(
        "faults", ["provider": "stripe", "kind": "slow", "delay_ms": 2_500])
      async let made = sandbox.stripe("POST", "customers", "name=x")
      await clock.waitForSleepers()
      #expect(try await sandbox.stripe("GET", "customers")["data"] == [])
      clock.advance(by: .milliseconds(2_500))
      #expect(try await made.status == 200)
    }
  }

  @Test func expiredTokensExpireAtOnceAndCanBeRefreshed() async throws {
    try await TestSandbox.with { sandbox in
      let flow = SlackFlow(sandbox: sandbox)
      let tokens = try await flow.connect()
      let set = try await sandbox.control("faults", ["provider": "slack", "kind": "expire_tokens"])
      #expect(set["affected"] == 1)
      for _ in 0..<2 {
        let answer = try await sandbox.slack("auth.test", token: tokens.access)
        #expect(answer["error"] == "token_expired")
      }
      let fresh = SlackFlow.Tokens(try await flow.refresh(tokens.refresh))
      #expect(try await sandbox.slack("auth.test", token: fresh.access)["ok"] == true)
    }
  }

  @Test func revokedGrantsCannotBeRefreshed() async throws {
    try await TestSandbox.with { sandbox in
      let flow = SlackFlow(sandbox: sandbox)
      let tokens = try await flow.connect()
      _ = try await sandbox.control("faults", ["provider": "slack", "kind": "revoke"])
      #expect(
        try await sandbox.slack("auth.test", token: tokens.access)["error"] == "token_revoked")
      #expect(try await flow.refresh(tokens.refresh)["error"] == "invalid_refresh_token")
    }
  }

  @Test func revokedKeysWorkAgainAfterDeletingTheFaults() async throws {
    try await TestSandbox.with { sandbox in
      _ = try await sandbox.control("faults", ["provider": "stripe", "kind": "expire_tokens"])
      #expect(try await sandbox.stripe("GET", "customers")["error.code"] == "api_key_expired")
      _ = try await sandbox.control("faults", ["provider": "openai", "kind": "revoke"])
      #expect(try await sandbox.openAI("embeddings", [:]).status == 401)
      _ = try await sandbox.send("DELETE", "/_sandbox/faults")
      #expect(try await sandbox.stripe("GET", "customers").status == 200)
      #expect(try await sandbox.openAI("embeddings", [:]).status == 400)
    }
  }
}
