import Synchronization

/// Hands announcements to the listeners in this process.
///
/// Each listener has a buffer of 64; one that does not keep up misses the oldest. A listener is
/// forgotten as soon as its stream is dropped or its task ends.
package final class NotificationHub: Sendable {
  private struct State {
    var nextID = 0
    var isFinished = false
    var listeners: [Channel: [Int: AsyncStream<DatabaseNotification>.Continuation]] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  package func listen(on channel: Channel) -> AsyncStream<DatabaseNotification> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: DatabaseNotification.self, bufferingPolicy: .bufferingNewest(64))
    let id: Int? = state.withLock { state in
      if state.isFinished { return nil }
      state.nextID += 1
      state.listeners[channel, default: [:]][state.nextID] = continuation
      return state.nextID
    }
    guard let id else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in self?.forget(id, on: channel) }
    return stream
  }

  package func publish(_ notifications: [DatabaseNotification]) {
    guard !notifications.isEmpty else { return }
    for notification in notifications {
      // Yielding outside the lock: a termination handler may take it.
      let listeners = state.withLock {
        $0.listeners[notification.channel]?.values.map(\.self) ?? []
      }
      for listener in listeners { listener.yield(notification) }
    }
  }

  /// Ends every stream, those asked for later too.
  package func finish() {
    let listeners = state.withLock { state in
      state.isFinished = true
      let listeners = state.listeners.values.flatMap(\.values)
      state.listeners = [:]
      return listeners
    }
    for listener in listeners { listener.finish() }
  }

  /// How many listen, for tests.
  package var listenerCount: Int {
    state.withLock { $0.listeners.values.reduce(0) { $0 + $1.count } }
  }

  private func forget(_ id: Int, on channel: Channel) {
    state.withLock { state in
      state.listeners[channel]?[id] = nil
      if state.listeners[channel]?.isEmpty == true { state.listeners[channel] = nil }
    }
  }
}
