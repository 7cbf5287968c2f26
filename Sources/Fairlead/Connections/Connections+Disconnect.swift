extension Connections {
  /// Ends a connection: at the provider as far as it lets us, here in any case.
  /// - Throws: `FairleadError`: `notFound`; `conflict` for the deployment's own connections.
  public func disconnect(_ id: ConnectionID) async throws -> Disconnection {
    if defaultConnection(id) != nil { throw Self.isReadOnly(id) }
    guard let connection = try await store.connection(id) else { throw Self.unknown(id) }
    let integration = integrations[connection.integration]
    guard let stored = try await store.readable(id) else {
      return try await forget(connection, integration)
    }
    await changes.ending(id)
    var revoked = false
    if let integration {
      let credential = await revocable(stored, of: integration)
      revoked = await endpoint.revoke(
        credential, of: integration, params: stored.connection.params)
    }
    let last = try await store.delete(id)
    credentials.remove(id)
    targets.removeAll()
    changes.changed(id)
    if let last, let integration, last.connection.version != stored.connection.version {
      // Refreshed in between: what was issued last is what must end.
      revoked = await endpoint.revoke(
        last.credential, of: integration, params: last.connection.params)
    }
    return Disconnection(
      revokedAtProvider: revoked,
      message: message(stored.credential, integration, revoked: revoked))
  }

  /// Ends a connection whose credential does not open, or is gone by now: there is nothing to show
  /// the provider, and keeping the row would help nobody.
  private func forget(
    _ connection: Connection, _ integration: Integration?
  ) async throws -> Disconnection {
    guard try await store.remove(connection.id) else { throw Self.unknown(connection.id) }
    credentials.remove(connection.id)
    targets.removeAll()
    changes.changed(connection.id)
    let name = integration?.definition.displayName ?? connection.integration.rawValue
    return Disconnection(
      revokedAtProvider: false,
      message: "Disconnected here. Its stored credential cannot be read any more, so \(name) could "
        + "not be told: end the access in the account's own settings there.")
  }

  /// Where the access token itself authorises or names what is revoked, it must not have expired.
  func revocable(
    _ stored: ConnectionCredential, of integration: Integration
  ) async -> Credential {
    guard case .oauth2Code(let oauth) = integration.definition.auth,
      oauth.revokeURL != nil, oauth.revoke.tokenIn == .bearer || oauth.revoke.token == .access,
      case .oauth2(let tokens) = stored.credential,
      RefreshDecision.decide(tokens, now: clock.now) == .mustRefresh,
      // A refresh that fails leaves the old token as the best there is.
      let fresh = try? await refresher.refreshed(
        stored.connection.id, after: stored.connection.version)
    else { return stored.credential }
    return fresh.credential
  }

  private func message(
    _ credential: Credential, _ integration: Integration?, revoked: Bool
  ) -> String {
    guard let definition = integration?.definition else {
      return "Disconnected here. Its integration is not configured any more, so the provider could "
        + "not be told: end the access in the account's own settings."
    }
    let name = definition.displayName
    switch credential {
    case .oauth2 where revoked: return "Disconnected. \(name) confirmed that the access has ended."
    case .oauth2:
      return "Disconnected here. \(name) did not confirm that the access has ended: remove it in "
        + "the account's own settings there too."
    case .apiKey, .basic:
      return "Disconnected here. The \(credential.noun) still works at \(name): delete it there if "
        + "nothing else needs it."
    case .none: return "Disconnected."
    }
  }
}
