import FairleadTesting
import HTTPTypes
import NIOCore
import Testing

@testable import Fairlead

/// The last good answer in place of a failure.
@Suite struct StaleAnswersTests {
  private static func fixture(
    _ script: [StubTransport.Answer], otherwise: StubTransport.Answer = .text(503)
  ) -> PipelineFixture {
    PipelineFixture(script, otherwise: otherwise) {
      $0.retry.attempts = 1
      $0.breaker = nil
      var settings = ProviderDefinition.FallbackSettings()
      settings.staleIfError = .seconds(3_600)
      $0.fallback = settings
    }
  }

  /// Makes a call and reads its answer to the end.
  @discardableResult
  private func get(
    _ fixture: PipelineFixture, _ path: String = "/things", owner: String = "conn_u1",
    headers: HTTPFields = [:]
  ) async throws -> (result: CallResult, body: String) {
    var call = Call.get(path, owner: owner)
    call.headers = headers
    let result = try await fixture.pipeline.send(call)
    return (result, try await result.body.text())
  }

  @Test func theLastGoodAnswerIsGivenWithItsAge() async throws {
    let fixture = Self.fixture([
      .json(200, ["v": 1]), .json(200, ["v": 2], headers: [.age: "5", .eTag: "\"a\""]),
    ])
    try await get(fixture)
    try await get(fixture)
    fixture.clock.advance(by: .seconds(60))
    let (result, body) = try await get(fixture)
    #expect(result.status == 200 && body == #"{"v":2}"#)
    #expect(result.report.fallback == .stale && result.report.error?.status == 503)
    #expect(result.headers[.age] == "65" && result.headers[.eTag] == "\"a\"")
    #expect(result.headers[.contentType] == "application/json")
    #expect(fixture.observer.records.map(\.fallback) == [false, false, true])
    // It lasts as long as it was set to, and no longer.
    fixture.clock.advance(by: .seconds(3_535))
    #expect(try await get(fixture).result.report.fallback == .stale)
    fixture.clock.advance(by: .seconds(1))
    #expect(try await get(fixture).result.status == 503)
  }

  @Test func nobodyElseGetsIt() async throws {
    let fixture = Self.fixture([.json(200, ["secret": "u1"])])
    try await get(fixture)
    #expect(try await get(fixture, owner: "conn_u2").result.status == 503)
    #expect(try await get(fixture, "/things?page=2").result.status == 503)
    #expect(try await get(fixture, "/thing").result.status == 503)
    #expect(try await get(fixture, headers: [.accept: "text/csv"]).result.status == 503)
    var post = Call.get("/things")
    post.method = .head
    let head = try await fixture.pipeline.send(post)
    #expect(head.status == 503)
    #expect(try await get(fixture).result.report.fallback == .stale)
  }

  @Test func itFollowsTheHeadersTheAnswerDependsOn() async throws {
    let fixture = Self.fixture([
      .json(200, ["v": 1], headers: [.vary: "X-Version, Accept-Encoding"])
    ])
    let version = try #require(HTTPField.Name("X-Version"))
    try await get(fixture, headers: [version: "1"])
    #expect(try await get(fixture, headers: [version: "2"]).result.status == 503)
    #expect(try await get(fixture).result.status == 503)
    #expect(try await get(fixture, headers: [version: "1"]).result.report.fallback == .stale)
  }

  /// One connection may speak for many accounts, and no `Vary` says so.
  @Test(arguments: [
    "Stripe-Account", "OpenAI-Organization", "X-Goog-User-Project", "Stripe-Version",
  ])
  func whoARequestSpeaksForGetsNobodyElses(header: String) async throws {
    let fixture = Self.fixture([.json(200, ["of": "a"]), .json(200, ["of": "b"])])
    let name = try #require(HTTPField.Name(header))
    try await get(fixture, headers: [name: "a"])
    try await get(fixture, headers: [name: "b"])
    #expect(try await get(fixture, headers: [name: "a"]).body == #"{"of":"a"}"#)
    #expect(try await get(fixture, headers: [name: "b"]).body == #"{"of":"b"}"#)
    #expect(try await get(fixture, headers: [name: "c"]).result.status == 503)
    #expect(try await get(fixture).result.status == 503)
  }

