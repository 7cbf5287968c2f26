/// One received webhook, as lists show it. Its payload is read apart, see `EventDetail`.
public struct Event: Sendable, Hashable {
  public enum Status: String, Sendable, Hashable, Codable, CaseIterable {
    /// Stored; not yet given to its handlers.
    case received
    /// On its way to its handlers.
    case processing
    /// Every handler has it. Also when there is none.
    case processed
    /// A handler failed and will be tried again.
    case failed
    /// A handler was given up, or the body could not be read.
    case dead
    /// Another body came under an id that was already used: kept, not processed.
    case quarantined
  }

  public var id: EventID
  public var integration: IntegrationName
  /// The provider's own id of the event, where it sends one.
  public var providerEventID: String?
  /// `unknown` where the event does not say.
  public var type: String
  public var owner: Owner?
  public var connection: ConnectionID?
  public var receivedAt: Timestamp
  public var status: Status
  /// Attempts at handling it, over all its deliveries.
  public var attempts: Int
  /// How many more times it was received.
  public var duplicates: Int
  /// It was found by reconciliation, its webhook having been lost.
  public var recovered: Bool
  /// Why it is `failed`, `dead` or `quarantined`.
  public var error: String?
}

extension Event: Encodable {
  private enum CodingKeys: String, CodingKey {
    case id, integration, type, owner, connection, status, attempts, duplicates, recovered, error
    case providerEventID = "provider_event_id"
    case receivedAt = "received_at"
  }

  /// The shape of one item of `GET /v1/events`; what is unknown is `null`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(integration, forKey: .integration)
    try container.encode(providerEventID, forKey: .providerEventID)
    try container.encode(type, forKey: .type)
    try container.encode(owner, forKey: .owner)
    try container.encode(connection, forKey: .connection)
    try container.encode(receivedAt, forKey: .receivedAt)
    try container.encode(status, forKey: .status)
    try container.encode(attempts, forKey: .attempts)
    try container.encode(duplicates, forKey: .duplicates)
    try container.encode(recovered, forKey: .recovered)
    try container.encodeIfPresent(error, forKey: .error)
  }
}

/// One event with everything that is kept of it.
public struct EventDetail: Sendable {
  public var event: Event
  /// As received, in order; credentials and signatures are not kept and read `[redacted]`.
  public var headers: [EventHeader]
  /// The body exactly as received; `nil` once its retention has passed.
  public var payload: [UInt8]?
  /// In the order they were made; those of replays included.
  public var deliveries: [Delivery]
}

public struct EventHeader: Sendable, Hashable, Codable {
  public var name: String
  public var value: String
}

/// Which events a list holds. Empty parts match everything.
public struct EventFilter: Sendable {
  public var integration: IntegrationName?
  /// An exact type.
  public var type: String?
  public var status: Event.Status?
  public var owner: Owner?
  public var connection: ConnectionID?

  public init(
    integration: IntegrationName? = nil, type: String? = nil, status: Event.Status? = nil,
    owner: Owner? = nil, connection: ConnectionID? = nil
  ) {
    self.integration = integration
    self.type = type
    self.status = status
    self.owner = owner
    self.connection = connection
  }
}
