public import Logging

/// The accounts this deployment may use, and the one place their credentials come out of.
///
/// Safe to share. On the hot path a credential is at most one second old: within that second a call
/// costs no database read; what this node writes itself shows at once, what another node writes
/// within the second. A credential that went stale in between is refused by the provider and
/// replaced through `refreshedCredential(for:after:)`, so staleness costs a replay, never a failure.
public final class Connections: Sendable {
  let store: ConnectionStore
  let integrations: IntegrationRegistry
  let endpoint: TokenEndpoint
  let verifier: CredentialVerifier
  let refresher: TokenRefresher
  let clock: any FairleadClock
  let random: RandomSource
  let logger: Logger
  let credentials: BriefCache<ConnectionID, ConnectionCredential>
  let targets: BriefCache<ProxyTarget, ConnectionID>
  /// Told of connections that end or are connected anew.
  let changes = ConnectionChanges()
  private let startedAt: Timestamp

  public init(
    database: any Database, vault: Vault, integrations: IntegrationRegistry,
    transport: any Transport, clock: any FairleadClock, random: RandomSource, logger: Logger
  ) {
    let store = ConnectionStore(database: database, vault: vault)
    let exchange = BoundedExchange(transport: transport, clock: clock)
    let endpoint = TokenEndpoint(exchange: exchange)
    let credentials = BriefCache<ConnectionID, ConnectionCredential>(
      lifetime: .seconds(1), capacity: 10_000, clock: clock)
    let targets = BriefCache<ProxyTarget, ConnectionID>(
      lifetime: .seconds(1), capacity: 10_000, clock: clock)
    let changes = changes
    self.store = store
    self.integrations = integrations
    self.endpoint = endpoint
    self.clock = clock
    self.random = random
    self.logger = logger
    self.credentials = credentials
    self.targets = targets
    verifier = CredentialVerifier(exchange: exchange)
    startedAt = clock.now
    refresher = TokenRefresher(
      store: store, endpoint: endpoint, integrations: integrations, clock: clock, random: random,
      logger: logger,
      onChange: { id, stored in
        if let stored {
          credentials.replace(id, with: stored)
        } else {
          credentials.remove(id)
          targets.removeAll()
          changes.changed(id)
        }
      })
  }

  /// Connects an account with a credential at hand. The provider is asked whether it accepts it and
  /// whose it is; an account that the owner has connected before gets the new credential.
  /// - Throws: `FairleadError`: `invalidRequest` when something does not fit or the provider refuses
  ///   the credential, `serviceUnavailable` when the provider cannot be asked, `notFound` for an
  ///   unknown integration.
  public func create(_ new: NewConnection) async throws -> Connection {
    let integration = try integrations.require(new.integration)
    let owner = try new.owner.validated()
    let params = try integration.definition.validated(params: new.params)
    let given = try integration.definition.validated(new.credential)
    let credential = try await renewedIfExpired(given, integration, params)
    let identity: [String: String]
    do {
      identity = try await verifier.identity(of: credential, at: integration, params: params)
    } catch let error as FairleadError
      where error.code == .serviceUnavailable && credential != given
    {
      // The refresh may have ended the tokens that came in; the new ones must not be lost.
      identity = [:]
    }
    return try await save(
      ConnectionDraft(
        integration: integration.name, owner: owner, ownerLabel: new.ownerLabel?.asLabel,
        credential: credential, scopes: new.scopes ?? [], params: params, identity: identity)
    ).connection
  }

  /// Newest first; the deployment's own connections (`conn_default_…`) come before all others.
  /// - Throws: `FairleadError`.
  public func list(
    _ filter: ConnectionFilter, page: PageRequest
  ) async throws -> Page<Connection> {
    let isInDefaults = page.cursor?.hasPrefix(Connection.defaultPrefix) ?? true
    var items: [Connection] = []
    if isInDefaults {
      items = defaults(filter).filter { $0.id.rawValue > page.cursor ?? "" }
    }
    if items.count <= page.limit {
      items += try await store.list(
        filter, before: isInDefaults ? nil : page.cursor, limit: page.limit + 1 - items.count)
    }
    let hasMore = items.count > page.limit
    let shown = Array(items.prefix(page.limit))
    return Page(items: shown, nextCursor: hasMore ? shown.last?.id.rawValue : nil)
  }

  /// - Throws: `FairleadError` (`notFound`).
  public func connection(_ id: ConnectionID) async throws -> Connection {
    if let standing = defaultConnection(id) { return standing.connection }
    guard let connection = try await store.connection(id) else { throw Self.unknown(id) }
    return connection
  }

  /// Stores a draft and makes it visible to the hot path at once.
  func save(
    _ draft: ConnectionDraft,
    alongside: @escaping @Sendable (any SQLConnection) throws -> Void = { _ in }
  ) async throws -> ConnectionCredential {
    let now = clock.now
    let stored = try await store.save(
      draft, id: ConnectionID(at: now, random: random), now: now,
      jitter: random.unit(), alongside: alongside)
    credentials.replace(stored.connection.id, with: stored)
    targets.removeAll()
    changes.changed(stored.connection.id)
    return stored
  }

  /// An imported token may have expired on the way; its refresh token is as good as new ones.
  private func renewedIfExpired(
    _ credential: Credential, _ integration: Integration, _ params: [String: String]
  ) async throws -> Credential {
    guard case .oauth2(let tokens) = credential, let refreshToken = tokens.refreshToken,
      RefreshDecision.decide(tokens, now: clock.now) == .mustRefresh
    else { return credential }
    let messages = try OAuthRequest(integration, params: params)
    let sentAt = clock.now
    let outcome = try await endpoint.send(messages.refresh(refreshToken), oauth: messages.oauth)
    let grant = try outcome.granted(by: integration, what: "token")
    return .oauth2(grant.credential(issuedAt: sentAt, keeping: tokens))
  }
}

// MARK: - The deployment's own connections

extension Connections {
  /// The read-only connection behind `conn_default_…`, where its integration has one.
  func defaultConnection(_ id: ConnectionID) -> ConnectionCredential? {
    guard id.rawValue.hasPrefix(Connection.defaultPrefix) else { return nil }
    let name = IntegrationName(String(id.rawValue.dropFirst(Connection.defaultPrefix.count)))
    return integrations[name].flatMap(defaultConnection)
  }

  func defaultConnection(of integration: Integration) -> ConnectionCredential? {
    guard let credential = integration.standingCredential else { return nil }
    return ConnectionCredential(
      connection: Connection(
        id: Connection.defaultID(for: integration.name), integration: integration.name, owner: nil,
        expiresAt: credential.expiresAt, createdAt: startedAt),
      credential: credential)
  }

  private func defaults(_ filter: ConnectionFilter) -> [Connection] {
    guard filter.owner == nil, filter.state == nil || filter.state == .active else { return [] }
    return integrations.all
      .filter { filter.integration == nil || filter.integration == $0.name }
      .compactMap { defaultConnection(of: $0)?.connection }
      .sorted { $0.id < $1.id }
  }
}

extension Integration {
  /// What calls use without any owner's connection: the configured credential, or nothing at all
  /// where the provider asks for none.
  var standingCredential: Credential? {
    if let defaultCredential { return defaultCredential }
    return definition.auth == .none ? Credential.none : nil
  }
}

extension Connection {
  static let defaultPrefix = "\(ConnectionKind.prefix)_default_"
}