  @Test(arguments: [
    "User-Agent", "X-Request-Id", "traceparent", "X-Stainless-Retry-Count", "Idempotency-Key",
    "Sec-Fetch-Mode", "X-Forwarded-For",
  ])
  func whatChoosesNothingMayDiffer(header: String) async throws {
    let fixture = Self.fixture([.json(200, ["v": 1])])
    let name = try #require(HTTPField.Name(header))
    try await get(fixture, headers: [name: "a"])
    #expect(try await get(fixture, headers: [name: "b"]).result.report.fallback == .stale)
  }

  @Test(
    arguments: [
      "no-store", "no-cache", "private, must-revalidate", "max-age=60, No-Store",
      "stale-if-error=0",
    ])
  func whatAnAnswerForbidsIsNotDone(cacheControl: String) async throws {
    let fixture = Self.fixture([.json(200, ["v": 1], headers: [.cacheControl: cacheControl])])
    try await get(fixture)
    fixture.clock.advance(by: .seconds(1))
    #expect(try await get(fixture).result.status == 503)
  }

  @Test(arguments: [
    ("stale-if-error=30", 30), ("max-age=60, stale-if-error=30", 90), ("max-age=100", 3_700),
    ("private", 3_600), ("stale-if-error=999999999999999999999", 3_600), ("max-age=x", 3_600),
    ("stale-if-error=\"30\"", 30), ("", 3_600),
  ])
  func theAnswerMayAskForLessTime(cacheControl: String, seconds: Int) async throws {
    let fixture = Self.fixture([.json(200, ["v": 1], headers: [.cacheControl: cacheControl])])
    try await get(fixture)
    fixture.clock.advance(by: .seconds(seconds))
    #expect(try await get(fixture).result.report.fallback == .stale)
    fixture.clock.advance(by: .seconds(1))
    #expect(try await get(fixture).result.status == 503)
  }

  @Test func whatIsPrivateIsNotKeptForAConnectionThatManyShare() {
    for isShared in [true, false] {
      let lifetime = StaleRules.lifetime(
        request: [:], answer: [.cacheControl: "private"], limit: .seconds(60), isShared: isShared)
      #expect((lifetime == nil) == isShared)
    }
  }

  @Test func onlyACompleteGoodAnswerToAPlainGetIsKept() async throws {
    let fixture = Self.fixture([
      .json(404, ["no": true]), .json(206, ["part": true]), .text(204),
      .json(200, ["v": 1], headers: [.contentRange: "bytes 0-6/7"]),
      .chunks(200, ["data: 1\n\n"], headers: [.contentType: "text/event-stream"]),
      .json(200, ["v": 1], headers: [.vary: "*"]),
    ])
    for _ in 0..<6 { try await get(fixture) }
    #expect(try await get(fixture).result.status == 503)
    fixture.transport.enqueue(.json(200, ["v": 1]), .json(200, ["v": 2]))
    try await get(fixture, headers: [.range: "bytes=0-1"])
    #expect(try await get(fixture, headers: [.cacheControl: "no-store"]).result.status == 200)
    #expect(try await get(fixture).result.status == 503)
  }

  @Test func anAnswerThatBrokeOffOrWasDroppedIsNotKept() async throws {
    let broken = BodyStream {
      var sent = false
      return {
        if sent { throw TransportError(.disconnected, nothingSent: false, detail: "cut") }
        sent = true
        return ByteBuffer(string: "half")
      }
    }
    let fixture = Self.fixture([
      .response(status: 200, headers: [:], body: broken), .json(200, ["v": 1]),
    ])
    await #expect(throws: FairleadError.self) { try await get(fixture) }
    _ = try await fixture.pipeline.send(.get())
    #expect(try await get(fixture).result.status == 503)
  }

