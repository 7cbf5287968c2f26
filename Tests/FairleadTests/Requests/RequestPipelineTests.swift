import FairleadTesting
import HTTPTypes
import NIOCore
import Testing

@testable import Fairlead

@Suite struct RequestPipelineTests {
  private static let slowDown = StubTransport.Answer.json(
    429, ["error": "slow down"], headers: [.retryAfter: "2"])

  @Test func aCallGoesThroughWithItsCredentialAndOneRecord() async throws {
    let fixture = PipelineFixture([.json(200, ["ok": true])]) {
      $0.endpoints = ["/things/{id}"]
    }
    let result = try await fixture.pipeline.send(.get("/things/7?secret=1"))
    #expect(result.status == 200)
    #expect(result.report.error == nil && result.report.attempts == 1)
    #expect(fixture.observer.records.isEmpty)
    #expect(try await result.body.text() == #"{"ok":true}"#)
    let request = try #require(fixture.transport.requests.first)
    #expect(request.url == "https://api.acme.example/things/7?secret=1")
    #expect(request.headers[.authorization] == "Bearer token-1")
    let record = try #require(fixture.observer.records.first)
    #expect(fixture.observer.records.count == 1)
    #expect(record.path == "/things/{id}" && record.status == 200 && record.bytes == 11)
    #expect(record.bodyEnd == .complete && record.owner == "conn_u1")
  }

  @Test(
    arguments: [
      [.retryAfter: "2"],
      [
        .retryAfter: "Fri, 15 Jan 2027 08:00:02 GMT", .date: "Fri, 15 Jan 2027 08:00:00 GMT",
      ],
    ] as [HTTPFields])
  func aThrottledPostWaitsExactlyAsAskedAndIsSentAgain(headers: HTTPFields) async throws {
    let fixture = PipelineFixture([
      .json(429, ["error": "slow down"], headers: headers), .text(200, "done"),
    ])
    async let call = fixture.pipeline.send(.post())
    await fixture.clock.waitForSleepers()
    fixture.clock.advance(by: .microseconds(1_999_999))
    #expect(fixture.transport.requests.count == 1)
    fixture.clock.advance(by: .milliseconds(201))
    let result = try await call
    #expect(result.status == 200 && result.report.attempts == 2 && result.report.error == nil)
    #expect(result.report.waited >= .seconds(2) && result.report.waited <= .milliseconds(2_200))
    #expect(result.report.waitReason == "Acme asked us to wait 2 s")
    #expect(fixture.transport.requests.map(\.bodyText) == ["a=1", "a=1"])
    #expect(fixture.observer.rateLimited == 1)
  }

  @Test func retryAfterBeyondTheCapOrTheDeadlineFailsNow() async throws {
    for (header, timeout) in [("61", 600), ("30", 20)] {
      let fixture = PipelineFixture([.text(429, headers: [.retryAfter: header])])
      let result = try await fixture.pipeline.send(.get(timeout: .seconds(timeout)))
      #expect(result.status == 429)
      #expect(result.report.error?.code == .rateLimitExceeded)
      #expect(result.report.error?.retryAfter == .seconds(Int(header) ?? 0))
      #expect(fixture.transport.requests.count == 1)
      #expect(fixture.clock.sleeperCount == 0)
    }
  }

  @Test func a503WithoutEffectIsRetriedEvenForAPost() async throws {
    let fixture = PipelineFixture([.json(503, ["error": "not yet"]), .text(200, "done")]) {
      var condition = ProviderDefinition.Condition()
      condition.status = [503]
      $0.errors = [.init(when: condition, errorClass: .transient, effect: .none)]
    }
    let result = try await fixture.send(.post())
    #expect(result.status == 200 && result.report.attempts == 2)
    #expect(result.report.waitReason == "Acme answered 503, so we waited before trying again")
  }

