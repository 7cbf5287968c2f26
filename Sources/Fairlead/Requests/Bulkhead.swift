import Synchronization

/// At most so many calls in flight at one integration, so that a slow provider cannot take all of
/// the process. Who waits is served fairly between owners, interactive calls first.
final class Bulkhead: Sendable {
  /// So many wait already that another one would only add to the harm.
  struct Full: Error {}

  private struct State {
    var free: Int
    var queue = FairQueue<CheckedContinuation<Bool, Never>>()
    var cancelled: Set<Int> = []
    var nextID = 0
  }

  static let longestQueue = 10_000
  private let state: Mutex<State>

  init(limit: Int) {
    state = Mutex(State(free: max(1, limit)))
  }

  /// Takes a permit when one is free and nobody waits.
  func tryAcquire() -> Bool {
    state.withLock { state in
      guard state.free > 0, state.queue.isEmpty else { return false }
      state.free -= 1
      return true
    }
  }

  /// Waits for a permit; every permit is given back by exactly one `release()`.
  /// - Throws: `Full`, `CancellationError`.
  func acquire(owner: String, priority: Call.Priority) async throws {
    let id = try state.withLock { state in
      guard state.queue.count < Self.longestQueue else { throw Full() }
      state.nextID += 1
      return state.nextID
    }
    let ticket = FairQueue<CheckedContinuation<Bool, Never>>.Ticket(
      id: id, owner: owner, priority: priority)
    let granted = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let immediate: Bool? = state.withLock { state in
          if state.cancelled.contains(id) { return false }
          if state.free > 0, state.queue.isEmpty {
            state.free -= 1
            return true
          }
          state.queue.push(continuation, ticket)
          return nil
        }
        if let immediate { continuation.resume(returning: immediate) }
      }
    } onCancel: {
      let continuation = state.withLock { state in
        state.cancelled.insert(id)
        return state.queue.remove(ticket)
      }
      continuation?.resume(returning: false)
    }
    state.withLock { _ = $0.cancelled.remove(id) }
    if !granted { throw CancellationError() }
  }

  /// Waits for a permit until the deadline.
  /// - Throws: `Full`, `Deadline.Exceeded`, `CancellationError`.
  func acquire(owner: String, priority: Call.Priority, deadline: Deadline) async throws {
    let granted = Granted()
    do {
      try await deadline.limit { [self] in
        try await acquire(owner: owner, priority: priority)
        granted.flag.store(true, ordering: .releasing)
      }
    } catch {
      // The permit came in the moment in which the deadline passed.
      if granted.flag.load(ordering: .acquiring) { release() }
      throw error
    }
  }

  private final class Granted: Sendable {
    let flag = Atomic(false)
  }

  func release() {
    let next = state.withLock { state in
      guard let next = state.queue.pop() else {
        state.free += 1
        return Optional<CheckedContinuation<Bool, Never>>.none
      }
      return next.element
    }
    next?.resume(returning: true)
  }

  /// Permits free now.
  var free: Int { state.withLock { $0.free } }
}