  @Test func aRequestThatWantsItFreshGetsTheFailure() async throws {
    let fixture = Self.fixture([.json(200, ["v": 1])])
    try await get(fixture)
    #expect(try await get(fixture, headers: [.cacheControl: "no-cache"]).result.status == 503)
    #expect(try await get(fixture).result.report.fallback == .stale)
  }

  @Test func aConnectionsAnswersAreForgottenWithIt() async throws {
    let fixture = Self.fixture([.json(200, ["v": 1]), .json(200, ["v": 2])])
    try await get(fixture)
    try await get(fixture, owner: "conn_u2")
    fixture.pipeline.forgetAnswers(of: ConnectionID(rawValue: "conn_u1"))
    #expect(try await get(fixture).result.status == 503)
    #expect(try await get(fixture, owner: "conn_u2").body == #"{"v":2}"#)
  }

  // MARK: - Bounds

  private static func entry(_ bytes: Int, _ clock: ManualClock) -> StaleAnswers.Entry {
    let connection = Connection(
      id: ConnectionID(rawValue: "conn_1"), integration: "acme", owner: "u",
      createdAt: Timestamp(seconds: 0))
    return StaleAnswers.Entry(
      account: .init(connection), status: 200, headers: [:],
      body: ByteBuffer(repeating: 0, count: bytes), selectedBy: [:], age: .zero,
      lifetime: .seconds(60), storedAt: clock.uptime)
  }

  private static func key(_ target: String) -> StaleAnswers.Key {
    .init(
      connection: ConnectionID(rawValue: "conn_1"), origin: "https://a.example", target: target)
  }

  @Test func theLeastRecentlyUsedGoFirst() {
    let clock = ManualClock()
    let answers = StaleAnswers(clock: clock, capacity: 10_000)
    let entry = Self.entry(2_000, clock)
    for name in ["a", "b", "c"] { answers.store(entry, for: Self.key(name)) }
    func has(_ name: String) -> Bool {
      answers.substitute(for: Self.key(name), account: entry.account, request: [:]) != nil
    }
    #expect(has("a"))
    answers.store(entry, for: Self.key("d"))
    #expect(answers.count == 3 && answers.bytes <= 10_000)
    #expect(has("a") && !has("b") && has("c") && has("d"))
    answers.store(Self.entry(10_000, clock), for: Self.key("e"))
    #expect(!has("e") && answers.count == 3)
    answers.forget(ConnectionID(rawValue: "conn_1"))
    #expect(answers.count == 0 && answers.bytes == 0)
  }

  @Test func anotherAccountBehindTheSameConnectionGetsNothing() {
    let clock = ManualClock()
    let answers = StaleAnswers(clock: clock)
    let entry = Self.entry(10, clock)
    answers.store(entry, for: Self.key("a"))
    var other = entry.account
    other.identity = ["id": "T2"]
    #expect(answers.substitute(for: Self.key("a"), account: other, request: [:]) == nil)
    #expect(answers.count == 0)
  }

  @Test func aLongBodyPassesUntouchedAndIsNotKept() async throws {
    let answers = StaleAnswers(clock: ManualClock())
    let chunk = ByteBuffer(repeating: 7, count: 100_000)
    let kept = Box<[Int]>([])
    for count in [2, 3] {
      let body = BodyStream {
        var left = count
        return {
          left -= 1
          return left >= 0 ? chunk : nil
        }
      }
      var read = 0
      let recorded = answers.recording(body) { whole in
        kept.withLock { $0.append(whole.readableBytes) }
      }
      for try await chunk in recorded { read += chunk.readableBytes }
      #expect(read == count * 100_000)
    }
    #expect(kept.current == [200_000])
  }
}
