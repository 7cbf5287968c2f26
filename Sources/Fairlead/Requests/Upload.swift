import DequeModule
import NIOCore
import Synchronization

/// A streamed request body on its way into the HTTP client.
///
/// The client reads a body from a task of its own that nothing can cancel, goes on reading after the
/// answer has come, and runs ahead of the socket without bound. So it gets a relay: one pump is the
/// only reader of the caller's stream, it never has more than a window of bytes under way, and
/// stopping the upload cancels the pump and fails the relay. It fails rather than ends it, because a
/// chunked body that ended early would look complete to the provider.
final class Upload: Sendable {
  struct Stopped: Error {}

  /// What the caller's own stream threw.
  struct Failed: Error {
    let cause: any Error
  }

  /// The pump pauses while this much was read from the caller and not yet written to the socket.
  static let window = 256 * 1_024

  private enum Source {
    case idle
    case pumping(Task<Void, Never>)
    case stopped
  }

  private struct State {
    var source = Source.idle
    var queue: Deque<ByteBuffer> = []
    /// Read from the caller, not yet written to the socket.
    var underWay = 0
    var end: Result<Void, any Error>?
    var producer: CheckedContinuation<Bool, Never>?
    var consumer: CheckedContinuation<ByteBuffer?, any Error>?
  }

  private let body: BodyStream
  private let state = Mutex(State())

  init(_ body: BodyStream) { self.body = body }

  /// The body to give to the client. The caller's stream is not touched before the client asks for
  /// the first chunk, which is after it has a connection.
  var stream: BodyStream {
    BodyStream { [self] in
      {
        self.start()
        return try await self.next()
      }
    }
  }

  /// `bytes` have been written to the socket, or will never be.
  func written(_ bytes: Int) {
    let producer = state.withLock { state -> CheckedContinuation<Bool, Never>? in
      state.underWay -= bytes
      guard state.underWay < Self.window else { return nil }
      defer { state.producer = nil }
      return state.producer
    }
    producer?.resume(returning: true)
  }

  /// Ends the upload where it is.
  func stop() {
    let (pump, producer, consumer) = state.withLock { state in
      defer {
        state.source = .stopped
        state.queue.removeAll()
        state.end = state.end ?? .failure(Stopped())
        state.producer = nil
        state.consumer = nil
      }
      let pump: Task<Void, Never>? = if case .pumping(let pump) = state.source { pump } else { nil }
      return (pump, state.producer, state.consumer)
    }
    pump?.cancel()
    producer?.resume(returning: false)
    consumer?.resume(throwing: Stopped())
  }

  // MARK: - The pump

  private func start() {
    state.withLock { state in
      guard case .idle = state.source else { return }
      // Unstructured, because the upload may outlive the call that returned the answer's head; its
      // end is the exchange's end, which calls `stop()`.
      state.source = .pumping(
        Task { [self] in
          do {
            for try await chunk in body {
              guard !Task.isCancelled, await push(chunk) else { return }
            }
            // A stream that is cancelled may end as if it were complete.
            finish(Task.isCancelled ? .failure(Stopped()) : .success(()))
          } catch {
            finish(.failure(Failed(cause: error)))
          }
        })
    }
  }

  /// - Returns: whether the upload goes on.
  private func push(_ chunk: ByteBuffer) async -> Bool {
    await withCheckedContinuation { producer in
      let (consumer, goOn) = state.withLock {
        state -> (CheckedContinuation<ByteBuffer?, any Error>?, Bool?) in
        if case .stopped = state.source { return (nil, false) }
        state.underWay += chunk.readableBytes
        let consumer = state.consumer
        state.consumer = nil
        if consumer == nil { state.queue.append(chunk) }
        guard state.underWay >= Self.window else { return (consumer, true) }
        state.producer = producer
        return (consumer, nil)
      }
      consumer?.resume(returning: chunk)
      if let goOn { producer.resume(returning: goOn) }
    }
  }

  private func finish(_ result: Result<Void, any Error>) {
    let consumer = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
      guard state.end == nil else { return nil }
      state.end = result
      defer { state.consumer = nil }
      return state.consumer
    }
    consumer?.resume(with: result.map { nil })
  }

  /// The client's side.
  private func next() async throws -> ByteBuffer? {
    try await withCheckedThrowingContinuation { consumer in
      let immediate = state.withLock { state -> Result<ByteBuffer?, any Error>? in
        if let chunk = state.queue.popFirst() { return .success(chunk) }
        if let end = state.end { return end.map { nil } }
        state.consumer = consumer
        return nil
      }
      if let immediate { consumer.resume(with: immediate) }
    }
  }
}

/// Tells each connection's guard which upload the request on it belongs to: the client shows a guard
/// nothing of a request but its head and body, so the head carries a name that never leaves.
final class UploadRegistry: Sendable {
  static let header = "fairlead-upload"

  private let state = Mutex((next: 0, uploads: [String: Upload]()))

  func add(_ upload: Upload) -> String {
    state.withLock { state in
      state.next += 1
      let name = String(state.next)
      state.uploads[name] = upload
      return name
    }
  }

  func take(_ name: String) -> Upload? {
    state.withLock { $0.uploads.removeValue(forKey: name) }
  }
}
