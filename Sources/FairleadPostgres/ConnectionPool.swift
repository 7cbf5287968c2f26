import DequeModule
import Fairlead
import Synchronization

/// The connections of one node: opened as they are needed, at most `limit`, given to those who wait
/// in the order they came.
final class ConnectionPool: Sendable {
  private enum Grant: Sendable {
    case session(PostgresSession)
    /// A free place, to be filled with a fresh connection.
    case place
  }

  private struct State {
    var isClosed = false
    /// Connections, those being opened included.
    var count = 0
    var idle: [PostgresSession] = []
    var waiters: Deque<CheckedContinuation<Grant, any Error>> = []
    var processes: Set<Int32> = []
    var drained: CheckedContinuation<Void, Never>?
  }

  /// How many may wait for a connection; more are refused, so that a stalled server turns into
  /// refusals instead of memory.
  static let waiterLimit = 10_000

  private let address: PostgresAddress
  private let state = Mutex(State())

  init(_ address: PostgresAddress) {
    self.address = address
  }

  /// A connection for one transaction; give it back.
  /// - Throws: `StorageError.unavailable`, `StorageError.overloaded`; `ConnectFailure` when the
  ///   server cannot be reached.
  func acquire() async throws -> PostgresSession {
    var grant = try await grant()
    while true {
      switch grant {
      case .session(let session): return session
      case .place:
        do {
          let session = try await PostgresSession.open(address)
          state.withLock { _ = $0.processes.insert(session.processID) }
          return session
        } catch {
          grant = try await self.grant(afterFailure: error)
        }
      }
    }
  }

  func release(_ session: PostgresSession, isUsable: Bool) {
    let next = state.withLock { state -> CheckedContinuation<Grant, any Error>? in
      if !isUsable || state.isClosed { state.processes.remove(session.processID) }
      guard !state.isClosed else {
        state.count -= 1
        return nil
      }
      if let waiter = state.waiters.popFirst() { return waiter }
      if isUsable { state.idle.append(session) } else { state.count -= 1 }
      return nil
    }
    next?.resume(returning: isUsable ? .session(session) : .place)
    finishDraining()
  }

  /// Forgets the connections nobody uses: after one was found broken the others probably are.
  func discardIdle() {
    let idle = state.withLock { state in
      let idle = state.idle
      state.idle = []
      state.count -= idle.count
      for session in idle { state.processes.remove(session.processID) }
      return idle
    }
    // Each ends with its last reference, which this is.
    withExtendedLifetime(idle) {}
  }

  /// Whether a server process serves this pool.
  func owns(_ process: Int32) -> Bool { state.withLock { $0.processes.contains(process) } }

  /// Refuses those who wait, lets the transactions under way finish and closes everything.
  func close() async {
    let (waiters, idle) = state.withLock { state in
      state.isClosed = true
      let (waiters, idle) = (state.waiters, state.idle)
      state.waiters = []
      state.idle = []
      state.count -= idle.count
      return (waiters, idle)
    }
    for waiter in waiters { waiter.resume(throwing: Self.closed) }
    withExtendedLifetime(idle) {}
    await withCheckedContinuation { continuation in
      let isDone = state.withLock { state in
        if state.count > 0 { state.drained = continuation }
        return state.count == 0
      }
      if isDone { continuation.resume() }
    }
  }

  static let closed = StorageError.unavailable("The database is closed.")

  private func grant() async throws -> Grant {
    let isWaiting = { (state: inout State) -> Result<Grant, StorageError>? in
      if state.isClosed { return .failure(Self.closed) }
      if let session = state.idle.popLast() { return .success(.session(session)) }
      if state.count < self.address.poolSize {
        state.count += 1
        return .success(.place)
      }
      return state.waiters.count < Self.waiterLimit ? nil : .failure(.overloaded)
    }
    return try await withCheckedThrowingContinuation { continuation in
      let outcome = state.withLock { state in
        let outcome = isWaiting(&state)
        if outcome == nil { state.waiters.append(continuation) }
        return outcome
      }
      if let outcome { continuation.resume(with: outcome.mapError { $0 as any Error }) }
    }
  }

  /// What else there is for one who could not fill its place: as long as other connections work, its
  /// turn on one of them. A server that has no connection left still serves those it has.
  private func grant(afterFailure error: any Error) async throws -> Grant {
    state.withLock { $0.count -= 1 }
    finishDraining()
    return try await withCheckedThrowingContinuation { continuation in
      let (session, refused) = state.withLock {
        state -> (PostgresSession?, Deque<CheckedContinuation<Grant, any Error>>) in
        if !state.isClosed {
          if let session = state.idle.popLast() { return (session, []) }
          // All of them are in use: each comes back here, or what replaces it does.
          guard state.processes.isEmpty else {
            state.waiters.prepend(continuation)
            return (nil, [])
          }
        }
        // Those who wait would find the same, one connect timeout after the other.
        var refused = state.waiters
        state.waiters = []
        refused.prepend(continuation)
        return (nil, refused)
      }
      if let session { continuation.resume(returning: .session(session)) }
      for waiter in refused { waiter.resume(throwing: error) }
    }
  }

  private func finishDraining() {
    state.withLock { $0.isClosed && $0.count == 0 ? $0.drained.take() : nil }?.resume()
  }
}
