import Synchronization

/// The limits of one integration: finds the buckets a call counts against and waits at each.
final class RateGate: Sendable {
  /// Which bucket of a limit; the parts that its key does not name are `nil`.
  private struct Key: Hashable {
    /// Index of the limit; -1 for the bucket that only holds pauses.
    var limit: Int
    var connection: ConnectionID?
    var method: String?
    var path: String?
  }

  private struct Rule: Sendable {
    let limit: ProviderDefinition.Limit
    let rate: GCRA.Rate
    let paths: [PathTemplate]

    func applies(method: String, path: Substring) -> Bool {
      (limit.methods.isEmpty || limit.methods.contains(method))
        && (paths.isEmpty || paths.contains { $0.matches(path) })
    }
  }

  /// A bucket with the name of its limit, for wait reasons.
  struct Place: Sendable {
    let name: String?
    let bucket: RateBucket
    /// How many parts its key has: a pause goes to the narrowest.
    let narrowness: Int
  }

  struct TooLong: Error {
    let retryAfter: Duration
    let limit: String?
  }

  /// Idle buckets are forgotten when there are more than this.
  private static let sweepAbove = 4_096

  private let rules: [Rule]
  private let clock: any FairleadClock
  private let buckets = Mutex<[Key: RateBucket]>([:])

  init(limits: [ProviderDefinition.Limit], clock: any FairleadClock) {
    rules = limits.map {
      Rule(limit: $0, rate: GCRA.Rate($0), paths: $0.paths.map(PathTemplate.init))
    }
    self.clock = clock
  }

  /// The buckets a call counts against, in the order of the definition; at least one.
  /// - Parameters:
  ///   - path: without query.
  ///   - endpoint: the template that the path matches, which keeps `path` keys few.
  func places(
    connection: ConnectionID, method: String, path: Substring, endpoint: String?
  ) -> [Place] {
    var places: [Place] = []
    for (index, rule) in rules.enumerated() where rule.applies(method: method, path: path) {
      let parts = rule.limit.key
      let key = Key(
        limit: index, connection: parts.contains(.connection) ? connection : nil,
        method: parts.contains(.method) ? method : nil,
        path: parts.contains(.path) ? endpoint ?? String(path) : nil)
      let narrowness = parts.count { $0 != .integration }
      places.append(
        Place(
          name: rule.limit.name, bucket: bucket(key, rate: rule.rate), narrowness: narrowness))
    }
    if places.isEmpty {
      let key = Key(limit: -1, connection: connection)
      places = [Place(name: nil, bucket: bucket(key, rate: nil), narrowness: 1)]
    }
    return places
  }

  /// Waits until the call conforms to every limit.
  /// - Returns: how long it waited, and at which limit the longest.
  /// - Throws: `TooLong`, `CancellationError`.
  func acquire(
    _ places: [Place], owner: String, priority: Call.Priority, deadline: Duration
  ) async throws -> (waited: Duration, limit: String?) {
    var waited: Duration = .zero
    var longest: Duration = .zero
    var limit: String?
    for (index, place) in places.enumerated() {
      do {
        let wait = try await place.bucket.acquire(
          owner: owner, priority: priority, deadline: deadline)
        waited += wait
        if wait > longest {
          longest = wait
          limit = place.name
        }
      } catch {
        for earlier in places[..<index] { earlier.bucket.giveBack() }
        guard let late = error as? RateBucket.TooLong else { throw error }
        throw TooLong(retryAfter: late.retryAfter, limit: place.name)
      }
    }
    return (waited, limit)
  }

  /// How many calls wait, over all limits.
  var waiting: Int { buckets.withLock { $0.values.reduce(0) { $0 + $1.waiting } } }

  private func bucket(_ key: Key, rate: GCRA.Rate?) -> RateBucket {
    buckets.withLock { buckets in
      if let known = buckets[key] { return known }
      if buckets.count >= Self.sweepAbove { buckets = buckets.filter { !$0.value.isIdle } }
      let fresh = RateBucket(rate: rate, clock: clock)
      buckets[key] = fresh
      return fresh
    }
  }
}

extension [RateGate.Place] {
  /// The one a provider's complaint most likely is about: affecting others as little as may be.
  var narrowest: RateGate.Place? { self.max { $0.narrowness < $1.narrowness } }
}
