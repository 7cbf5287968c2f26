import Fairlead
import Synchronization

/// A database that runs `beforeWrite` ahead of each write, with the write's number from 1: to count
/// them, hold them up or make them fail.
final class InterposedDatabase: Database {
  private let base: any Database
  private let beforeWrite: @Sendable (Int) async throws -> Void
  private let count = Mutex(0)

  init(
    _ base: any Database, beforeWrite: @escaping @Sendable (Int) async throws -> Void = { _ in }
  ) {
    self.base = base
    self.beforeWrite = beforeWrite
  }

  var writes: Int { count.withLock { $0 } }
  var dialect: Dialect { base.dialect }

  func read<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result { try await base.read(body) }

  func write<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result {
    let number = count.withLock { count in
      count += 1
      return count
    }
    try await beforeWrite(number)
    return try await base.write(body)
  }

  func notifications(on channel: Channel) -> AsyncStream<DatabaseNotification> {
    base.notifications(on: channel)
  }

  func close() async throws { try await base.close() }
}

/// Holds whoever waits until it is opened.
final class Gate: Sendable {
  private let state = Mutex((isOpen: false, waiters: [CheckedContinuation<Void, Never>]()))

  func wait() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiters.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }

  func open() {
    let waiters = state.withLock { state in
      state.isOpen = true
      let waiters = state.waiters
      state.waiters = []
      return waiters
    }
    for waiter in waiters { waiter.resume() }
  }
}

/// Lets other tasks run until `condition` holds.
func eventually(_ condition: () async throws -> Bool) async throws {
  while try await !condition() {
    try Task.checkCancellation()
    await Task.yield()
  }
}
