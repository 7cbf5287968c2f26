public import Fairlead
import Synchronization

/// A clock that stands still until a test moves it.
///
/// A sleeper wakes as soon as the time it sleeps for has passed, in the order of due times.
public final class ManualClock: FairleadClock {
  private struct Sleeper {
    let due: Duration
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var uptime: Duration = .zero
    var nextID = 0
    var sleepers: [Int: Sleeper] = [:]
    var cancelled: Set<Int> = []
    var arrivals: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let start: Timestamp
  private let state = Mutex(State())

  public init(start: Timestamp = Timestamp(seconds: 1_800_000_000)) {
    self.start = start
  }

  public var now: Timestamp { start + uptime }
  public var uptime: Duration { state.withLock { $0.uptime } }

  /// How many tasks sleep on this clock.
  public var sleeperCount: Int { state.withLock { $0.sleepers.count } }

  public func sleep(for duration: Duration) async throws {
    guard duration > .zero else { return }
    try Task.checkCancellation()
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let (cancelled, arrived) = state.withLock { state in
          if state.cancelled.remove(id) != nil {
            return (true, [CheckedContinuation<Void, Never>]())
          }
          state.sleepers[id] = Sleeper(due: state.uptime + duration, continuation: continuation)
          let reached = state.arrivals.filter { $0.count <= state.sleepers.count }
          state.arrivals.removeAll { $0.count <= state.sleepers.count }
          return (false, reached.map(\.continuation))
        }
        if cancelled { continuation.resume(throwing: CancellationError()) }
        for waiter in arrived { waiter.resume() }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        if let sleeper = state.sleepers.removeValue(forKey: id) { return Optional(sleeper) }
        state.cancelled.insert(id)
        return nil
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  /// Returns once at least `count` tasks sleep on this clock, so that a test can advance it knowing
  /// who waits.
  public func waitForSleepers(_ count: Int = 1) async {
    await withCheckedContinuation { continuation in
      let ready = state.withLock { state in
        if state.sleepers.count >= count { return true }
        state.arrivals.append((count, continuation))
        return false
      }
      if ready { continuation.resume() }
    }
  }

  /// Moves time forward and wakes whoever was to wake by then.
  public func advance(by duration: Duration) {
    let due = state.withLock { state in
      state.uptime += duration
      let due = state.sleepers.filter { $0.value.due <= state.uptime }
      for id in due.keys { state.sleepers[id] = nil }
      return due.values.sorted { $0.due < $1.due }
    }
    for sleeper in due { sleeper.continuation.resume() }
  }
}
