import FairleadTesting
import HTTPTypes
import NIOCore
import Testing

@testable import Fairlead

/// Canned responses in place of what finally failed.
@Suite struct FallbackTests {
  private static let down = StubTransport.Answer.failure(
    TransportError(.connect, nothingSent: true, detail: "refused"))
  private static let reset = StubTransport.Answer.failure(
    TransportError(.disconnected, nothingSent: false, detail: "reset"))

  private static func response(
    _ methods: [String], _ path: String, _ json: JSONValue,
    effect: ProviderDefinition.Effect = .unknown
  ) -> ProviderDefinition.FallbackResponse {
    var response = ProviderDefinition.FallbackResponse(
      methods: methods, path: path, content: .json(json))
    response.effect = effect
    return response
  }

  private static func fixture(
    _ script: [StubTransport.Answer] = [], otherwise: StubTransport.Answer = down,
    override: FallbackOverride? = nil,
    define: @escaping (inout ProviderDefinition.FallbackSettings) -> Void = { _ in }
  ) -> PipelineFixture {
    PipelineFixture(script, otherwise: otherwise, fallback: override) {
      $0.retry.attempts = 1
      var settings = ProviderDefinition.FallbackSettings()
      settings.responses = [
        response(["GET"], "/things/{id}", ["id": "{id}", "kept": false]),
        response(
          ["POST"], "/completions", ["text": "Later.", "model": "{request.model}"], effect: .none),
        response(["POST"], "/things", ["ok": true]),
      ]
      define(&settings)
      $0.fallback = settings
    }
  }

  @Test func aFailedCallIsAnsweredInTheProvidersShapeAndFlagged() async throws {
    let fixture = Self.fixture()
    let result = try await fixture.pipeline.send(.get("/things/7?x=1"))
    #expect(result.status == 200 && result.report.fallback == .canned)
    #expect(result.report.error?.code == .serviceUnavailable)
    #expect(result.headers[.contentType] == "application/json")
    let body = try JSONValue(parsing: try await result.body.text().utf8)
    #expect(body["kept"] == false && body["id"]?.string?.count == 24)
    let record = try #require(fixture.observer.records.first)
    #expect(fixture.observer.records.count == 1)
    #expect(record.fallback && record.errorClass == .transient && record.status == nil)
    #expect(record.errorCode == .serviceUnavailable && record.bodyEnd == .complete)
    #expect(record.bytes > 20)
  }

  @Test func theProvidersOwnFinalFailureIsReplacedToo() async throws {
    let fixture = Self.fixture(otherwise: .json(503, ["error": "down"]))
    let result = try await fixture.pipeline.send(.get("/things/7"))
    #expect(result.status == 200 && result.report.fallback == .canned)
    #expect(result.report.error?.status == 503)
    #expect(fixture.observer.records.first?.status == 503)
    #expect(fixture.observer.records.first?.fallback == true)
  }

  @Test func anOpenBreakerIsAnsweredToo() async throws {
    let fixture = Self.fixture()
    for _ in 0..<8 {
      let result = try await fixture.pipeline.send(.get("/things/7"))
      #expect(result.report.fallback == .canned)
    }
    #expect(fixture.transport.requests.count == 5)
    #expect(fixture.pipeline.breaker(of: "acme") == .open)
  }

  @Test(arguments: [400, 401, 403, 404, 409, 422])
  func aCallersOwnFailureIsNeverReplaced(status: Int) async throws {
    let fixture = Self.fixture(otherwise: .text(status)) {
      $0.triggers = Set(ProviderDefinition.FallbackSettings.Trigger.allCases)
    }
    let result = try await fixture.pipeline.send(.get("/things/7"))
    #expect(result.status == status && result.report.fallback == nil)
  }

