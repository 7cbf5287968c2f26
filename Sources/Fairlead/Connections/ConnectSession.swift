/// A connect link that is to be made.
public struct NewConnectSession: Sendable {
  public var owner: Owner
  /// What people call the owner; the page says for whom it connects.
  public var ownerLabel: String?
  /// The only integration the link is for; any when `nil`.
  public var integration: IntegrationName?
  /// Where the browser goes afterwards; of a listed origin.
  public var redirect: String?

  public init(
    owner: Owner, ownerLabel: String? = nil, integration: IntegrationName? = nil,
    redirect: String? = nil
  ) {
    self.owner = owner
    self.ownerLabel = ownerLabel
    self.integration = integration
    self.redirect = redirect
  }
}

/// A connect link. Whoever has it can connect one account for the owner, once.
public struct ConnectSession: Sendable, Hashable {
  public var url: String
  public var expiresAt: Timestamp
}

/// What the hosted page shows.
public struct ConnectSessionInfo: Sendable {
  public var owner: Owner
  public var ownerLabel: String?
  /// What can be connected, in the order of the names.
  public var choices: [ConnectChoice]
  public var redirect: String?
  public var expiresAt: Timestamp
}

/// One integration on the hosted page.
public struct ConnectChoice: Sendable {
  public enum Method: Sendable, Hashable {
    /// At the provider, by `ConnectFlow.begin`.
    case signIn
    /// With a form, by `ConnectFlow.connectWithKey`.
    case apiKey
    case basic
  }

  public var integration: IntegrationName
  public var displayName: String
  public var purpose: String
  public var method: Method
  /// What a person has to fill in first.
  public var params: [String: ProviderDefinition.Parameter]
  /// The owner's connections there, newest first, five at most.
  public var connections: [Connection]
}

/// How an attempt to connect ended.
public struct ConnectOutcome: Sendable {
  public enum Status: String, Sendable { case success, denied, failed }

  public var status: Status
  /// Where to send the browser, with `integration` and `status` in its query; `nil` when the link
  /// named no place, so that our own page says how it went.
  public var redirect: String?
  public var connection: Connection?
  /// For people.
  public var message: String
}
