/// One owner's authorised account at one integration, without its credential.
public struct Connection: Sendable, Hashable {
  public enum State: String, Sendable, Hashable, Codable {
    case active
    /// The grant is dead; the owner has to connect again.
    case needsReauth = "needs_reauth"
    /// Ended by the provider or in bulk.
    case revoked
  }

  public var id: ConnectionID
  public var integration: IntegrationName
  /// `nil` for a deployment-wide connection.
  public var owner: Owner?
  public var ownerLabel: String?
  public var state: State
  /// What was granted, not what was asked for.
  public var scopes: [String]
  /// Values for the definition's `params`.
  public var params: [String: String]
  /// Whose account it is at the provider: `id` and `label` from the definition's `verify`.
  public var identity: [String: String]
  public var expiresAt: Timestamp?
  public var createdAt: Timestamp
  public var lastRefreshedAt: Timestamp?
  /// Grows with every write of the credential; what a refresh compares and swaps on.
  public var version: Int64
  /// Why it is not `active`, for people.
  public var error: String?

  public init(
    id: ConnectionID, integration: IntegrationName, owner: Owner?, ownerLabel: String? = nil,
    state: State = .active, scopes: [String] = [], params: [String: String] = [:],
    identity: [String: String] = [:], expiresAt: Timestamp? = nil, createdAt: Timestamp,
    lastRefreshedAt: Timestamp? = nil, version: Int64 = 1, error: String? = nil
  ) {
    self.id = id
    self.integration = integration
    self.owner = owner
    self.ownerLabel = ownerLabel
    self.state = state
    self.scopes = scopes
    self.params = params
    self.identity = identity
    self.expiresAt = expiresAt
    self.createdAt = createdAt
    self.lastRefreshedAt = lastRefreshedAt
    self.version = version
    self.error = error
  }

  /// The id of an integration's deployment-wide connection.
  public static func defaultID(for integration: IntegrationName) -> ConnectionID {
    ConnectionID(rawValue: "conn_default_\(integration.rawValue)")
  }

  public var isDefault: Bool { id == Self.defaultID(for: integration) }
}
