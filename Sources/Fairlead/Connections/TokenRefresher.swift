import Logging

/// Replaces a connection's tokens: once at a time per connection, across tasks (shared waiting) and
/// across nodes (a lease), and stored before anybody uses them.
///
/// A refresh that has begun runs to its end whoever gives up waiting.
final class TokenRefresher: Sendable {
  let store: ConnectionStore
  let endpoint: TokenEndpoint
  let integrations: IntegrationRegistry
  let clock: any FairleadClock
  let random: RandomSource
  let logger: Logger
  /// Told what was stored, before any waiter is.
  let onChange: @Sendable (ConnectionID, ConnectionCredential?) -> Void
  private let flights = SingleFlight<ConnectionID, ConnectionCredential>()
  /// Connections whose refresh ahead of expiry failed a moment ago: their old token still works, so
  /// the endpoint is left alone for a while.
  private let resting: BriefCache<ConnectionID, Bool>

  init(
    store: ConnectionStore, endpoint: TokenEndpoint, integrations: IntegrationRegistry,
    clock: any FairleadClock, random: RandomSource, logger: Logger,
    onChange: @escaping @Sendable (ConnectionID, ConnectionCredential?) -> Void
  ) {
    self.store = store
    self.endpoint = endpoint
    self.integrations = integrations
    self.clock = clock
    self.random = random
    self.logger = logger
    self.onChange = onChange
    resting = BriefCache(lifetime: .seconds(15), capacity: 10_000, clock: clock)
  }

  /// The connection with a credential newer than `version`.
  /// - Throws: `FairleadError`: `needsReauth`, `serviceUnavailable`, `configurationError`,
  ///   `notFound`. `CancellationError` when the caller is cancelled; the refresh goes on.
  func refreshed(
    _ id: ConnectionID, after version: Int64
  ) async throws -> ConnectionCredential {
    // A flight that was under way may have been for an older version than the one that failed.
    for _ in 0..<3 {
      let result = try await flights.value(id) { try await self.fly(id, after: version) }
      if result.connection.version > version { return result }
    }
    throw FairleadError(
      .serviceUnavailable, "This connection's token changes too fast. Try again in a moment.")
  }

  /// Starts a refresh of a token that is still good, and does not wait for it.
  func refreshAhead(_ id: ConnectionID, after version: Int64) {
    guard resting.value(id) == nil else { return }
    flights.start(id) {
      do { return try await self.fly(id, after: version) } catch {
        self.resting.replace(id, with: true)
        throw error
      }
    }
  }

  /// Returns once no refresh is under way.
  func drain() async { await flights.drain() }

  // MARK: - One flight

  private func fly(_ id: ConnectionID, after version: Int64) async throws -> ConnectionCredential {
    let giveUp = clock.uptime + ConnectionStore.leaseDuration * 3
    while true {
      guard let stored = try await store.find(id) else {
        onChange(id, nil)
        throw Connections.unknown(id)
      }
      guard stored.connection.version <= version else {
        onChange(id, stored)
        // It may have ended meanwhile, and has no credential then.
        try Connections.requireActive(stored.connection, in: integrations)
        return stored
      }
      try Connections.requireActive(stored.connection, in: integrations)
      let lease = try await store.lease(id, version: stored.connection.version, now: clock.now)
      if let lease {
        if let result = try await refresh(stored, under: lease) {
          onChange(id, result)
          return result
        }
      } else {
        // Another node is at it: its result appears in the store.
        guard clock.uptime < giveUp else {
          throw FairleadError(
            .serviceUnavailable,
            "This connection's token is being refreshed elsewhere. Try again in a moment.",
            integration: stored.connection.integration)
        }
        try await clock.sleep(for: .milliseconds(50) * (1 + random.unit()))
      }
    }
  }

