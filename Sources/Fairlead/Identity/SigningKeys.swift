import HTTPTypes
import Logging
import Synchronization

/// The public keys of the configured issuers, fetched when they are needed. Each issuer's are kept
/// apart, so that a key id never leads to another issuer's key. Thread-safe.
final class SigningKeys: Sendable {
  private let exchange: BoundedExchange
  private let clock: any FairleadClock
  private let logger: Logger
  private let caches = Mutex<[String: KeySetCache]>([:])
  private let fetches = SingleFlight<String, Void>()

  init(transport: any Transport, clock: any FairleadClock, logger: Logger) {
    exchange = BoundedExchange(transport: transport, clock: clock, timeout: .seconds(5))
    self.clock = clock
    self.logger = logger
  }

  /// The issuer's key of that id; `nil` when it has none.
  /// - Throws: `FairleadError` (`serviceUnavailable`) when the keys cannot be had.
  func key(_ id: String, of issuer: TokenIssuer) async throws -> SigningKey? {
    var fetched = false
    while true {
      let now = clock.uptime
      let cache = caches.withLock { $0[issuer.issuer] ?? KeySetCache() }
      switch cache.action(for: id, now: now, fetched: fetched) {
      case .use(let key): return key
      case .refuse: return nil
      case .unavailable(let pause):
        throw FairleadError(
          .serviceUnavailable,
          "Your sign-in cannot be checked right now. Try again in a moment.", retryAfter: pause,
          detail: "the keys of \(issuer.issuer) cannot be fetched")
      case .fetch:
        try await fetches.value(issuer.issuer) { await self.fetch(issuer) }
        fetched = true
      }
    }
  }

  /// Returns once nothing is being fetched.
  func drain() async { await fetches.drain() }

  private func fetch(_ issuer: TokenIssuer) async {
    do {
      let reply = try await exchange.send(
        TransportRequest(
          method: .get, url: issuer.keySetURL, headers: [.accept: "application/json"]))
      // A redirect is a failure too: the keys are where the configuration says.
      guard reply.status == 200 else {
        throw SigningKeySet.Unreadable(reason: "the answer was \(reply.status)")
      }
      let keys = try SigningKeySet(parsing: reply.body)
      let age = Self.maximumAge(reply.headers)
      let now = clock.uptime
      caches.withLock { caches in
        caches[issuer.issuer, default: KeySetCache()].succeeded(keys, maximumAge: age, now: now)
      }
      if keys.isEmpty {
        logger.warning(
          "An issuer's key set has no key for RS256 signatures",
          metadata: ["issuer": "\(issuer.issuer)"])
      }
    } catch {
      let now = clock.uptime
      caches.withLock { $0[issuer.issuer, default: KeySetCache()].failed(now: now) }
      logger.error(
        "The keys of an issuer could not be fetched",
        metadata: ["issuer": "\(issuer.issuer)", "reason": "\(Self.reason(error))"])
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as SigningKeySet.Unreadable: error.reason
    case let error as TransportError: "\(error.kind.rawValue): \(error.detail)"
    default: "\(type(of: error))"
    }
  }

  /// `max-age` of `Cache-Control` (RFC 9111); `nil` when there is none that can be read.
  static func maximumAge(_ headers: HTTPFields) -> Duration? {
    for directive in (headers[.cacheControl] ?? "").lowercased().split(separator: ",") {
      let parts = directive.split(separator: "=", maxSplits: 1).map { part in
        part.filter { !$0.isWhitespace && $0 != "\"" }
      }
      guard parts.first == "max-age", parts.count == 2, parts[1].utf8.count <= 9,
        let seconds = Int64(parts[1]), seconds >= 0
      else { continue }
      return .seconds(seconds)
    }
    return nil
  }
}
