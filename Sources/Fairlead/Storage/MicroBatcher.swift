import DequeModule
public import ServiceLifecycle
import Synchronization

/// One commit for many callers: rows submitted while a commit is under way share the next one.
///
/// `submit` answers after the commit that holds its row. A row that the database refuses fails alone,
/// its neighbours are stored; a storage-wide failure (disk full, server gone) fails all of a batch.
/// The queue is bounded, so that a stalled disk turns into refusals instead of memory.
///
/// `run()` does the work: rows wait until it runs. On graceful shutdown it stores what was accepted
/// and refuses the rest. Thread-safe.
public final class MicroBatcher<Item: Sendable, Output: Sendable>: Service {
  /// Stores one item inside the shared transaction, which is `WriteIsolation.locking`. May run more than once for an item, always on a
  /// transaction that holds nothing of its earlier runs.
  public typealias Apply = @Sendable (any SQLConnection, Item) throws -> Output

  private struct Entry {
    let id: UInt64
    let item: Item
    let continuation: CheckedContinuation<Output, any Error>
  }

  private struct State {
    var isAccepting = true
    var nextID: UInt64 = 0
    var queue = Deque<Entry>()
    var idle: CheckedContinuation<Void, Never>?
  }

  private let database: any Database
  private let capacity: Int
  private let maximumBatch: Int
  private let apply: Apply
  private let state = Mutex(State())

  /// - Parameters:
  ///   - capacity: how many items may wait for a commit.
  ///   - maximumBatch: how many share one at most; keeps a transaction near 10 ms.
  public init(
    database: any Database, capacity: Int = 4_096, maximumBatch: Int = 128, apply: @escaping Apply
  ) {
    self.database = database
    self.capacity = max(1, capacity)
    self.maximumBatch = max(1, maximumBatch)
    self.apply = apply
  }

  /// Stores `item` and returns what `apply` gave, after its commit.
  /// - Throws: what `apply` threw for this item; `StorageError.overloaded` at once when the queue is
  ///   full; `StorageError.unavailable` when storage is, or when this is shut down;
  ///   `CancellationError` when the task was cancelled while the item waited. In each case nothing
  ///   of the item was stored; with `StorageError.outcomeUnknown` it may have been. Once its transaction has begun, a cancelled task gets the outcome.
  public func submit(_ item: Item) async throws -> Output {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        enqueue(Entry(id: id, item: item, continuation: continuation))
      }
    } onCancel: {
      withdraw(id)
    }
  }

  /// How many items wait for a commit now.
  public var waiting: Int { state.withLock { $0.queue.count } }

  public func run() async throws {
    await withTaskCancellationHandler {
      await withGracefulShutdownHandler {
        while let batch = await nextBatch() { await commit(batch) }
      } onGracefulShutdown: {
        self.stopAccepting(failingQueued: false)
      }
    } onCancel: {
      stopAccepting(failingQueued: true)
    }
  }

  // MARK: - The queue

  private func enqueue(_ entry: Entry) {
    let (refusal, idle) = state.withLock {
      state -> ((any Error)?, CheckedContinuation<Void, Never>?) in
      guard state.isAccepting else { return (Self.shutDown, nil) }
      // Asked for under the lock, which `withdraw` takes too: a task cancelled any later finds its
      // entry in the queue.
      guard !Task.isCancelled else { return (CancellationError(), nil) }
      guard state.queue.count < capacity else { return (StorageError.overloaded, nil) }
      state.queue.append(entry)
      return (nil, state.idle.take())
    }
    if let refusal { entry.continuation.resume(throwing: refusal) }
    idle?.resume()
  }

  private func withdraw(_ id: UInt64) {
    let entry = state.withLock { state -> Entry? in
      guard let index = state.queue.firstIndex(where: { $0.id == id }) else { return nil }
      return state.queue.remove(at: index)
    }
    entry?.continuation.resume(throwing: CancellationError())
  }

  private func stopAccepting(failingQueued: Bool) {
    let (abandoned, idle) = state.withLock { state in
      state.isAccepting = false
      let abandoned = failingQueued ? state.queue : []
      if failingQueued { state.queue = [] }
      return (abandoned, state.idle.take())
    }
    for entry in abandoned { entry.continuation.resume(throwing: Self.shutDown) }
    idle?.resume()
  }

  /// Waits for items; `nil` when there are none and there will be none.
  private func nextBatch() async -> [Entry]? {
    while true {
      let (batch, isOver) = state.withLock { state in
        let batch = Array(state.queue.prefix(maximumBatch))
        state.queue.removeFirst(batch.count)
        return (batch, !state.isAccepting)
      }
      if !batch.isEmpty { return batch }
      if isOver { return nil }
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          if !state.queue.isEmpty || !state.isAccepting { return true }
          state.idle = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    }
  }

  private static var shutDown: StorageError { .unavailable("Fairlead is shutting down.") }

  // MARK: - The commit

  private func commit(_ batch: [Entry]) async {
    let items = batch.map(\.item)
    let apply = apply
    do {
      let outputs = try await database.write(.locking) { connection in
        try items.map { try apply(connection, $0) }
      }
      for (entry, output) in zip(batch, outputs) { entry.continuation.resume(returning: output) }
    } catch let error where batch.count == 1 || error.isStorageWide {
      for entry in batch { entry.continuation.resume(throwing: error) }
    } catch {
      await commitRowByRow(batch, items)
    }
  }

  /// The second try, after some row was refused: still one commit, with a savepoint for each row.
  private func commitRowByRow(_ batch: [Entry], _ items: [Item]) async {
    let apply = apply
    do {
      let outcomes = try await database.write(.locking) { connection in
        try items.map { item -> Result<Output, any Error> in
          do {
            return .success(try connection.savepoint { try apply(connection, item) })
          } catch let error where !error.isStorageWide {
            return .failure(error)
          }
        }
      }
      for (entry, outcome) in zip(batch, outcomes) { entry.continuation.resume(with: outcome) }
    } catch {
      for entry in batch { entry.continuation.resume(throwing: error) }
    }
  }
}

extension Error {
  /// Whether every other row would fail with this error too.
  fileprivate var isStorageWide: Bool {
    switch self as? StorageError {
    case .unavailable, .outcomeUnknown: true
    default: false
    }
  }
}
