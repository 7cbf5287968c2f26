import Fairlead
import HTTPTypes
import NIOCore
import Synchronization

/// A provider in memory: answers by path, remembers what it was asked, and can be held.
final class FakeProvider: Transport {
  struct Asked: Sendable {
    var method: String
    var url: String
    var headers: HTTPFields
    var body: String

    /// The fields of a form body.
    var form: [String: String] {
      var fields: [String: String] = [:]
      for pair in body.split(separator: "&") {
        let parts = pair.split(separator: "=", maxSplits: 1)
        fields[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
      }
      return fields
    }
  }

  struct Answer: Sendable {
    var status = 200
    var headers: HTTPFields = [.contentType: "application/json"]
    var body: String

    static func json(_ value: JSONValue, status: Int = 200) -> Answer {
      Answer(status: status, body: value.text)
    }
  }

  typealias Handler = @Sendable (Asked) async throws -> Answer

  private struct State {
    var handlers: [String: Handler] = [:]
    var asked: [Asked] = []
  }

  private let state = Mutex(State())

  /// Answers every request whose URL contains `part` from now on.
  func on(_ part: String, _ handler: @escaping Handler) {
    state.withLock { $0.handlers[part] = handler }
  }

  func asked(_ part: String = "") -> [Asked] {
    state.withLock { $0.asked.filter { part.isEmpty || $0.url.contains(part) } }
  }

  func send(_ request: TransportRequest, timeout: Duration) async throws -> TransportResponse {
    var body = ""
    if case .bytes(let buffer) = request.body { body = String(buffer: buffer) }
    let asked = Asked(
      method: request.method.rawValue, url: request.url, headers: request.headers, body: body)
    let handler = state.withLock { state in
      state.asked.append(asked)
      return state.handlers.filter { request.url.contains($0.key) }
        .max { $0.key.count < $1.key.count }?.value
    }
    guard let handler else {
      throw TransportError(.connect, nothingSent: true, detail: "nobody answers \(request.url)")
    }
    let answer = try await handler(asked)
    return TransportResponse(
      status: answer.status, headers: answer.headers,
      body: BodyStream {
        let left = Mutex<ByteBuffer?>(ByteBuffer(string: answer.body))
        return { left.withLock { $0.take() } }
      })
  }
}

/// Holds those who pass until it is opened.
final class Turnstile: Sendable {
  private struct State {
    var isOpen = false
    var arrived = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
    var watching: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())

  func pass() async {
    await withCheckedContinuation { continuation in
      let (free, watchers) = state.withLock { state in
        state.arrived += 1
        let reached = state.watching.filter { $0.count <= state.arrived }
        state.watching.removeAll { $0.count <= state.arrived }
        if !state.isOpen { state.waiting.append(continuation) }
        return (state.isOpen, reached.map(\.continuation))
      }
      for watcher in watchers { watcher.resume() }
      if free { continuation.resume() }
    }
  }

  /// Returns once `count` have come to the gate.
  func arrivals(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let ready = state.withLock { state in
        if state.arrived >= count { return true }
        state.watching.append((count, continuation))
        return false
      }
      if ready { continuation.resume() }
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

/// Time that runs ahead by itself over short waits, and never reaches a timeout.
final class HurriedClock: FairleadClock {
  private let elapsed = Mutex<Duration>(.zero)
  let start = Timestamp(seconds: 1_800_000_000)

  var uptime: Duration { elapsed.withLock { $0 } }
  var now: Timestamp { start + uptime }

  func advance(by duration: Duration) { elapsed.withLock { $0 += duration } }

  func sleep(for duration: Duration) async throws {
    try Task.checkCancellation()
    guard duration >= .seconds(10) else {
      advance(by: duration)
      await Task.yield()
      return
    }
    // A timeout: waits to be cancelled.
    try await Task.sleep(for: .seconds(3_600))
  }
}
