import Fairlead
import FairleadSandbox
import FairleadTesting
import Logging
import Testing

@Suite struct ControlTests {
  @Test(arguments: [
    ("faults", "{", "not JSON"),
    ("faults", "[]", "JSON object"),
    ("faults", #"{"kind":"slow"}"#, "\"provider\" is missing"),
    ("faults", #"{"provider":"stripe"}"#, "\"kind\" must be one of"),
    ("faults", #"{"provider":"stripe","kind":"explode"}"#, "\"kind\" must be one of"),
    ("faults", #"{"provider":"stripe","kind":"slow","tiems":1}"#, "\"tiems\""),
    ("faults", #"{"provider":"stripe","kind":"slow","times":-1}"#, "\"times\""),
    ("faults", #"{"provider":"stripe","kind":"slow","times":1.5}"#, "\"times\""),
    (
      "faults", #"{"provider":"stripe","kind":"slow","delay_ms":99999999999999999999}"#,
      "\"delay_ms\""
    ),
    ("faults", #"{"provider":"stripe","kind":"rate_limit","status":42}"#, "\"status\""),
    (
      "faults", #"{"provider":"stripe","kind":"rate_limit","retry_after":"a\nb"}"#,
      "\"retry_after\""
    ),
    ("faults", #"{"provider":"stripe","kind":"slow","match":{"path":"v1"}}"#, "\"path\""),
    ("clock", #"{"advance":"soon"}"#, "\"advance\""),
    ("clock", #"{"advance":"99999999999999999999h"}"#, "\"advance\""),
    ("clock", "{}", "\"advance\" is missing"),
    ("slack/consent", #"{"decision":"maybe"}"#, "\"decision\""),
    ("stripe/events", "{}", "\"type\""),
    ("stripe/events", #"{"type":"a.b","to":"file:///etc/passwd"}"#, "\"to\""),
    ("stripe/events", #"{"type":"a.b"}"#, "\"to\" is missing"),
  ])
  func badControlsSayWhatIsWrong(path: String, body: String, part: String) async throws {
    try await TestSandbox.with { sandbox in
      let answer = try await sandbox.send("POST", "/_sandbox/\(path)", body: body)
      #expect(answer.status == 400)
      #expect(answer["error.code"] == "INVALID_REQUEST")
      #expect(answer["error.message"]?.string?.contains(part) == true)
    }
  }

  @Test func unknownPlacesAreNotFound() async throws {
    try await TestSandbox.with { sandbox in
      for path in ["/_sandbox/nope", "/_sandbox/gitlab/state", "/gitlab/user", "/", "/%zz"] {
        #expect(try await sandbox.get(path).status == 404)
      }
      let fault = try await sandbox.control("faults", ["provider": "gitlab", "kind": "slow"])
      #expect(fault.status == 404)
    }
  }

  @Test(arguments: ["/_sandbox/faults", "/slack/api/api.test", "/stripe/v1/customers"])
  func oversizedBodiesAreRefusedAndTheConnectionLivesOn(path: String) async throws {
    try await TestSandbox.with { sandbox in
      let body = String(repeating: "x", count: (10 << 20) + 1)
      let refused = try await sandbox.send("POST", path, body: body)
      #expect(refused.status == 413)
      #expect(try await sandbox.get("/_sandbox").status == 200)
    }
  }

  @Test func malformedHTTPDoesNotHarmTheServer() async throws {
    try await TestSandbox.with { sandbox in
      for text in [
        "\u{0}\u{1}nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n",
      ] {
        _ = try? await RawClient.bytes(port: sandbox.port, sending: text)
      }
      let overview = try await sandbox.get("/_sandbox")
      #expect(overview.status == 200)
    }
  }

  @Test func clientsThatWaitToBeToldToContinueAreTold() async throws {
    try await TestSandbox.with { sandbox in
      let request =
        "POST /_sandbox/clock HTTP/1.1\r\nhost: x\r\nconnection: close\r\nexpect: 100-continue\r\n"
        + "content-length: 17\r\n\r\n{\"advance\": \"1s\"}"
      let bytes = try await RawClient.bytes(port: sandbox.port, sending: request)
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(text.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "))
    }
  }

  @Test func journalTellsWhatArrived() async throws {
    try await TestSandbox.with { sandbox in
      _ = try await sandbox.stripe(
        "POST", "customers?x=1", "name=a", headers: ["idempotency-key": "k"])
      _ = try await sandbox.stripe("GET", "customers")
      let all = try await sandbox.get("/_sandbox/stripe/requests")
      #expect(all["total"] == 2)
      let first = all["data.0"]
      #expect(first?["method"] == "POST")
      #expect(first?["path"] == "/v1/customers")
      #expect(first?["query"] == "x=1")
      #expect(first?["body"] == "name=a")
      #expect(first?[path: "headers.idempotency-key"] == "k")
      #expect(first?["status"] == 400)
      #expect(first?["time"]?.string.flatMap { Timestamp(rfc3339: $0) } != nil)
      let gets = try await sandbox.get(
        "/_sandbox/stripe/requests?method=get&path=/v1/cust*&limit=5")
      #expect(gets["total"] == 1)
      #expect(try await sandbox.get("/_sandbox/slack/requests")["total"] == 0)
    }
  }

  @Test func equalSeedsAndRequestsGiveEqualAnswers() async throws {
    func run(_ seed: UInt64, reset: Bool) async throws -> [String] {
      let ids = Recorder()
      try await TestSandbox.with(seed: seed, clock: ManualClock()) { sandbox in
        if reset {
          _ = try await sandbox.stripe("POST", "customers", "name=before")
          _ = try await SlackFlow(sandbox: sandbox).connect()
          _ = try await sandbox.control("reset")
        }
        ids.add(try await sandbox.stripe("POST", "customers", "name=a").text)
        let tokens = try await SlackFlow(sandbox: sandbox).connect()
        ids.add(tokens.access + tokens.refresh)
        ids.add(
          try await sandbox.openAI("responses", ["model": "gpt-5", "input": "x"]).text)
      }
      return ids.all
    }
    let first = try await run(7, reset: false)
    #expect(try await run(7, reset: false) == first)
    #expect(try await run(7, reset: true) == first)
    let other = try await run(8, reset: false)
    #expect(zip(first, other).allSatisfy { $0 != $1 })
  }

  @Test func resetForgetsEverything() async throws {
    try await TestSandbox.with { sandbox in
      let token = try await SlackFlow(sandbox: sandbox).connect().access
      _ = try await sandbox.stripe("POST", "customers", "name=a")
      _ = try await sandbox.control(
        "faults", ["provider": "stripe", "kind": "server_error", "times": 0])
      _ = try await sandbox.control("clock", ["advance": "48h"])
      _ = try await sandbox.control("reset")
      #expect(try await sandbox.get("/_sandbox/stripe/requests")["total"] == 0)
      #expect(try await sandbox.stripe("GET", "customers")["data"] == [])
      #expect(try await sandbox.slack("auth.test", token: token)["error"] == "invalid_auth")
      let made = try await sandbox.stripe("POST", "customers", "name=a")
      let ahead = (made["created"]?.int ?? 0) - SystemClock().now.seconds
      #expect(abs(ahead) < 3_600)
    }
  }

  @Test func aTakenPortIsOneClearLine() async throws {
    try await TestSandbox.with { sandbox in
      let second = Sandbox(port: sandbox.port, logger: Logger(label: "second"))
      do {
        try await second.run()
        Issue.record("it started on a taken port")
      } catch let error as FairleadError {
        #expect(error.code == .configurationError)
        #expect(error.message.contains("\(sandbox.port)"))
        #expect(!error.message.contains("\n"))
      }
      await #expect(throws: FairleadError.self) { _ = try await second.boundPort }
    }
  }
}