  @Test func aPostThatMayHaveHappenedIsSentOnceAndReportedAsUnknown() async throws {
    let dropped = TransportError(.disconnected, nothingSent: false, detail: "reset")
    let fixture = PipelineFixture([.failure(dropped)])
    let error = await #expect(throws: FairleadError.self) {
      try await fixture.pipeline.send(.post())
    }
    #expect(error?.code == .outcomeUnknown && error?.retryable == false)
    #expect(
      error?.message
        == "We could not confirm whether Acme did this. Check before trying again.")
    #expect(fixture.transport.requests.count == 1)
    let record = try #require(fixture.observer.records.first)
    #expect(record.errorCode == .outcomeUnknown && record.bodyEnd == .none)
    #expect(record.attemptOutcomes.map(\.failure) == [.disconnected])
  }

  @Test func a500OnAPostPassesThroughAsUnknown() async throws {
    let fixture = PipelineFixture([.json(500, ["error": "boom"])])
    let result = try await fixture.pipeline.send(.post())
    #expect(result.status == 500)
    #expect(result.report.error?.code == .outcomeUnknown)
    #expect(try await result.body.text() == #"{"error":"boom"}"#)
    #expect(fixture.transport.requests.count == 1)
    #expect(fixture.observer.records.map(\.transient5xxCount) == [1])
  }

  @Test func aPostWhoseConnectionWasRefusedIsTriedAgain() async throws {
    let refused = TransportError(.connect, nothingSent: true, detail: "refused")
    let fixture = PipelineFixture([.failure(refused), .failure(refused), .text(201)])
    let result = try await fixture.send(.post())
    #expect(result.status == 201 && result.report.attempts == 3)
  }

  @Test func aSafeCallIsRetriedAndThenSaysTheProviderIsUnavailable() async throws {
    let fixture = PipelineFixture(otherwise: .text(502, "bad gateway"))
    let result = try await fixture.send(.get())
    #expect(result.status == 502 && result.report.attempts == 3)
    #expect(result.report.error?.code == .serviceUnavailable)
    #expect(try await result.body.text() == "bad gateway")
    #expect(fixture.transport.requests.count == 3)
    #expect(fixture.observer.records.map(\.transient5xxCount) == [3])
  }

  @Test func theSameKeyGoesWithEveryAttempt() async throws {
    let name = try #require(HTTPField.Name("Idempotency-Key"))
    let define: (inout ProviderDefinition) -> Void = {
      $0.idempotency = .init(header: "Idempotency-Key", methods: ["POST"])
    }
    let dropped = TransportError(.disconnected, nothingSent: false, detail: "reset")
    let ours = PipelineFixture([.failure(dropped), .text(500), .text(200)], define: define)
    let result = try await ours.send(.post())
    #expect(result.status == 200)
    let keys = ours.transport.requests.map { $0.headers[name] ?? "" }
    #expect(keys.count == 3 && Set(keys).count == 1 && !keys[0].isEmpty)
    let theirs = PipelineFixture([.failure(dropped), .text(200)], define: define)
    _ = try await theirs.send(.post(headers: [name: "mine"]))
    #expect(theirs.transport.requests.map { $0.headers[name] } == ["mine", "mine"])
  }

  @Test func fiftyCallsWithAStaleTokenCauseOneRefreshAndNoneFails() async throws {
    let fixture = PipelineFixture(
      otherwise: .decide { request in
        request.headers[.authorization] == "Bearer token-1" ? .text(401) : .text(200, "fine")
      })
    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
      for index in 0..<50 {
        group.addTask {
          let call = index % 2 == 0 ? Call.post() : .get()
          let result = try await fixture.pipeline.send(call)
          #expect(result.report.attempts == 1)
          return result.status
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses == Array(repeating: 200, count: 50))
    #expect(fixture.credentials.refreshes == 1)
    #expect(fixture.credentials.deaths.isEmpty)
  }

  @Test func aTokenRefusedTwiceEndsTheGrantAndIsNotRefreshedForEver() async throws {
    let fixture = PipelineFixture(otherwise: .text(401, "no"))
    let result = try await fixture.pipeline.send(.get())
    #expect(result.status == 401)
    #expect(result.report.error?.code == .needsReauth)
    #expect(fixture.transport.requests.count == 2)
    #expect(fixture.credentials.refreshes == 1 && fixture.credentials.deaths.count == 1)
  }

  @Test func aRefusedKeyNeedsItsPerson() async throws {
    let fixture = PipelineFixture(
      [.text(401)], credential: .apiKey(key: Secret("sk_live_secret"), secret: nil))
    let result = try await fixture.pipeline.send(.get())
    #expect(result.report.error?.code == .needsReauth)
    #expect(result.report.error?.message.contains("key") == true)
    #expect(fixture.transport.requests.count == 1 && fixture.credentials.refreshes == 0)
  }

  @Test func aRefreshThatFailsKeepsTheProvidersAnswer() async throws {
    let fixture = PipelineFixture([.text(401, "expired")])
    fixture.credentials.failRefreshes(
      with: FairleadError(.serviceUnavailable, "Acme cannot renew access now."))
    let result = try await fixture.pipeline.send(.get())
    #expect(result.status == 401 && result.report.error?.code == .serviceUnavailable)
    #expect(try await result.body.text() == "expired")
    #expect(fixture.credentials.deaths.isEmpty)
  }

  @Test func exhaustedQuotaIsNeverRetried() async throws {
    let fixture = PipelineFixture(
      otherwise: .json(429, ["error": ["code": "insufficient_quota"]])
    ) {
      var condition = ProviderDefinition.Condition()
      condition.status = [429]
      condition.body = ["error.code": ["insufficient_quota"]]
      $0.errors = [.init(when: condition, errorClass: .quotaExhausted)]
    }
    let result = try await fixture.pipeline.send(.get())
    #expect(result.status == 429 && result.report.error?.code == .quotaExhausted)
    #expect(try await result.body.text() == #"{"error":{"code":"insufficient_quota"}}"#)
    #expect(fixture.transport.requests.count == 1 && fixture.observer.rateLimited == 0)
  }

  @Test(arguments: [
    (400, ErrorCode.invalidRequest), (403, .forbidden), (404, .notFound), (409, .conflict),
    (413, .payloadTooLarge), (402, .quotaExhausted),
  ])
  func theCallersOwnErrorsPassThroughWithWordsForPeople(status: Int, code: ErrorCode) async throws {
    let fixture = PipelineFixture([.text(status, "provider's words")])
    let result = try await fixture.pipeline.send(.get())
    #expect(result.status == status && result.report.error?.code == code)
    let message = try #require(result.report.error?.message)
    #expect(message.contains("Acme") && !message.contains("\(status)"))
    #expect(try await result.body.text() == "provider's words")
  }

  @Test func aProviderThatSaysNoWithA200IsUnderstood() async throws {
    let fixture = PipelineFixture([
      .json(200, ["ok": false, "error": "ratelimited"], headers: [.retryAfter: "1"]),
      .json(200, ["ok": true]),
    ]) {
      var condition = ProviderDefinition.Condition()
      condition.status = [200]
      condition.body = ["ok": [false], "error": ["ratelimited"]]
      $0.errors = [.init(when: condition, errorClass: .rateLimited, effect: .none)]
    }
    let result = try await fixture.send(.post())
    #expect(result.report.attempts == 2 && result.report.error == nil)
    #expect(try await result.body.text() == #"{"ok":true}"#)
  }

  @Test func eventStreamsAreNeverBuffered() async throws {
    let pulls = Box(0)
    let fixture = PipelineFixture([
      .response(
        status: 200, headers: [.contentType: "text/event-stream; charset=utf-8"],
        body: BodyStream {
          {
            pulls.withLock { $0 += 1 }
            return pulls.current > 3 ? nil : ByteBuffer(string: "data: x\n\n")
          }
        })
    ]) {
      var condition = ProviderDefinition.Condition()
      condition.body = ["error": ["x"]]
      $0.errors = [.init(when: condition, errorClass: .invalid)]
    }
    let result = try await fixture.pipeline.send(.post())
    #expect(pulls.current == 0)
    #expect(try await result.body.text() == "data: x\n\ndata: x\n\ndata: x\n\n")
  }

  @Test func aLargeFailureIsHandedOnUnchanged() async throws {
    let chunk = String(repeating: "x", count: 100_000)
    let fixture = PipelineFixture([.chunks(400, Array(repeating: chunk, count: 5))])
    let result = try await fixture.pipeline.send(.get())
    #expect(result.report.error?.code == .invalidRequest)
    #expect(try await result.body.text().utf8.count == 500_000)
    #expect(fixture.observer.records.map(\.bytes) == [500_000])
  }

  @Test func theDeadlineBoundsAttemptsAndWaits() async throws {
    let fixture = PipelineFixture(otherwise: .silence) { $0.timeout = .seconds(30) }
    let error = await #expect(throws: FairleadError.self) {
      try await fixture.send(.get(timeout: .seconds(40)), step: .milliseconds(500))
    }
    #expect(error?.code == .upstreamTimeout)
    #expect(fixture.clock.uptime <= .milliseconds(40_500))
    let timeouts = fixture.transport.requests.map(\.timeout)
    #expect(timeouts.first == .seconds(30))
    #expect(timeouts.count == 2 && timeouts[1] <= .seconds(10))
  }

  @Test func aSourceOfCredentialsThatHangsDoesNotOutliveTheDeadline() async throws {
    struct Hanging: CredentialSource {
      let clock: ManualClock
      func usableCredential(for id: ConnectionID) async throws -> ConnectionCredential {
        try await clock.sleep(for: .seconds(1_000))
        throw CancellationError()
      }
      func refreshedCredential(
        for id: ConnectionID, after version: Int64
      ) async throws -> ConnectionCredential { try await usableCredential(for: id) }
      func grantDied(of id: ConnectionID, version: Int64, reason: String) async throws {}
    }
    let fixture = PipelineFixture()
    let definition = ProviderDefinition(
      name: "acme", displayName: "Acme", purpose: "", baseURL: "https://api.acme.example",
      auth: .none)
    let pipeline = RequestPipeline(
      integrations: IntegrationRegistry([Integration(name: "acme", definition: definition)]),
      credentials: Hanging(clock: fixture.clock), transport: fixture.transport,
      clock: fixture.clock, random: RandomSource(seed: 1), observer: fixture.observer,
      logger: fixture.pipeline.logger)
    let call = Task { try await pipeline.send(.get(timeout: .seconds(5))) }
    await fixture.clock.waitForSleepers(2)
    fixture.clock.advance(by: .seconds(5))
    let error = await #expect(throws: FairleadError.self) { try await call.value }
    #expect(error?.code == .upstreamTimeout)
    #expect(fixture.observer.records.count == 1)
  }

  @Test func anEmptyBudgetReturnsTheOriginalError() async throws {
    let fixture = PipelineFixture(otherwise: .text(503)) {
      $0.retry.base = .zero
      $0.breaker = nil
    }
    var attempts: [Int] = []
    var last: CallResult?
    for _ in 0..<30 {
      let result = try await fixture.send(.get())
      attempts.append(result.report.attempts)
      last = result
    }
    // 35 retries at 14 tokens each; then none.
    #expect(attempts.reduce(0) { $0 + $1 - 1 } == 35)
    #expect(attempts.last == 1)
    #expect(last?.report.error?.detail == "retry budget exhausted")
    #expect(last?.status == 503)
  }

  @Test func ownersShareALimitFairly() async throws {
    let fixture = PipelineFixture {
      $0.limits = [
        {
          var limit = ProviderDefinition.Limit(
            name: "app", requests: 1, period: .seconds(1), key: [.integration])
          limit.burst = 1
          return limit
        }()
      ]
    }
    let sent = Box<[String]>([])
    try await withThrowingTaskGroup(of: Void.self) { group in
      func start(_ owner: String) {
        group.addTask {
          let result = try await fixture.pipeline.send(.get("/\(owner)", owner: owner))
          sent.withLock { $0.append(owner) }
          if result.report.waited > .zero {
            #expect(result.report.waitReason == "Acme's rate limit (app)")
          }
        }
      }
      for _ in 0..<6 { start("conn_greedy") }
      let gate = try #require(fixture.pipeline.lanes["acme"]).gate
      while gate.waiting < 5 { await Task.yield() }
      start("conn_modest")
      while gate.waiting < 6 { await Task.yield() }
      for _ in 0..<6 {
        let before = sent.current.count
        await fixture.clock.waitForSleepers()
        fixture.clock.advance(by: .seconds(1))
        while sent.current.count == before { await Task.yield() }
      }
      try await group.waitForAll()
    }
    let order = sent.current
    #expect(order.count == 7)
    #expect(order.prefix(3).contains("conn_modest"))
  }

  @Test func aThrottledConnectionDoesNotHoldUpAnother() async throws {
    let fixture = PipelineFixture([
      .text(429, headers: [.retryAfter: "30"]), .text(200, "other"),
    ])
    let throttled = try await fixture.pipeline.send(.get(owner: "conn_a", timeout: .seconds(5)))
    #expect(throttled.report.error?.code == .rateLimitExceeded)
    let other = try await fixture.pipeline.send(.get(owner: "conn_b", timeout: .seconds(5)))
    #expect(other.status == 200)
    let again = await #expect(throws: FairleadError.self) {
      try await fixture.pipeline.send(.get(owner: "conn_a", timeout: .seconds(5)))
    }
    #expect(again?.code == .rateLimitExceeded && again?.retryAfter == .seconds(30))
    #expect(fixture.transport.requests.count == 2)
  }

  @Test func theBulkheadHoldsUntilBodiesEnd() async throws {
    let fixture = PipelineFixture(otherwise: .chunks(200, ["a", "b"])) { $0.bulkhead = 1 }
    let first = try await fixture.pipeline.send(.get())
    async let second = fixture.pipeline.send(.get())
    await fixture.clock.waitForSleepers()
    #expect(fixture.transport.requests.count == 1)
    fixture.clock.advance(by: .seconds(1))
    _ = try await first.body.text()
    #expect(try await second.report.waited == .seconds(1))
    #expect(fixture.transport.requests.count == 2)
  }

  @Test func aFullBulkheadFailsAtTheDeadline() async throws {
    let fixture = PipelineFixture(otherwise: .chunks(200, ["a"])) { $0.bulkhead = 1 }
    let first = try await fixture.pipeline.send(.get())
    let second = Task { try await fixture.pipeline.send(.get(timeout: .seconds(3))) }
    await fixture.clock.waitForSleepers()
    fixture.clock.advance(by: .seconds(3))
    let error = await #expect(throws: FairleadError.self) { try await second.value }
    #expect(error?.code == .serviceUnavailable)
    _ = try await first.body.text()
    _ = try await fixture.pipeline.send(.get()).body.text()
    #expect(fixture.observer.records.count == 3)
  }

  @Test func droppingABodyGivesThePermitBackAndIsRecorded() async throws {
    let fixture = PipelineFixture(otherwise: .chunks(200, ["a", "b"])) { $0.bulkhead = 1 }
    for _ in 0..<3 { _ = try await fixture.pipeline.send(.get()) }
    #expect(fixture.observer.records.map(\.bodyEnd) == [.dropped, .dropped, .dropped])
    do {
      let result = try await fixture.pipeline.send(.get())
      for try await _ in result.body { break }
    }
    #expect(fixture.observer.records.last?.bytes == 1)
  }

  @Test func aBodyThatBreaksOffIsAnErrorAndRecorded() async throws {
    let fixture = PipelineFixture([
      .response(
        status: 200, headers: [:],
        body: BodyStream {
          var count = 0
          return {
            count += 1
            if count == 1 { return ByteBuffer(string: "half") }
            throw TransportError(.disconnected, nothingSent: false, detail: "cut short")
          }
        })
    ])
    let result = try await fixture.pipeline.send(.get())
    let error = await #expect(throws: FairleadError.self) { try await result.body.text() }
    #expect(error?.code == .serviceUnavailable && error?.retryable == false)
    let record = try #require(fixture.observer.records.first)
    #expect(record.bodyEnd == .broken && record.bytes == 4)
    #expect(fixture.transport.requests.count == 1)
  }

  @Test func aStreamedBodyIsSentOnceUnlessNothingWasPulled() async throws {
    func stream(_ pulls: Box<Int>) -> RequestBody {
      .stream(
        BodyStream {
          var left = 2
          return {
            pulls.withLock { $0 += 1 }
            left -= 1
            return left >= 0 ? ByteBuffer(string: "x") : nil
          }
        }, length: nil)
    }
    let refused = TransportError(.connect, nothingSent: true, detail: "refused")
    let pulls = Box(0)
    let untouched = PipelineFixture([.failure(refused), .text(200)])
    let result = try await untouched.send(.post(body: stream(pulls)))
    #expect(result.status == 200 && untouched.transport.requests.map(\.bodyText) == ["", "xx"])
    let spent = PipelineFixture([.text(429, headers: [.retryAfter: "1"]), .text(200)])
    let refusedLate = try await spent.send(.post(body: stream(pulls)))
    #expect(refusedLate.status == 429)
    #expect(refusedLate.report.error?.code == .rateLimitExceeded)
    #expect(spent.transport.requests.count == 1)
  }

  @Test func aStreamWithAStaleTokenIsNotReplayedButTheTokenIsRenewed() async throws {
    let fixture = PipelineFixture([.text(401)])
    let body = RequestBody.stream(.single(ByteBuffer(string: "x")), length: 1)
    let result = try await fixture.pipeline.send(.post(body: body))
    #expect(result.report.error?.code == .serviceUnavailable)
    #expect(result.report.error?.retryable == true)
    #expect(fixture.credentials.refreshes == 1 && fixture.transport.requests.count == 1)
  }

  @Test func cancellingTheCallerEndsTheCallAtOnceAndFreesItsPermit() async throws {
    let fixture = PipelineFixture([.silence], otherwise: .text(200)) { $0.bulkhead = 1 }
    let call = Task { try await fixture.pipeline.send(.post()) }
    await fixture.clock.waitForSleepers()
    call.cancel()
    await #expect(throws: CancellationError.self) { try await call.value }
    let record = try #require(fixture.observer.records.first)
    #expect(record.cancelled && record.errorCode == nil)
    let next = try await fixture.pipeline.send(.get())
    #expect(next.status == 200)
  }

  @Test(arguments: [
    "//evil.example/", "https://evil.example/", "/../x", "/a b", "/a\r\nx: y", "@evil.example",
  ])
  func hostilePathsAreRefusedBeforeAnythingIsSent(path: String) async throws {
    let fixture = PipelineFixture()
    let error = await #expect(throws: FairleadError.self) {
      try await fixture.pipeline.send(.get(path))
    }
    #expect(error?.code == .invalidRequest)
    #expect(fixture.transport.requests.isEmpty && fixture.observer.records.count == 1)
  }

  @Test func unknownIntegrationsAndForeignConnectionsAreNotFound() async throws {
    let fixture = PipelineFixture()
    var call = Call.get()
    call.integration = "nobody"
    let unknown = await #expect(throws: FairleadError.self) {
      try await fixture.pipeline.send(call)
    }
    #expect(unknown?.code == .notFound)
    call = .get()
    call.host = "files"
    let host = await #expect(throws: FairleadError.self) { try await fixture.pipeline.send(call) }
    #expect(host?.code == .notFound)
    #expect(fixture.transport.requests.isEmpty)
  }

  @Test func noSecretStandsInErrorsOrRecords() async throws {
    let fixture = PipelineFixture(
      otherwise: .text(401), credential: StubCredentials.oauth("xoxb-very-secret"))
    let result = try await fixture.pipeline.send(.get())
    let text = "\(result.report) \(fixture.observer.records) \(fixture.credentials.deaths)"
    #expect(!text.contains("very-secret") && !text.contains("token-2"))
  }

  @Test func limitHeadersHoldCallsBackBeforeTheProviderDoes() async throws {
    let remaining = try #require(HTTPField.Name("x-remaining"))
    let reset = try #require(HTTPField.Name("x-reset"))
    let fixture = PipelineFixture([.text(200, headers: [remaining: "0", reset: "20"])]) {
      $0.limitHeaders = .init(remaining: "x-remaining", reset: "x-reset", resetFormat: .seconds)
    }
    _ = try await fixture.pipeline.send(.get())
    let error = await #expect(throws: FairleadError.self) {
      try await fixture.pipeline.send(.get(timeout: .seconds(10)))
    }
    #expect(error?.code == .rateLimitExceeded && error?.retryAfter == .seconds(20))
    let waited = try await fixture.send(.get(timeout: .seconds(60)))
    #expect(waited.report.waited == .seconds(20))
  }
}
