extension Connections {
  static func unknown(_ id: ConnectionID) -> FairleadError {
    FairleadError(
      .notFound, "There is no such connection. It may have been disconnected.",
      detail: "connection \(id)")
  }

  static func needsReauth(_ integration: IntegrationName, reason: String) -> FairleadError {
    // A provider's own words may say so already.
    let advice = reason.hasSuffix("again.") ? "" : " Connect the account again."
    return FairleadError(.needsReauth, reason + advice, integration: integration)
  }

  /// - Throws: `FairleadError` (`needsReauth`) for a connection that calls must not use.
  static func requireActive(
    _ connection: Connection, in integrations: IntegrationRegistry
  ) throws {
    guard connection.state != .active else { return }
    let name = integrations[connection.integration]?.definition.displayName
    throw needsReauth(
      connection.integration,
      reason: connection.error
        ?? "This connection to \(name ?? connection.integration.rawValue) has ended.")
  }
}

extension TokenOutcome {
  /// What was granted.
  /// - Parameter what: the thing that was given for it, for people: `sign-in`, `token`.
  /// - Throws: `FairleadError` that tells whose turn it is.
  func granted(by integration: Integration, what: String) throws -> TokenGrant {
    let name = integration.definition.displayName
    switch self {
    case .granted(let grant): return grant
    case .grantRefused(let code), .otherRefusal(let code):
      throw FairleadError(
        .invalidRequest, "\(name) refused this \(what) (\(code)). Start again.",
        integration: integration.name)
    case .clientRefused(let code):
      throw FairleadError(
        .configurationError,
        "\(name) refuses this deployment's client settings (\(code)). Check its client id, client "
          + "secret and redirect address.", integration: integration.name)
    case .transient(let reason), .ambiguous(let reason):
      throw FairleadError(
        .serviceUnavailable, "\(name) did not answer properly. Try again in a moment.",
        integration: integration.name, detail: reason)
    }
  }
}