  /// `nil` when the lease or the version was lost: what is stored decides then.
  private func refresh(
    _ stored: ConnectionCredential, under lease: RefreshLease
  ) async throws -> ConnectionCredential? {
    let connection = stored.connection
    do {
      let integration = try integrations.require(connection.integration)
      guard case .oauth2(let tokens) = stored.credential, let refreshToken = tokens.refreshToken
      else {
        return try await die(
          connection, lease,
          reason: "\(integration.definition.displayName) no longer accepts this connection's "
            + "\(stored.credential.noun), and there is nothing to renew it with.")
      }
      let messages = try OAuthRequest(integration, params: connection.params)
      var attempts = RefreshAttempts()
      while true {
        let sentAt = clock.now
        let outcome = try await endpoint.send(
          messages.refresh(refreshToken), oauth: messages.oauth)
        switch attempts.next(after: outcome, jitter: random.unit()) {
        case .store(let grant):
          return try await keep(
            grant.credential(issuedAt: sentAt, keeping: tokens), grant, lease, integration,
            params: connection.params)
        case .retry(let delay):
          log("token refresh failed, trying again", connection, "\(outcome.summary)")
          try await clock.sleep(for: delay)
          guard try await store.renew(lease, now: clock.now) else { return nil }
        case .declareDead(let code):
          log("grant refused, connection needs its owner", connection, code)
          return try await die(
            connection, lease,
            reason: "\(integration.definition.displayName) ended this connection's access "
              + "(\(code)).")
        case .misconfigured(let code):
          throw FairleadError(
            .configurationError,
            "\(integration.definition.displayName) refuses this deployment's client settings "
              + "(\(code)). Check its client id and client secret.",
            integration: integration.name)
        case .unavailable(let reason):
          throw FairleadError(
            .serviceUnavailable,
            "\(integration.definition.displayName) could not renew this connection's access. "
              + "Try again in a moment.",
            integration: integration.name, detail: reason)
        }
      }
    } catch {
      log("token refresh ended without new tokens", connection, "\(type(of: error))")
      // The lease runs out by itself when it cannot be given back.
      try? await store.release(lease)
      throw error
    }
  }

  /// Stores new tokens; tries for a while when storage fails, because they exist nowhere else.
  private func keep(
    _ credential: Credential.OAuth2, _ grant: TokenGrant, _ lease: RefreshLease,
    _ integration: Integration, params: [String: String]
  ) async throws -> ConnectionCredential? {
    let sealed = Credential.oauth2(credential)
    let refreshAt = RefreshDecision.scheduledAt(sealed, jitter: random.unit())
    var delay: Duration = .milliseconds(100)
    while true {
      do {
        let stored = try await store.swap(
          lease, to: sealed, scopes: grant.scopes, now: clock.now, refreshAt: refreshAt)
        if stored == nil,
          try await store.connection(lease.connection).map({ $0.state == .revoked }) ?? true
        {
          // Ended meanwhile: these tokens must not outlive the connection.
          _ = await endpoint.revoke(sealed, of: integration, params: params)
        }
        return stored
      } catch let error as StorageError {
        guard delay < .seconds(7) else { throw FairleadError(storage: error) }
        logger.error(
          "refreshed tokens could not be stored, trying again",
          metadata: ["connection": "\(lease.connection)"])
        try await clock.sleep(for: delay)
        delay *= 2
      }
    }
  }

  /// Marks the grant dead and throws, unless the store holds a newer credential: then `nil`.
  private func die(
    _ connection: Connection, _ lease: RefreshLease, reason: String
  ) async throws -> ConnectionCredential? {
    let isDead = try await store.declareDead(
      connection.id, version: lease.version, fence: lease.fence, reason: reason)
    guard isDead else { return nil }
    onChange(connection.id, nil)
    throw Connections.needsReauth(connection.integration, reason: reason)
  }

  private func log(_ message: Logger.Message, _ connection: Connection, _ reason: String) {
    logger.warning(
      message,
      metadata: [
        "connection": "\(connection.id)", "integration": "\(connection.integration)",
        "reason": "\(reason)",
      ])
  }
}

extension TokenOutcome {
  /// For logs: never a token.
  var summary: String {
    switch self {
    case .granted: "granted"
    case .grantRefused(let code), .clientRefused(let code), .otherRefusal(let code): code
    case .transient(let reason), .ambiguous(let reason): reason
    }
  }
}
