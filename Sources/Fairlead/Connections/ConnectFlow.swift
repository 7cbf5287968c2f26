public import Logging

/// How an owner connects an account in a browser: a one-time link to the hosted page, then the
/// provider's sign-in or a form for a key. Safe to share.
///
/// The page gives each browser a random cookie and passes its value as `browser`: a sign-in that one
/// browser began cannot be finished by another, so nobody can be made to adopt a stranger's account.
public final class ConnectFlow: Sendable {
  static let linkLifetime: Duration = .seconds(15 * 60)
  static let stateLifetime: Duration = .seconds(10 * 60)

  let connections: Connections
  let store: ConnectStore
  let integrations: IntegrationRegistry
  let clock: any FairleadClock
  let random: RandomSource
  let logger: Logger
  /// Without a trailing slash.
  let publicURL: String
  private let redirects: RedirectPolicy

  /// - Parameters:
  ///   - publicURL: where browsers reach this deployment.
  ///   - redirectOrigins: where they may be sent afterwards, beside `publicURL` itself.
  public init(
    connections: Connections, database: any Database, vault: Vault,
    integrations: IntegrationRegistry, transport: any Transport, clock: any FairleadClock,
    random: RandomSource, publicURL: String, redirectOrigins: [String], logger: Logger
  ) {
    self.connections = connections
    self.integrations = integrations
    self.clock = clock
    self.random = random
    self.logger = logger
    self.publicURL = publicURL.hasSuffix("/") ? String(publicURL.dropLast()) : publicURL
    store = ConnectStore(database: database, vault: vault)
    redirects = RedirectPolicy(publicURL: publicURL, allowed: redirectOrigins)
  }

  /// Makes a link that is good for 15 minutes and one account.
  /// - Throws: `FairleadError`: `invalidRequest`; `notFound` for an unknown integration;
  ///   `configurationError` for one that is not set up.
  public func createSession(_ new: NewConnectSession) async throws -> ConnectSession {
    let owner = try new.owner.validated()
    if let redirect = new.redirect { try redirects.check(redirect) }
    if let name = new.integration {
      let integration = try integrations.require(name)
      guard integration.connectMethod != nil else {
        throw FairleadError(
          .invalidRequest,
          "\(integration.definition.displayName) needs no account: call it as it is.",
          integration: name)
      }
      if case .oauth2Code = integration.definition.auth { _ = try OAuthRequest(integration) }
    }
    let token = random.token(bytes: 32)
    let now = clock.now
    let expiresAt = now + Self.linkLifetime
    try await store.add(
      StoredSession(
        hash: ConnectStore.hash(token), owner: owner, ownerLabel: new.ownerLabel?.asLabel,
        integration: new.integration, redirect: new.redirect, expiresAt: expiresAt, isUsed: false),
      now: now)
    return ConnectSession(url: "\(publicURL)/connect/\(token)", expiresAt: expiresAt)
  }

  /// What the page behind a link shows.
  /// - Throws: `FairleadError` (`notFound`) when the link is unknown, used or expired.
  public func session(token: String) async throws -> ConnectSessionInfo {
    let session = try await live(token)
    var choices: [ConnectChoice] = []
    for integration in integrations.all {
      guard session.integration == nil || session.integration == integration.name,
        let method = integration.connectMethod
      else { continue }
      let existing = try await connections.store.list(
        ConnectionFilter(integration: integration.name, owner: session.owner), limit: 5)
      choices.append(
        ConnectChoice(
          integration: integration.name, displayName: integration.definition.displayName,
          purpose: integration.definition.purpose, method: method,
          params: integration.definition.params, connections: existing))
    }
    return ConnectSessionInfo(
      owner: session.owner, ownerLabel: session.ownerLabel, choices: choices,
      redirect: session.redirect, expiresAt: session.expiresAt)
  }

  /// Begins a sign-in and says where to send the browser. The link belongs to that browser from now
  /// on.
  /// - Parameters:
  ///   - browser: the random value of the browser's cookie, the same one that `complete` is given.
  ///   - params: values for the definition's `params`.
  /// - Throws: `FairleadError`: `notFound` for a dead link, `forbidden` for another browser,
  ///   `invalidRequest`, `configurationError`, `rateLimitExceeded`.
  public func begin(
    sessionToken: String, integration name: IntegrationName, browser: String,
    params: [String: String] = [:]
  ) async throws -> String {
    let session = try await live(sessionToken)
    let integration = try allowed(name, by: session)
    let params = try integration.definition.validated(params: params)
    let messages = try OAuthRequest(integration, params: params)
    guard browser.utf8.count >= 16, browser.utf8.count <= 512 else {
      throw FairleadError(
        .invalidRequest,
        "This page needs a cookie to connect safely. Allow cookies, then reload it.")
    }
    let state = random.token(bytes: 32)
    let pkce = messages.oauth.pkce == .s256 ? PKCE(random: random) : nil
    let nonce = messages.oauth.nonce ? random.token(bytes: 32) : nil
    let now = clock.now
    try await store.begin(
      PendingSignIn(
        stateHash: ConnectStore.hash(state), sessionHash: session.hash, integration: name,
        browserHash: ConnectStore.hash(browser), params: params, pkce: pkce, nonce: nonce,
        expiresAt: now + Self.stateLifetime), now: now)
    return messages.authorizeURL(
      redirectURI: redirectURI(name), state: state, pkce: pkce, nonce: nonce)
  }

