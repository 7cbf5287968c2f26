/// What a deployment decides, apart from its integrations.
public struct Settings: Sendable {
  /// Where people and providers reach this deployment, without a slash at the end.
  public var publicURL: String
  /// Opens everything under `/v1` and the dashboard; `nil` turns both off for it.
  public var adminKey: Secret?
  /// Origins a connect link may send the browser back to, besides the public URL's own.
  public var connectRedirectOrigins: [String]
  /// Whether calls and deliveries may go to private addresses, for tests and intranets.
  public var allowPrivateNetworks: Bool
  /// Whose session tokens tell who an end user is; without any, `/v1/me` is closed.
  public var tokenIssuers: [TokenIssuer]
  /// How long payloads of events are kept.
  public var eventPayloadRetention: Duration
  /// How long ids of events are kept, so that a late duplicate is still recognised.
  public var eventIDRetention: Duration
  /// How long the call log is kept.
  public var requestRetention: Duration
  /// What the deployment decides about syncs.
  public var syncs: SyncSettings
  /// When to raise an alert, and whom to tell.
  public var alerts = AlertSettings()

  public init(
    publicURL: String = "http://localhost:8080", adminKey: Secret? = nil,
    connectRedirectOrigins: [String] = [], allowPrivateNetworks: Bool = false,
    tokenIssuers: [TokenIssuer] = [],
    eventPayloadRetention: Duration = .seconds(30 * 86_400),
    eventIDRetention: Duration = .seconds(90 * 86_400),
    requestRetention: Duration = .seconds(14 * 86_400), syncs: SyncSettings = SyncSettings()
  ) {
    self.publicURL = publicURL
    // An empty key would let an empty form in.
    self.adminKey = adminKey.flatMap { $0.isEmpty ? nil : $0 }
    self.connectRedirectOrigins = connectRedirectOrigins
    self.allowPrivateNetworks = allowPrivateNetworks
    self.tokenIssuers = tokenIssuers
    self.eventPayloadRetention = eventPayloadRetention
    self.eventIDRetention = eventIDRetention
    self.requestRetention = requestRetention
    self.syncs = syncs
  }
}
