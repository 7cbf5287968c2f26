import Synchronization

/// The port a server listens on, for those who wait until it does.
final class ListeningPort: Sendable {
  private enum State {
    case idle
    case starting
    case open(Int)
    case failed(any Error)
  }

  private struct Waiters {
    var state = State.idle
    var nextID = 0
    var waiting: [Int: CheckedContinuation<Int, any Error>] = [:]
    var cancelled: Set<Int> = []
  }

  private let waiters = Mutex(Waiters())

  /// Claims the one start there is; `false` when it was claimed before.
  func start() -> Bool {
    waiters.withLock { waiters in
      guard case .idle = waiters.state else { return false }
      waiters.state = .starting
      return true
    }
  }

  func opened(_ port: Int) { settle(.open(port), .success(port)) }

  func failed(_ error: any Error) { settle(.failed(error), .failure(error)) }

  private func settle(_ state: State, _ result: Result<Int, any Error>) {
    let waiting = waiters.withLock { waiters in
      waiters.state = state
      let waiting = waiters.waiting
      waiters.waiting = [:]
      return waiting.values
    }
    for continuation in waiting { continuation.resume(with: result) }
  }

  /// - Throws: what starting failed with, or `CancellationError`.
  var value: Int {
    get async throws {
      try Task.checkCancellation()
      let id = waiters.withLock { waiters in
        waiters.nextID += 1
        return waiters.nextID
      }
      return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
          let result: Result<Int, any Error>? = waiters.withLock { waiters in
            switch waiters.state {
            case .open(let port): return .success(port)
            case .failed(let error): return .failure(error)
            case .idle, .starting:
              if waiters.cancelled.remove(id) != nil { return .failure(CancellationError()) }
              waiters.waiting[id] = continuation
              return nil
            }
          }
          if let result { continuation.resume(with: result) }
        }
      } onCancel: {
        let continuation = waiters.withLock { waiters in
          if let continuation = waiters.waiting.removeValue(forKey: id) {
            return Optional(continuation)
          }
          waiters.cancelled.insert(id)
          return nil
        }
        continuation?.resume(throwing: CancellationError())
      }
    }
  }
}
