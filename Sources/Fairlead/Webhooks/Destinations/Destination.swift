/// A URL that events are forwarded to.
public struct Destination: Sendable, Hashable {
  public enum State: String, Sendable, Hashable, Codable, CaseIterable {
    case active
    /// Switched off by its owner: events pass it by.
    case paused
    /// Switched off by us, see `stateReason`.
    case disabled
  }

  public var id: DestinationID
  public var url: String
  /// Events of these integrations only; of all when empty.
  public var integrations: [IntegrationName]
  /// Event types wanted: exact, `invoice.*` or `*`; all when empty.
  public var types: [String]
  /// Only events that belong to this owner; of all when `nil`.
  public var owner: Owner?
  public var state: State
  public var stateReason: String?
  /// It comes from the configuration and can be changed only there.
  public var isConfigured: Bool
  public var createdAt: Timestamp

  /// Whether an event goes there.
  func wants(_ type: String, from integration: IntegrationName, owner: Owner?) -> Bool {
    state == .active
      && (integrations.isEmpty || integrations.contains(integration))
      && (types.isEmpty || types.contains { EventTypePattern($0).matches(type) })
      && (self.owner == nil || self.owner == owner)
  }
}

extension Destination: Encodable {
  private enum CodingKeys: String, CodingKey {
    case id, url, integrations, types, owner, state
    case stateReason = "state_reason"
    case isConfigured = "configured"
    case createdAt = "created_at"
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(url, forKey: .url)
    if !integrations.isEmpty { try container.encode(integrations, forKey: .integrations) }
    if !types.isEmpty { try container.encode(types, forKey: .types) }
    try container.encodeIfPresent(owner, forKey: .owner)
    try container.encode(state, forKey: .state)
    try container.encodeIfPresent(stateReason, forKey: .stateReason)
    try container.encode(isConfigured, forKey: .isConfigured)
    try container.encode(createdAt, forKey: .createdAt)
  }
}

/// What a new destination is to be.
public struct NewDestination: Sendable {
  public var url: String
  public var integrations: [IntegrationName]
  public var types: [String]
  public var owner: Owner?

  public init(
    url: String, integrations: [IntegrationName] = [], types: [String] = [], owner: Owner? = nil
  ) {
    self.url = url
    self.integrations = integrations
    self.types = types
    self.owner = owner
  }
}

/// A destination with its signing secret, which is shown this once.
public struct CreatedDestination: Sendable {
  public var destination: Destination
  /// `whsec_` and base64 of 32 bytes.
  public var secret: Secret
}

/// What to change of a destination; `nil` leaves a part as it is.
public struct DestinationChange: Sendable {
  public var url: String?
  public var integrations: [IntegrationName]?
  public var types: [String]?
  /// `active` or `paused`. `active` also switches a disabled destination on again.
  public var state: Destination.State?

  public init(
    url: String? = nil, integrations: [IntegrationName]? = nil, types: [String]? = nil,
    state: Destination.State? = nil
  ) {
    self.url = url
    self.integrations = integrations
    self.types = types
    self.state = state
  }
}

/// A destination of the configuration file, with its secret.
public struct ConfiguredDestination: Sendable {
  public var destination: NewDestination
  /// `whsec_` and base64 of 24 bytes or more.
  public var secret: Secret

  public init(_ destination: NewDestination, secret: Secret) {
    self.destination = destination
    self.secret = secret
  }
}
