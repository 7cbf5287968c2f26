/// One watch that a provider keeps for us.
struct PushChannel: Sendable, Hashable {
  enum State: String, Sendable, Hashable {
    /// Asked for; whether the provider has it is not known yet.
    case opening
    case open
    /// Given up by us. Messages that still come are ours, and change nothing.
    case closed
  }

  /// The channel's id at the provider too.
  var id: String
  var place: WatchPlace
  var owner: Owner?
  var state: State
  /// What the provider calls the thing that is watched; `nil` until it says so.
  var resource: String?
  var openedAt: Timestamp
  var expiresAt: Timestamp
}

/// What is watched: one model of one connection.
struct WatchPlace: Sendable, Hashable {
  var integration: IntegrationName
  var connection: ConnectionID
  var model: String
}

/// A model whose changes a provider can announce, and is to.
public struct WatchedModel: Sendable, Hashable {
  public var integration: IntegrationName
  public var connection: ConnectionID
  public var owner: Owner?
  public var model: String

  public init(
    integration: IntegrationName, connection: ConnectionID, owner: Owner?, model: String
  ) {
    self.integration = integration
    self.connection = connection
    self.owner = owner
    self.model = model
  }

  var place: WatchPlace {
    WatchPlace(integration: integration, connection: connection, model: model)
  }
}

extension SyncRow {
  var place: WatchPlace {
    WatchPlace(integration: integration, connection: connection, model: model)
  }
}
