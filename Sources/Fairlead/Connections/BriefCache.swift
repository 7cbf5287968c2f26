import Synchronization

/// Values that may be up to `lifetime` old: what keeps a hot path off the database.
///
/// Bounded, and safe against the race between a load and a change: what was being loaded when a key
/// was changed is used once and not kept.
final class BriefCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Entry {
    let value: Value
    let until: Duration
  }

  private struct State {
    var entries: [Key: Entry] = [:]
    var changes: UInt64 = 0
    var sweptAt: Duration = .zero
  }

  private let lifetime: Duration
  private let capacity: Int
  private let clock: any FairleadClock
  private let state = Mutex(State())

  init(lifetime: Duration, capacity: Int, clock: any FairleadClock) {
    self.lifetime = lifetime
    self.capacity = capacity
    self.clock = clock
  }

  func value(_ key: Key) -> Value? {
    let now = clock.uptime
    return state.withLock { state in
      guard let entry = state.entries[key] else { return nil }
      if entry.until > now { return entry.value }
      state.entries[key] = nil
      return nil
    }
  }

  /// The value of `key`; loaded when there is none young enough. A `nil` is not kept.
  func value(_ key: Key, load: () async throws -> Value?) async throws -> Value? {
    if let value = value(key) { return value }
    let changes = state.withLock { $0.changes }
    let loaded = try await load()
    if let loaded {
      let now = clock.uptime
      state.withLock { state in
        guard state.changes == changes else { return }
        insert(loaded, for: key, now: now, into: &state)
      }
    }
    return loaded
  }

  /// Makes `value` what readers see from now on.
  func replace(_ key: Key, with value: Value) {
    let now = clock.uptime
    state.withLock { state in
      state.changes &+= 1
      insert(value, for: key, now: now, into: &state)
    }
  }

  func remove(_ key: Key) {
    state.withLock { state in
      state.changes &+= 1
      state.entries[key] = nil
    }
  }

  func removeAll() {
    state.withLock { state in
      state.changes &+= 1
      state.entries.removeAll()
    }
  }

  var count: Int { state.withLock { $0.entries.count } }

  private func insert(_ value: Value, for key: Key, now: Duration, into state: inout State) {
    // What is too old goes even when nobody asks for it again: it may be a secret.
    if now - state.sweptAt >= lifetime {
      state.sweptAt = now
      state.entries = state.entries.filter { $0.value.until > now }
    }
    if state.entries.count >= capacity, state.entries[key] == nil {
      // Everything is young: start afresh rather than track who was used last.
      state.entries.removeAll(keepingCapacity: true)
    }
    state.entries[key] = Entry(value: value, until: now + lifetime)
  }
}
