import Synchronization

/// A signal for one waiter. A signal that nobody waits for is kept, however many come.
final class Wakeup: Sendable {
  private struct State {
    var isSignalled = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  func signal() {
    let waiter = state.withLock { state in
      let waiter = state.waiter.take()
      if waiter == nil { state.isSignalled = true }
      return waiter
    }
    waiter?.resume()
  }

  /// Returns at a signal, after `duration`, or when the task is cancelled.
  func wait(atMost duration: Duration, _ clock: any FairleadClock) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.wait() }
      // A cancelled sleep is simply a wait that ended.
      group.addTask { try? await clock.sleep(for: duration) }
      await group.next()
      group.cancelAll()
    }
  }

  private func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          // Asked for under the lock, which the handler below takes too.
          if Task.isCancelled { return true }
          if state.isSignalled {
            state.isSignalled = false
            return true
          }
          state.waiter = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiter.take() }?.resume()
    }
  }
}
