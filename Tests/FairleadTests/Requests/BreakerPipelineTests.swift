import FairleadTesting
import HTTPTypes
import NIOCore
import Testing

@testable import Fairlead

/// The circuit breaker in its place in the pipeline.
@Suite struct BreakerPipelineTests {
  private static let reset = StubTransport.Answer.failure(
    TransportError(.disconnected, nothingSent: false, detail: "reset"))
  private static let refused = StubTransport.Answer.failure(
    TransportError(.connect, nothingSent: true, detail: "refused"))

  /// One attempt a call, so that attempts are easy to count.
  private static func fixture(
    otherwise: StubTransport.Answer = .text(503),
    define: @escaping (inout ProviderDefinition) -> Void = { _ in }
  ) -> PipelineFixture {
    PipelineFixture(otherwise: otherwise) {
      $0.retry.attempts = 1
      define(&$0)
    }
  }

  private func fail(_ fixture: PipelineFixture, times: Int = 5) async {
    for _ in 0..<times {
      if let result = try? await fixture.pipeline.send(.get()) {
        _ = try? await result.body.text()
      }
    }
  }

  @Test func anOpenBreakerEndsCallsAtOnceAndSendsNothing() async throws {
    let fixture = Self.fixture()
    await fail(fixture)
    #expect(fixture.pipeline.breaker(of: "acme") == .open)
    #expect(fixture.observer.breakers.map(\.position) == [.open])
    let error = await #expect(throws: FairleadError.self) {
      try await fixture.pipeline.send(.post())
    }
    // A write that was not sent may be repeated: its outcome is known.
    #expect(error?.code == .serviceUnavailable && error?.retryable == true)
    #expect(error?.attempts == 0)
    let wait = try #require(error?.retryAfter)
    #expect(wait > .seconds(3) && wait <= .seconds(5))
    #expect(error?.message.hasPrefix("Acme is temporarily unavailable. Try again in") == true)
    #expect(fixture.transport.requests.count == 5)
    #expect(fixture.clock.sleeperCount == 0)
    let record = try #require(fixture.observer.records.last)
    #expect(record.attempts == 0 && record.errorClass == .transient)
  }

  @Test func oneProbeGoesOutAfterTheBreakAndRecoveryIsSeen() async throws {
    let fixture = Self.fixture(otherwise: .text(200))
    for _ in 0..<5 { fixture.transport.enqueue(.text(503)) }
    await fail(fixture)
    fixture.clock.advance(by: .seconds(5))
    #expect(fixture.pipeline.breaker(of: "acme") == .halfOpen)
    let result = try await fixture.pipeline.send(.get())
    #expect(result.status == 200)
    #expect(fixture.pipeline.breaker(of: "acme") == .closed)
    #expect(fixture.observer.breakers.map(\.position) == [.open, .halfOpen, .closed])
  }

  @Test func whileTheProbeIsOutTheOthersAreRefused() async throws {
    let gate = ProbeGate()
    let fixture = Self.fixture(
      otherwise: .decide { _ in
        await gate.wait()
        return .text(200)
      })
    for _ in 0..<5 { fixture.transport.enqueue(Self.refused) }
    await fail(fixture)
    fixture.clock.advance(by: .seconds(5))
    async let probe = fixture.pipeline.send(.get())
    await gate.arrived()
    for _ in 0..<10 {
      let error = await #expect(throws: FairleadError.self) {
        try await fixture.pipeline.send(.get())
      }
      #expect(error?.code == .serviceUnavailable)
    }
    #expect(fixture.transport.requests.count == 6)
    gate.open()
    let result = try await probe
    #expect(result.status == 200 && fixture.pipeline.breaker(of: "acme") == .closed)
  }

  @Test func aCancelledProbeGivesItsPlaceBack() async throws {
    let fixture = Self.fixture(otherwise: .text(200))
    for _ in 0..<5 { fixture.transport.enqueue(Self.refused) }
    await fail(fixture)
    fixture.clock.advance(by: .seconds(5))
    fixture.transport.enqueue(.silence)
    let probe = Task { try await fixture.pipeline.send(.get()) }
    await fixture.clock.waitForSleepers()
    probe.cancel()
    await #expect(throws: CancellationError.self) { try await probe.value }
    #expect(fixture.pipeline.breaker(of: "acme") == .halfOpen)
    #expect(try await fixture.pipeline.send(.get()).status == 200)
    #expect(fixture.pipeline.breaker(of: "acme") == .closed)
  }

  @Test(arguments: [400, 401, 402, 403, 404, 409, 410, 422, 429, 501])
  func answersThatAreNoOutageNeverOpenIt(status: Int) async throws {
    let fixture = Self.fixture(otherwise: .text(status))
    await fail(fixture, times: 30)
    #expect(fixture.pipeline.breaker(of: "acme") == .closed)
    #expect(fixture.observer.breakers.isEmpty)
  }

  @Test func aCallersImpatienceDoesNotCloseAnOriginToTheOthers() async throws {
    let fixture = Self.fixture(otherwise: .silence)
    for _ in 0..<10 {
      await #expect(throws: FairleadError.self) {
        try await fixture.send(.get(timeout: .milliseconds(200)))
      }
    }
    #expect(fixture.pipeline.breaker(of: "acme") == .closed)
    for _ in 0..<5 {
      await #expect(throws: FairleadError.self) {
        try await fixture.send(.get(timeout: .seconds(40)), step: .seconds(1))
      }
    }
    #expect(fixture.pipeline.breaker(of: "acme") == .open)
  }

  @Test func retriesEndWithTheProvidersAnswerOnceItOpens() async throws {
    let fixture = PipelineFixture(otherwise: .json(503, ["error": "down"])) {
      $0.retry.attempts = 10
      $0.retry.base = .milliseconds(1)
    }
    let result = try await fixture.send(.get())
    #expect(result.status == 503 && result.report.attempts == 5)
    #expect(try await result.body.text() == #"{"error":"down"}"#)
    #expect(result.report.error?.code == .serviceUnavailable)
    #expect((result.report.error?.retryAfter ?? .zero) > .seconds(3))
  }

  @Test func aKeyedWriteThatMayHaveHappenedStaysUnknownWhenItOpens() async throws {
    let fixture = PipelineFixture(otherwise: Self.reset) {
      $0.retry.attempts = 10
      $0.retry.base = .milliseconds(1)
      $0.idempotency = .init(header: "Idempotency-Key", methods: ["POST"])
    }
    let error = await #expect(throws: FairleadError.self) { try await fixture.send(.post()) }
    #expect(error?.code == .outcomeUnknown && error?.attempts == 5)
    let next = await #expect(throws: FairleadError.self) { try await fixture.send(.post()) }
    #expect(next?.code == .serviceUnavailable)
  }

  @Test func aRefusedCallTakesNothingFromTheQuota() async throws {
    let fixture = Self.fixture {
      $0.limits = [
        .init(name: "default", requests: 6, period: .seconds(3_600), key: [.integration])
      ]
    }
    await fail(fixture)
    await fail(fixture, times: 50)
    fixture.clock.advance(by: .seconds(5))
    fixture.transport.enqueue(.text(200))
    // The sixth of six: a refusal that had been charged would make this one wait.
    let result = try await fixture.pipeline.send(.get())
    #expect(result.status == 200 && result.report.waited == .zero)
  }

  @Test func oneOriginOfAnIntegrationSaysNothingAboutAnother() async throws {
    let fixture = Self.fixture(
      otherwise: .decide { $0.url.contains("files") ? .text(200) : .text(503) }
    ) { $0.hosts = ["files": "https://files.acme.example"] }
    await fail(fixture)
    var call = Call.get()
    call.host = "files"
    #expect(try await fixture.pipeline.send(call).status == 200)
    await #expect(throws: FairleadError.self) { try await fixture.pipeline.send(.get()) }
    #expect(fixture.pipeline.breaker(of: "acme") == .open)
  }

  @Test func turnedOffItNeverRefuses() async throws {
    let fixture = Self.fixture { $0.breaker = nil }
    await fail(fixture, times: 50)
    #expect(fixture.transport.requests.count == 50)
    #expect(fixture.pipeline.breaker(of: "acme") == .closed)
  }

  @Test func theMetricsShowIt() async throws {
    let fixture = Self.fixture()
    await fail(fixture, times: 8)
    let text = MetricText.render(fixture.pipeline.breakerFamilies())
    #expect(text.contains(#"fairlead_breaker_state{integration="acme"} 2"#))
    #expect(text.contains(#"fairlead_breaker_opened_total{integration="acme"} 1"#))
    #expect(text.contains(#"fairlead_breaker_refused_total{integration="acme"} 3"#))
  }
}

/// Holds whoever waits at it until it is opened.
final class ProbeGate: Sendable {
  private struct State {
    var isOpen = false
    var waiting: [CheckedContinuation<Void, Never>] = []
    var watchers: [CheckedContinuation<Void, Never>] = []
  }
  private let state = Box(State())

  func wait() async {
    await withCheckedContinuation { continuation in
      let (now, watchers) = state.withLock { state in
        if state.isOpen { return (true, [CheckedContinuation<Void, Never>]()) }
        state.waiting.append(continuation)
        defer { state.watchers = [] }
        return (false, state.watchers)
      }
      if now { continuation.resume() }
      for watcher in watchers { watcher.resume() }
    }
  }

  /// Returns once somebody waits.
  func arrived() async {
    await withCheckedContinuation { continuation in
      let now = state.withLock { state in
        if !state.waiting.isEmpty || state.isOpen { return true }
        state.watchers.append(continuation)
        return false
      }
      if now { continuation.resume() }
    }
  }

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}
