import HTTPTypes
import NIOCore
import Synchronization

/// The last good answers to the GETs of one integration, for when it fails (RFC 5861,
/// `stale-if-error`).
///
/// In memory only: what a provider answered to one connection is never written down and is gone with
/// the process. An answer is given back to the connection it came through and to no other, and only
/// while that connection is the account it was. Thread-safe.
final class StaleAnswers: Sendable {
  /// Whose answer and to what.
  struct Key: Hashable, Sendable {
    var connection: ConnectionID
    var origin: String
    /// Path and query as the caller wrote them.
    var target: String
    /// What else the request says that may choose what is answered, by name in lower case.
    var headers: [String: String] = [:]

    var bytes: Int {
      headers.reduce(origin.utf8.count + target.utf8.count) {
        $0 + $1.key.utf8.count + $1.value.utf8.count
      }
    }
  }

  /// What a connection must still be for an answer to be its own.
  struct Account: Equatable, Sendable {
    var owner: Owner?
    var identity: [String: String]
    var scopes: [String]
    var createdAt: Timestamp

    init(_ connection: Connection) {
      owner = connection.owner
      identity = connection.identity
      scopes = connection.scopes
      createdAt = connection.createdAt
    }
  }

  struct Entry: Sendable {
    var account: Account
    var status: Int
    var headers: HTTPFields
    var body: ByteBuffer
    /// What the request said in the headers that the answer depends on.
    var selectedBy: [String: String]
    /// The age it came with.
    var age: Duration
    var lifetime: Duration
    var storedAt: Duration

    var bytes: Int {
      body.readableBytes
        + headers.reduce(512) { $0 + $1.name.rawName.utf8.count + $1.value.utf8.count }
    }
  }

  private struct State {
    var entries: [Key: (entry: Entry, tick: UInt64)] = [:]
    var bytes = 0
    var tick: UInt64 = 0

    mutating func remove(_ key: Key) {
      if let old = entries.removeValue(forKey: key) { bytes -= old.entry.bytes + key.bytes }
    }
  }

  /// Of one answer, its headers left out.
  static let largestBody = 256 << 10
  /// Of all answers, in bytes and in number.
  static let capacity = 16 << 20
  static let limit = 4_096

  private let capacity: Int
  private let clock: any FairleadClock
  private let state = Mutex(State())

  init(clock: any FairleadClock, capacity: Int = StaleAnswers.capacity) {
    self.clock = clock
    self.capacity = capacity
  }

  func store(_ entry: Entry, for key: Key) {
    let bytes = entry.bytes + key.bytes
    guard bytes <= capacity else { return }
    let now = clock.uptime
    state.withLock { state in
      state.remove(key)
      state.tick += 1
      state.entries[key] = (entry, state.tick)
      state.bytes += bytes
      guard state.bytes > capacity || state.entries.count > Self.limit else { return }
      for (key, kept) in state.entries where kept.entry.age(at: now) > kept.entry.lifetime {
        state.remove(key)
      }
      while state.bytes > capacity || state.entries.count > Self.limit,
        let oldest = state.entries.min(by: { $0.value.tick < $1.value.tick })?.key
      {
        state.remove(oldest)
      }
    }
  }

  /// The answer kept for a request, as it is given: with its age.
  func substitute(
    for key: Key, account: Account, request: HTTPFields
  ) -> Substitute? {
    guard StaleRules.accepts(request) else { return nil }
    let now = clock.uptime
    let entry = state.withLock { state -> Entry? in
      guard let kept = state.entries[key] else { return nil }
      guard kept.entry.account == account, kept.entry.age(at: now) <= kept.entry.lifetime else {
        state.remove(key)
        return nil
      }
      guard kept.entry.selectedBy.allSatisfy({ request.text($0.key) == $0.value }) else {
        return nil
      }
      state.tick += 1
      state.entries[key]?.tick = state.tick
      return kept.entry
    }
    guard let entry else { return nil }
    var headers = entry.headers
    headers[.age] = String(entry.age(at: now).components.seconds)
    return Substitute(
      kind: .stale, status: entry.status, headers: headers, chunks: [entry.body])
  }

  /// Forgets everything that came through a connection.
  func forget(_ connection: ConnectionID) {
    state.withLock { state in
      for key in state.entries.keys where key.connection == connection { state.remove(key) }
    }
  }

  var count: Int { state.withLock { $0.entries.count } }
  var bytes: Int { state.withLock { $0.bytes } }

  /// A body that is kept once its reader has seen its end; unless it is too long.
  func recording(_ body: BodyStream, keep: @escaping @Sendable (ByteBuffer) -> Void) -> BodyStream {
    BodyStream {
      var iterator = body.makeAsyncIterator()
      var copy: ByteBuffer? = ByteBuffer()
      return {
        guard let chunk = try await iterator.next() else {
          if let copy { keep(copy) }
          copy = nil
          return nil
        }
        if var sofar = copy {
          // Given up while it is extended, so that it is not copied.
          copy = nil
          if sofar.readableBytes + chunk.readableBytes <= Self.largestBody {
            sofar.writeImmutableBuffer(chunk)
            copy = sofar
          }
        }
        return chunk
      }
    }
  }
}

extension StaleAnswers.Entry {
  func age(at now: Duration) -> Duration { age + max(.zero, now - storedAt) }
}

extension HTTPFields {
  /// All values of a header as one text; empty when it is not there.
  func text(_ name: String) -> String {
    HTTPField.Name(name).flatMap { self[$0] } ?? ""
  }
}
