/// Which entries of the call log are wanted; every field that is set must match.
public struct CallLogFilter: Sendable {
  public var integration: IntegrationName?
  public var connection: ConnectionID?
  public var owner: Owner?
  /// The first digit of the provider's status, 1 to 5.
  public var statusClass: Int?
  public var errorCode: ErrorCode?
  public var outcome: HealthOutcome?
  /// Started at this time or later.
  public var since: Timestamp?

  public init(
    integration: IntegrationName? = nil, connection: ConnectionID? = nil, owner: Owner? = nil,
    statusClass: Int? = nil, errorCode: ErrorCode? = nil, outcome: HealthOutcome? = nil,
    since: Timestamp? = nil
  ) {
    self.integration = integration
    self.connection = connection
    self.owner = owner
    self.statusClass = statusClass
    self.errorCode = errorCode
    self.outcome = outcome
    self.since = since
  }
}
