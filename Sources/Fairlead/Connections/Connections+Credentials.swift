import Logging

extension Connections: CredentialSource {
  public func usableCredential(for id: ConnectionID) async throws -> ConnectionCredential {
    if let standing = defaultConnection(id) { return standing }
    let stored = try await credentials.value(id) { try await store.find(id) }
    guard let stored else { throw Self.unknown(id) }
    try Self.requireActive(stored.connection, in: integrations)
    guard case .oauth2(let tokens) = stored.credential else { return stored }
    switch RefreshDecision.decide(tokens, now: clock.now) {
    case .fresh: return stored
    case .refreshAhead:
      // The token still works: nobody waits for its successor, and a failure costs nothing yet.
      refresher.refreshAhead(id, after: stored.connection.version)
      return stored
    case .mustRefresh, .dead:
      return try await refresher.refreshed(id, after: stored.connection.version)
    }
  }

  public func refreshedCredential(
    for id: ConnectionID, after version: Int64
  ) async throws -> ConnectionCredential {
    if let standing = defaultConnection(id) {
      throw Self.refusedDefault(standing.connection.integration, in: integrations)
    }
    guard id.isStorable else { throw Self.unknown(id) }
    return try await refresher.refreshed(id, after: version)
  }

  public func grantDied(
    of id: ConnectionID, version: Int64, reason: String
  ) async throws {
    // A deployment's own credential has no row: its failing calls and its health tell.
    guard defaultConnection(id) == nil, id.isStorable else { return }
    let isDead = try await store.declareDead(
      id, version: version, reason: reason.asLabel ?? "The provider ended this connection's access."
    )
    credentials.remove(id)
    guard isDead else { return }
    targets.removeAll()
    changes.changed(id)
    logger.warning(
      "grant ended by the provider, connection needs its owner",
      metadata: ["connection": "\(id)"])
  }

  /// Refreshes now, whatever is left of the token.
  /// - Throws: `FairleadError`: `invalidRequest` for a connection that has nothing to refresh,
  ///   `needsReauth`, `serviceUnavailable`, `notFound`.
  public func refresh(_ id: ConnectionID) async throws -> Connection {
    if defaultConnection(id) != nil { throw Self.isReadOnly(id) }
    guard let stored = try await store.find(id) else { throw Self.unknown(id) }
    try Self.requireActive(stored.connection, in: integrations)
    guard case .oauth2(let tokens) = stored.credential, tokens.refreshToken != nil else {
      throw FairleadError(
        .invalidRequest,
        "This connection has nothing to refresh: its \(stored.credential.noun) lasts until it is "
          + "revoked.", integration: stored.connection.integration)
    }
    return try await refresher.refreshed(id, after: stored.connection.version).connection
  }

  /// A token that is valid now.
  /// - Throws: `FairleadError`: `invalidRequest` for a connection without tokens, `needsReauth`,
  ///   `serviceUnavailable`, `notFound`.
  public func accessToken(_ id: ConnectionID) async throws -> AccessToken {
    let usable = try await usableCredential(for: id)
    guard case .oauth2(let tokens) = usable.credential else {
      throw FairleadError(
        .invalidRequest,
        "This connection has a \(usable.credential.noun), not a token. Call the provider through "
          + "the proxy instead.", integration: usable.connection.integration)
    }
    return AccessToken(
      accessToken: tokens.accessToken, tokenType: tokens.tokenType, expiresAt: tokens.expiresAt)
  }

  static func isReadOnly(_ id: ConnectionID) -> FairleadError {
    FairleadError(
      .conflict,
      "This connection is the deployment's own: it is configured in its environment, not here.",
      detail: "connection \(id)")
  }

  private static func refusedDefault(
    _ integration: IntegrationName, in integrations: IntegrationRegistry
  ) -> FairleadError {
    let name = integrations[integration]?.definition.displayName ?? integration.rawValue
    return FairleadError(
      .needsReauth,
      "\(name) refuses the credential this deployment is configured with. Its operator has to "
        + "replace it.", integration: integration)
  }
}
