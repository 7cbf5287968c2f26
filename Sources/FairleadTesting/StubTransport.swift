public import Fairlead
public import HTTPTypes
public import NIOCore
import Synchronization

/// A transport that answers from a script and remembers what it was sent, so that code that calls
/// providers can be tested without a network.
///
///     let transport = StubTransport([
///       .json(429, ["error": "slow down"], headers: [.retryAfter: "2"]),
///       .json(200, ["ok": true]),
///     ])
///
/// Thread-safe. Answers are given in order, one to each request; when the script has run out,
/// `otherwise` answers.
public final class StubTransport: Transport {
  public enum Answer: Sendable {
    case response(status: Int, headers: HTTPFields, body: BodyStream)
    /// The exchange fails without an answer. The request's body is read first unless the error says
    /// that nothing was sent.
    case failure(TransportError)
    /// Nothing comes until the attempt's timeout has passed on the stub's clock.
    case silence
    /// Decides by the request.
    case decide(@Sendable (Request) async throws -> Answer)

    /// A JSON body with its content type.
    public static func json(
      _ status: Int, _ body: JSONValue, headers: HTTPFields = [:]
    ) -> Answer {
      var headers = headers
      headers[.contentType] = "application/json"
      return .response(
        status: status, headers: headers, body: .single(ByteBuffer(bytes: body.bytes)))
    }

    public static func text(
      _ status: Int, _ body: String = "", headers: HTTPFields = [:]
    ) -> Answer {
      .response(status: status, headers: headers, body: .single(ByteBuffer(string: body)))
    }

    /// Chunks one by one, as they would come from the network.
    public static func chunks(
      _ status: Int, _ chunks: [String], headers: HTTPFields = [:]
    ) -> Answer {
      .response(
        status: status, headers: headers,
        body: BodyStream {
          var rest = chunks[...]
          return { rest.popFirst().map { ByteBuffer(string: $0) } }
        })
    }
  }

  /// A request as it arrived, its body read to the end.
  public struct Request: Sendable {
    public var method: HTTPRequest.Method
    public var url: String
    public var headers: HTTPFields
    public var body: ByteBuffer
    /// What the attempt was given for its head.
    public var timeout: Duration
    /// When it arrived, on the stub's clock.
    public var uptime: Duration

    public var bodyText: String { String(buffer: body) }
  }

  private struct State {
    var script: [Answer]
    var requests: [Request] = []
  }

  private let state: Mutex<State>
  private let otherwise: Answer
  private let clock: any FairleadClock

  /// - Parameters:
  ///   - otherwise: answers once the script has run out; an empty 200 by default.
  ///   - clock: what `.silence` waits on; give the pipeline's own.
  public init(
    _ script: [Answer] = [], otherwise: Answer = .text(200),
    clock: any FairleadClock = SystemClock()
  ) {
    state = Mutex(State(script: script))
    self.otherwise = otherwise
    self.clock = clock
  }

  /// Adds to the script.
  public func enqueue(_ answers: Answer...) {
    state.withLock { $0.script += answers }
  }

  /// Every request so far, in the order of arrival.
  public var requests: [Request] { state.withLock { $0.requests } }

  public func send(
    _ request: TransportRequest, timeout: Duration
  ) async throws -> TransportResponse {
    try Task.checkCancellation()
    let arrived = clock.uptime
    var answer = state.withLock { $0.script.isEmpty ? otherwise : $0.script.removeFirst() }
    var record = Request(
      method: request.method, url: request.url, headers: request.headers, body: ByteBuffer(),
      timeout: timeout, uptime: arrived)
    if case .failure(let error) = answer, error.nothingSent {
      state.withLock { $0.requests.append(record) }
      throw error
    }
    switch request.body {
    case .none: break
    case .bytes(let buffer): record.body = buffer
    case .stream(let stream, _):
      for try await var chunk in stream { record.body.writeBuffer(&chunk) }
    }
    state.withLock { [record] in $0.requests.append(record) }
    while case .decide(let decide) = answer { answer = try await decide(record) }
    switch answer {
    case .response(let status, let headers, let body):
      return TransportResponse(status: status, headers: headers, body: body)
    case .failure(let error): throw error
    case .silence, .decide:
      try await clock.sleep(for: timeout)
      throw TransportError(.timeout, nothingSent: false, detail: "no answer in time")
    }
  }
}
