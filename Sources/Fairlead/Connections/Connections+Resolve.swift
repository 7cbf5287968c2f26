extension Connections {
  /// What a proxy target means: a connection's id; `integration` (its default connection, else its
  /// only one); `integration:owner` (percent-encoded after the first colon), the owner's newest
  /// active connection; each with `@host` after the integration or id.
  ///
  /// A connection that needs its owner resolves when there is no other: using it says so.
  /// - Throws: `FairleadError`: `invalidRequest` for what is no target or is ambiguous, `notFound`
  ///   with how to connect.
  public func resolve(target: String) async throws -> ResolvedTarget {
    let parsed = try ProxyTarget(parsing: target)
    let id: ConnectionID?
    switch parsed.account {
    case .connection(let known): id = known
    case .integration, .owner:
      id = try await targets.value(parsed) { try await find(parsed.account) }
    }
    guard let id else { throw FairleadError(.notFound, "There is no such connection.") }
    let integration = try await integration(of: id, parsed.account)
    if let host = parsed.host, integration.definition.hosts[host] == nil {
      throw FairleadError(
        .notFound, "\(integration.definition.displayName) has no host named \(host).",
        integration: integration.name)
    }
    return ResolvedTarget(integration: integration.name, connection: id, host: parsed.host)
  }

  private func integration(
    of id: ConnectionID, _ account: ProxyTarget.Account
  ) async throws -> Integration {
    switch account {
    case .integration(let name), .owner(let name, _): return try integrations.require(name)
    case .connection:
      if let standing = defaultConnection(id) {
        return try integrations.require(standing.connection.integration)
      }
      let stored = try await credentials.value(id) { try await store.find(id) }
      guard let stored else { throw Self.unknown(id) }
      return try integrations.require(stored.connection.integration)
    }
  }

  private func find(_ account: ProxyTarget.Account) async throws -> ConnectionID {
    switch account {
    case .connection(let id): return id
    case .integration(let name): return try await only(try integrations.require(name))
    case .owner(let name, let owner): return try await newest(try integrations.require(name), owner)
    }
  }

  private func newest(_ integration: Integration, _ owner: Owner) async throws -> ConnectionID {
    var filter = ConnectionFilter(integration: integration.name, owner: owner, state: .active)
    if let active = try await store.list(filter, limit: 1).first { return active.id }
    filter.state = nil
    if let ended = try await store.list(filter, limit: 1).first { return ended.id }
    throw FairleadError(
      .notFound,
      "\(owner) has not connected \(integration.definition.displayName) yet. "
        + howToConnect(integration), integration: integration.name)
  }

  private func only(_ integration: Integration) async throws -> ConnectionID {
    if let standing = defaultConnection(of: integration) { return standing.connection.id }
    var filter = ConnectionFilter(integration: integration.name, state: .active)
    var found = try await store.list(filter, limit: 6)
    if found.isEmpty {
      filter.state = nil
      found = try await store.list(filter, limit: 6)
    }
    guard let first = found.first else {
      throw FairleadError(
        .notFound,
        "Nobody has connected \(integration.definition.displayName) yet. "
          + howToConnect(integration), integration: integration.name)
    }
    guard found.count > 1 else { return first.id }
    let named = found.prefix(5).map { "\($0.id) (\($0.owner?.rawValue ?? "no owner"))" }
    throw FairleadError(
      .invalidRequest,
      "\(integration.definition.displayName) has several connections: "
        + named.joined(separator: ", ") + (found.count > 5 ? " and more" : "")
        + ". Name one by its id, or as \(integration.name):owner.", integration: integration.name)
  }

  private func howToConnect(_ integration: Integration) -> String {
    switch integration.definition.auth {
    case .oauth2Code:
      "Make a connect link with POST /v1/connect/sessions, or `fairlead connect "
        + "\(integration.name)`."
    default:
      "Add its credentials with POST /v1/connections, or a connect link from POST "
        + "/v1/connect/sessions."
    }
  }
}