  /// Connects with a key or password that the page's form was given.
  /// - Throws: `FairleadError`: as `Connections.create`, for the form to show; `notFound` for a dead
  ///   link.
  public func connectWithKey(
    sessionToken: String, integration name: IntegrationName, credential: Credential,
    params: [String: String] = [:]
  ) async throws -> ConnectOutcome {
    let session = try await live(sessionToken)
    let integration = try allowed(name, by: session)
    let definition = integration.definition
    if case .oauth2Code = definition.auth {
      throw FairleadError(
        .invalidRequest, "\(definition.displayName) is connected by signing in there.",
        integration: name)
    }
    let credential = try definition.validated(credential)
    let params = try definition.validated(params: params)
    let identity = try await connections.verifier.identity(
      of: credential, at: integration, params: params)
    let connection = try await save(
      credential, scopes: [], params: params, identity: identity, name, session)
    return outcome(
      .success, "\(definition.displayName) is connected.", session, name, connection)
  }

  /// One per integration, so that an answer of one provider cannot pass for another's.
  func redirectURI(_ integration: IntegrationName) -> String {
    "\(publicURL)/oauth/callback/\(integration)"
  }

  /// Stores the connection and uses the link up, in one transaction.
  func save(
    _ credential: Credential, scopes: [String], params: [String: String],
    identity: [String: String], _ integration: IntegrationName, _ session: StoredSession
  ) async throws -> Connection {
    let now = clock.now
    let stored = try await connections.save(
      ConnectionDraft(
        integration: integration, owner: session.owner, ownerLabel: session.ownerLabel,
        credential: credential, scopes: scopes, params: params, identity: identity),
      alongside: { try ConnectStore.use(session.hash, now: now, in: $0) })
    logger.info(
      "account connected",
      metadata: [
        "integration": "\(integration)", "connection": "\(stored.connection.id)",
      ])
    return stored.connection
  }

  func outcome(
    _ status: ConnectOutcome.Status, _ message: String, _ session: StoredSession,
    _ integration: IntegrationName, _ connection: Connection? = nil
  ) -> ConnectOutcome {
    let redirect = session.redirect.map {
      RedirectPolicy.url(
        $0, adding: [("integration", integration.rawValue), ("status", status.rawValue)])
    }
    return ConnectOutcome(
      status: status, redirect: redirect, connection: connection, message: message)
  }

  private func live(_ token: String) async throws -> StoredSession {
    guard token.utf8.count <= 256,
      let session = try await store.session(hash: ConnectStore.hash(token))
    else {
      throw FairleadError(
        .notFound, "This link is not known here. Ask for a new one where you got it.")
    }
    guard !session.isUsed else { throw Self.usedLink }
    guard clock.now < session.expiresAt else {
      throw FairleadError(
        .notFound, "This link has expired. Ask for a new one where you got it.")
    }
    return session
  }

  private func allowed(
    _ name: IntegrationName, by session: StoredSession
  ) throws -> Integration {
    let integration = try integrations.require(name)
    guard session.integration == nil || session.integration == name else {
      throw FairleadError(
        .invalidRequest,
        "This link does not connect \(integration.definition.displayName). Ask for another one.",
        integration: name)
    }
    return integration
  }

  static var usedLink: FairleadError {
    FairleadError(
      .notFound, "This link was used already. Ask for a new one where you got it.")
  }

  static var otherBrowser: FairleadError {
    FairleadError(
      .forbidden,
      "This sign-in began in another browser. Open the link you were given in the browser where "
        + "you want to finish.")
  }
}

extension Integration {
  /// How an owner connects it; `nil` when there is nothing to connect, or no client to do it with.
  var connectMethod: ConnectChoice.Method? {
    switch definition.auth {
    case .oauth2Code: clientID == nil ? nil : .signIn
    case .apiKey: .apiKey
    case .basic: .basic
    case .none: nil
    }
  }
}
