import FairleadTesting
import HTTPTypes
import Logging
import NIOCore
import Synchronization

@testable import Fairlead

/// A value that several tasks of a test change.
final class Box<Value: Sendable>: Sendable {
  private let value: Mutex<Value>
  init(_ value: Value) { self.value = Mutex(value) }
  func withLock<R: Sendable>(_ body: (inout Value) -> R) -> R { value.withLock { body(&$0) } }
  var current: Value { value.withLock { $0 } }
}

/// Keeps what the pipeline tells its observer.
final class RecordingCallObserver: CallObserver {
  private struct State {
    var records: [CallRecord] = []
    var rateLimited = 0
    var breakers: [BreakerChange] = []
  }
  private let state = Mutex(State())

  var records: [CallRecord] { state.withLock { $0.records } }
  var rateLimited: Int { state.withLock { $0.rateLimited } }
  var breakers: [BreakerChange] { state.withLock { $0.breakers } }

  func breakerChanged(_ change: BreakerChange) { state.withLock { $0.breakers.append(change) } }

  func callEnded(_ record: CallRecord) { state.withLock { $0.records.append(record) } }
  func rateLimited(
    _ integration: IntegrationName, connection: ConnectionID, retryAfter: Duration?
  ) { state.withLock { $0.rateLimited += 1 } }
}

/// Connections in memory: each id is a connection of the owner it is named after.
final class StubCredentials: CredentialSource {
  private struct State {
    var credential: Credential
    var version: Int64 = 1
    var refreshes = 0
    var deaths: [String] = []
    var refreshFailure: FairleadError?
  }

  private let state: Mutex<State>
  let params: [String: String]

  init(_ credential: Credential, params: [String: String] = [:]) {
    state = Mutex(State(credential: credential))
    self.params = params
  }

  static func oauth(_ token: String = "token-1", refresh: String? = "refresh") -> Credential {
    .oauth2(
      .init(
        accessToken: Secret(token), refreshToken: refresh.map { Secret($0) },
        issuedAt: Timestamp(seconds: 0)))
  }

  private func connection(_ id: ConnectionID, _ state: State) -> ConnectionCredential {
    ConnectionCredential(
      connection: Connection(
        id: id, integration: "acme", owner: Owner(id.rawValue), params: params,
        createdAt: Timestamp(seconds: 0), version: state.version),
      credential: state.credential)
  }

  func usableCredential(for id: ConnectionID) async throws -> ConnectionCredential {
    state.withLock { connection(id, $0) }
  }

  func refreshedCredential(
    for id: ConnectionID, after version: Int64
  ) async throws -> ConnectionCredential {
    try state.withLock { state in
      if let failure = state.refreshFailure { throw failure }
      if state.version == version {
        state.version += 1
        state.refreshes += 1
        state.credential = Self.oauth("token-\(state.version)")
      }
      return connection(id, state)
    }
  }

  func grantDied(of id: ConnectionID, version: Int64, reason: String) async throws {
    state.withLock { $0.deaths.append(reason) }
  }

  func failRefreshes(with error: FairleadError) {
    state.withLock { $0.refreshFailure = error }
  }

  var refreshes: Int { state.withLock { $0.refreshes } }
  var deaths: [String] { state.withLock { $0.deaths } }
}

/// A pipeline over a stub, with a clock that stands still.
struct PipelineFixture {
  let clock: ManualClock
  let transport: StubTransport
  let credentials: StubCredentials
  let observer = RecordingCallObserver()
  let pipeline: RequestPipeline

  init(
    _ script: [StubTransport.Answer] = [], otherwise: StubTransport.Answer = .text(200),
    credential: Credential = StubCredentials.oauth(), seed: UInt64 = 7,
    fallback: FallbackOverride? = nil, define: (inout ProviderDefinition) -> Void = { _ in }
  ) {
    var definition = ProviderDefinition(
      name: "acme", displayName: "Acme", purpose: "Tests", baseURL: "https://api.acme.example",
      auth: .apiKey)
    definition.retry.base = .milliseconds(500)
    define(&definition)
    clock = ManualClock()
    transport = StubTransport(script, otherwise: otherwise, clock: clock)
    credentials = StubCredentials(credential)
    var integration = Integration(name: "acme", definition: definition)
    integration.fallback = fallback
    pipeline = RequestPipeline(
      integrations: IntegrationRegistry([integration]),
      credentials: credentials, transport: transport, clock: clock,
      random: RandomSource(seed: seed), observer: observer,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
  }

  /// Makes a call and moves the clock to whatever it sleeps for, in steps of `step`.
  func send(_ call: Call, step: Duration = .milliseconds(10)) async throws -> CallResult {
    try await withThrowingTaskGroup(of: CallResult?.self) { group in
      group.addTask { try await pipeline.send(call) }
      group.addTask {
        while !Task.isCancelled {
          if clock.sleeperCount > 0 { clock.advance(by: step) }
          await Task.yield()
        }
        return nil
      }
      defer { group.cancelAll() }
      while let result = try await group.next() {
        if let result { return result }
      }
      throw CancellationError()
    }
  }
}

extension Call {
  static func get(
    _ path: String = "/things", owner: String = "conn_u1", timeout: Duration = .seconds(60),
    priority: Priority = .interactive
  ) -> Call {
    Call(
      integration: "acme", connection: ConnectionID(rawValue: owner), method: .get, path: path,
      timeout: timeout, priority: priority)
  }

  static func post(
    _ path: String = "/things", headers: HTTPFields = [:],
    body: RequestBody = .bytes(ByteBuffer(string: "a=1")), timeout: Duration = .seconds(60)
  ) -> Call {
    Call(
      integration: "acme", connection: ConnectionID(rawValue: "conn_u1"), method: .post,
      path: path, headers: headers, body: body, timeout: timeout)
  }
}

extension BodyStream {
  func text() async throws -> String {
    var all = ByteBuffer()
    for try await var chunk in self { all.writeBuffer(&chunk) }
    return String(buffer: all)
  }
}
