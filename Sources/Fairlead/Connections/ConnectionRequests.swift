/// An account to connect with a credential that is already at hand.
public struct NewConnection: Sendable {
  public var integration: IntegrationName
  public var owner: Owner
  /// What people call the owner.
  public var ownerLabel: String?
  public var credential: Credential
  /// What was granted, where the caller knows.
  public var scopes: [String]?
  /// Values for the definition's `params`.
  public var params: [String: String]

  public init(
    integration: IntegrationName, owner: Owner, ownerLabel: String? = nil, credential: Credential,
    scopes: [String]? = nil, params: [String: String] = [:]
  ) {
    self.integration = integration
    self.owner = owner
    self.ownerLabel = ownerLabel
    self.credential = credential
    self.scopes = scopes
    self.params = params
  }
}

/// Which connections are wanted; what is `nil` does not narrow.
public struct ConnectionFilter: Sendable, Hashable {
  public var integration: IntegrationName?
  public var owner: Owner?
  public var state: Connection.State?

  public init(
    integration: IntegrationName? = nil, owner: Owner? = nil, state: Connection.State? = nil
  ) {
    self.integration = integration
    self.owner = owner
    self.state = state
  }
}

/// How a disconnection went. The connection is gone here either way.
public struct Disconnection: Sendable, Hashable {
  public var revokedAtProvider: Bool
  /// For people: what happened, and what is left to do at the provider.
  public var message: String
}

/// A token that is valid now, for callers that talk to the provider themselves.
public struct AccessToken: Sendable {
  public var accessToken: Secret
  public var tokenType: String
  /// `nil` when it does not expire.
  public var expiresAt: Timestamp?
}

/// What a proxy target means here.
public struct ResolvedTarget: Sendable, Hashable {
  public var integration: IntegrationName
  public var connection: ConnectionID
  /// A name from the definition's `hosts`; the base URL when `nil`.
  public var host: String?
}