  @Test(arguments: [(429, "rate_limit"), (402, "quota")])
  func limitsAreReplacedOnlyWhereThatIsAskedFor(status: Int, trigger: String) async throws {
    let plain = Self.fixture(otherwise: .text(status))
    #expect(try await plain.pipeline.send(.get("/things/7")).report.fallback == nil)
    let asked = Self.fixture(otherwise: .text(status)) {
      $0.triggers = Set([.init(rawValue: trigger)].compactMap(\.self))
    }
    #expect(try await asked.pipeline.send(.get("/things/7")).report.fallback == .canned)
    // Nor is anything else, then.
    asked.transport.enqueue(Self.down)
    await #expect(throws: FairleadError.self) {
      try await asked.pipeline.send(.get("/things/7"))
    }
  }

  @Test func aWriteThatMayHaveHappenedIsNeverToldToHaveGoneOtherwise() async throws {
    let fixture = Self.fixture([Self.reset], otherwise: Self.down)
    let error = await #expect(throws: FairleadError.self) {
      try await fixture.pipeline.send(.post("/things"))
    }
    #expect(error?.code == .outcomeUnknown)
    // One that certainly did not may.
    let result = try await fixture.pipeline.send(.post("/things"))
    #expect(result.report.fallback == .canned && result.report.error?.code == .serviceUnavailable)
  }

  @Test func whereACallLeavesNothingBehindItsOutcomeMayBeUnknown() async throws {
    let fixture = Self.fixture(otherwise: Self.reset)
    let body = RequestBody.bytes(ByteBuffer(string: #"{"model":"m-1"}"#))
    let result = try await fixture.pipeline.send(.post("/completions", body: body))
    #expect(result.report.fallback == .canned && result.report.error?.code == .outcomeUnknown)
    #expect(try await result.body.text() == #"{"model":"m-1","text":"Later."}"#)
  }

  @Test func whatHasNoResponseFailsAsItDid() async throws {
    let fixture = Self.fixture()
    await #expect(throws: FairleadError.self) { try await fixture.pipeline.send(.get("/other")) }
    var call = Call.get("/things/7")
    call.allowsFallback = false
    let plain = call
    await #expect(throws: FairleadError.self) { try await fixture.pipeline.send(plain) }
    #expect(fixture.observer.records.allSatisfy { !$0.fallback })
  }

  @Test(arguments: [Call.Source.sync, .api])
  func whatStoresAnswersOrWaitsForThemGetsNone(source: Call.Source) async throws {
    let fixture = Self.fixture()
    var call = Call.get("/things/7")
    call.source = source
    let stored = call
    await #expect(throws: FairleadError.self) { try await fixture.pipeline.send(stored) }
  }

  @Test func aFailureOfOurOwnStorageIsNotTheProviders() async throws {
    let fixture = Self.fixture(otherwise: .text(401))
    fixture.credentials.failRefreshes(with: FairleadError(storage: .unavailable("disk")))
    let result = try await fixture.pipeline.send(.get("/things/7"))
    #expect(result.report.fallback == nil && result.status == 401)
    // A token endpoint that is down is.
    fixture.credentials.failRefreshes(
      with: FairleadError(.serviceUnavailable, "Acme did not answer.", integration: "acme"))
    #expect(try await fixture.pipeline.send(.get("/things/7")).report.fallback == .canned)
  }

  @Test func aCancelledCallIsNotAnswered() async throws {
    let fixture = Self.fixture(otherwise: .silence)
    let task = Task { try await fixture.pipeline.send(.get("/things/7")) }
    await fixture.clock.waitForSleepers()
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func conditionsLookAtTheRequest() async throws {
    var streamed = ProviderDefinition.Condition()
    streamed.body = ["stream": [true]]
    let condition = streamed
    let fixture = Self.fixture { settings in
      var plain = Self.response(["POST"], "/chat", ["kind": "plain"])
      plain.unless = [condition]
      var stream = ProviderDefinition.FallbackResponse(
        methods: ["POST"], path: "/chat",
        content: .events([
          .init(data: ["n": "{sequence}", "text": "{message.piece}"]),
          .init(name: "usage", data: "{message}", when: condition), .init(data: "[DONE]"),
        ]))
      stream.when = condition
      settings.responses = [stream, plain]
      settings.message = "Back soon."
    }
    let asked = try await fixture.pipeline.send(
      .post("/chat", body: .bytes(ByteBuffer(string: #"{"stream":true}"#))))
    #expect(asked.headers[.contentType]?.hasPrefix("text/event-stream") == true)
    var chunks: [String] = []
    for try await chunk in asked.body { chunks.append(String(buffer: chunk)) }
    #expect(
      chunks == [
        "data: {\"n\":0,\"text\":\"Back \"}\n\n", "data: {\"n\":1,\"text\":\"soon.\"}\n\n",
        "event: usage\ndata: Back soon.\n\n", "data: [DONE]\n\n",
      ])
    for body in [#"{"stream":false}"#, "{}", "no json", "stream=true"] {
      let plain = try await fixture.pipeline.send(
        .post("/chat", body: .bytes(ByteBuffer(string: body))))
      #expect(try await plain.body.text() == #"{"kind":"plain"}"#)
    }
  }

  @Test func whatSaysAMessageIsOffWithoutOne() async throws {
    let says = Self.response(["GET"], "/things/{id}", ["text": "{message}"])
    let silent = Self.fixture { $0.responses = [says] }
    #expect(!silent.pipeline.hasFallback("acme"))
    await #expect(throws: FairleadError.self) {
      try await silent.pipeline.send(.get("/things/7"))
    }
    var own = ProviderDefinition.FallbackSettings()
    own.message = "Not now."
    let told = Self.fixture(override: .settings(own)) { $0.responses = [says] }
    #expect(told.pipeline.hasFallback("acme"))
    let result = try await told.pipeline.send(.get("/things/7"))
    #expect(try await result.body.text() == #"{"text":"Not now."}"#)
  }

  @Test func theDeploymentDecides() async throws {
    let off = Self.fixture(override: .off)
    await #expect(throws: FairleadError.self) { try await off.pipeline.send(.get("/things/7")) }
    var own = ProviderDefinition.FallbackSettings()
    own.responses = [Self.response(["GET"], "/things/7", ["mine": true])]
    let mine = Self.fixture(override: .settings(own))
    let special = try await mine.pipeline.send(.get("/things/7"))
    #expect(try await special.body.text() == #"{"mine":true}"#)
    #expect(try await mine.pipeline.send(.get("/things/8")).report.fallback == .canned)
  }
}
