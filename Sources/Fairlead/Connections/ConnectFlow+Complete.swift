import Logging

extension ConnectFlow {
  /// Finishes a sign-in with what the provider sent the browser back with.
  ///
  /// - Parameters:
  ///   - integration: the callback's own, from its path.
  ///   - query: the callback's query, decoded, in its order.
  ///   - browser: the value of the browser's cookie; empty when it sent none.
  /// - Returns: how it ended, also when the provider or the person said no.
  /// - Throws: `FairleadError` when the callback belongs to no sign-in of this browser and
  ///   integration (`invalidRequest`, `forbidden`): then nobody is redirected anywhere.
  ///   `serviceUnavailable` when storage fails.
  public func complete(
    integration name: IntegrationName, query: [(String, String)], browser: String
  ) async throws -> ConnectOutcome {
    guard let state = Self.single("state", in: query), (1...512).contains(state.utf8.count) else {
      throw Self.unknownSignIn
    }
    // Found by its hash: how long the look-up takes says nothing about the state itself.
    guard
      let (pending, session) = try await store.take(
        stateHash: ConnectStore.hash(state), browserHash: ConnectStore.hash(browser))
    else { throw Self.unknownSignIn }
    guard pending.integration == name else {
      logger.warning(
        "sign-in came back for another integration",
        metadata: ["began": "\(pending.integration)", "returned": "\(name)"])
      throw Self.unknownSignIn
    }
    do {
      return try await finish(pending, session, query)
    } catch let error as FairleadError where error.code != .serviceUnavailable {
      logger.warning(
        "sign-in failed",
        metadata: ["integration": "\(name)", "code": "\(error.code.rawValue)"])
      return outcome(.failed, error.message, session, name)
    } catch let error as FairleadError where error.integration != nil {
      // The provider's trouble, not ours: the page says so and offers another try.
      return outcome(.failed, error.message, session, name)
    }
  }

  private func finish(
    _ pending: PendingSignIn, _ session: StoredSession, _ query: [(String, String)]
  ) async throws -> ConnectOutcome {
    let integration = try integrations.require(pending.integration)
    let messages = try OAuthRequest(integration, params: pending.params)
    let name = integration.definition.displayName
    guard clock.now < pending.expiresAt else {
      throw FairleadError(.invalidRequest, "Signing in to \(name) took too long. Start again.")
    }
    guard !session.isUsed else { throw Self.usedLink }
    try checkIssuer(query, messages)
    if let error = Self.single("error", in: query) {
      guard ["access_denied", "user_denied", "consent_required"].contains(error) else {
        throw FairleadError(
          .invalidRequest, "\(name) did not let you sign in. Start again, or ask its support.")
      }
      return outcome(
        .denied, "You did not allow the access, so \(name) is not connected.", session,
        integration.name)
    }
    guard let code = Self.single("code", in: query), (1...4_096).contains(code.utf8.count) else {
      throw FairleadError(
        .invalidRequest, "\(name) sent you back without finishing. Start again.")
    }
    let sentAt = clock.now
    let request = messages.exchange(
      code: Secret(code), redirectURI: redirectURI(integration.name), pkce: pending.pkce)
    let answer = try await connections.endpoint.send(request, oauth: messages.oauth)
    let grant = try answer.granted(by: integration, what: "sign-in")
    try checkNonce(grant, pending, name)
    let credential = Credential.oauth2(grant.credential(issuedAt: sentAt))
    let identity = try await connections.verifier.identity(
      of: credential, at: integration, params: pending.params)
    let connection = try await save(
      credential, scopes: grant.scopes ?? messages.scopes, params: pending.params,
      identity: identity, integration.name, session)
    return outcome(.success, "\(name) is connected.", session, integration.name, connection)
  }

  /// RFC 9207: an answer of another authorization server is refused, and so is a missing issuer where
  /// the provider is known to send one.
  private func checkIssuer(_ query: [(String, String)], _ messages: OAuthRequest) throws {
    guard let expected = messages.oauth.issuer else { return }
    let values = query.filter { $0.0 == "iss" }.map(\.1)
    if values.isEmpty && !messages.oauth.issuerRequired { return }
    guard values.count == 1, values.first == messages.endpoint(expected) else {
      throw FairleadError(
        .invalidRequest,
        "The answer did not come from \(messages.integration.definition.displayName). Start again.")
    }
  }

  /// OpenID Connect: the ID token must be the one of this sign-in. It came straight from the token
  /// endpoint, so its signature adds nothing (Core 3.1.3.7).
  private func checkNonce(
    _ grant: TokenGrant, _ pending: PendingSignIn, _ name: String
  ) throws {
    guard let nonce = pending.nonce else { return }
    let parts = (grant.idToken ?? "").split(separator: ".", omittingEmptySubsequences: false)
    // What is no token has no nonce.
    let claims = (parts.count == 3 ? [UInt8](anyBase64: parts[1]) : nil)
      .flatMap { try? JSONValue(parsing: $0) }
    guard let found = claims?["nonce"]?.string, Secret(found) == Secret(nonce) else {
      throw FairleadError(
        .invalidRequest, "\(name) answered for another sign-in. Start again.")
    }
  }

  /// OAuth parameters must not come twice (RFC 6749 section 3.1); one that does is not believed.
  private static func single(_ name: String, in query: [(String, String)]) -> String? {
    let values = query.filter { $0.0 == name }
    return values.count == 1 ? values[0].1 : nil
  }

  private static var unknownSignIn: FairleadError {
    FairleadError(
      .invalidRequest,
      "This sign-in is not known here: it was finished before, or took longer than ten minutes. "
        + "Start again from the link you were given.")
  }
}
