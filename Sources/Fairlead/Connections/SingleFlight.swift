import Synchronization

/// Runs at most one piece of work per key at a time; whoever asks meanwhile shares its result.
///
/// A waiter that is cancelled leaves at once and cancels nobody else.
final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct State {
    var flights: [Key: [Int: CheckedContinuation<Value, any Error>]] = [:]
    var nextWaiter = 0
    var drained: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  /// The result of the work under way for `key`, or of `work`, which is started otherwise.
  func value(
    _ key: Key, _ work: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let waiter = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let next: Boarding = state.withLock { state in
          // The flag is set before the cancellation handler runs, so a cancellation either shows
          // here or finds the waiter registered.
          if Task.isCancelled { return .cancelled }
          let isNew = state.flights[key] == nil
          state.flights[key, default: [:]][waiter] = continuation
          return isNew ? .fly : .wait
        }
        switch next {
        case .cancelled: continuation.resume(throwing: CancellationError())
        case .wait: break
        case .fly: fly(key, work)
        }
      }
    } onCancel: {
      let continuation = state.withLock { $0.flights[key]?.removeValue(forKey: waiter) }
      continuation?.resume(throwing: CancellationError())
    }
  }

  /// Starts `work` unless some is under way for `key`; does not wait for it.
  func start(_ key: Key, _ work: @escaping @Sendable () async throws -> Value) {
    let isNew = state.withLock { state in
      if state.flights[key] != nil { return false }
      state.flights[key] = [:]
      return true
    }
    if isNew { fly(key, work) }
  }

  /// Returns once nothing is under way.
  func drain() async {
    await withCheckedContinuation { continuation in
      let idle = state.withLock { state in
        if state.flights.isEmpty { return true }
        state.drained.append(continuation)
        return false
      }
      if idle { continuation.resume() }
    }
  }

  /// The one unstructured task of this folder. The work must survive the task that asked for it: a
  /// refresh whose caller hung up would lose the rotated token between the provider's answer and our
  /// commit, and with it the account. `drain` waits for it at shutdown.
  private func fly(_ key: Key, _ work: @escaping @Sendable () async throws -> Value) {
    Task {
      let result: Result<Value, any Error>
      do { result = .success(try await work()) } catch { result = .failure(error) }
      let (waiters, drained) = state.withLock { state in
        let waiters = state.flights.removeValue(forKey: key) ?? [:]
        var drained: [CheckedContinuation<Void, Never>] = []
        if state.flights.isEmpty { swap(&drained, &state.drained) }
        return (waiters, drained)
      }
      for continuation in waiters.values { continuation.resume(with: result) }
      for continuation in drained { continuation.resume() }
    }
  }
}

/// What becomes of one who asks.
private enum Boarding { case cancelled, wait, fly }
