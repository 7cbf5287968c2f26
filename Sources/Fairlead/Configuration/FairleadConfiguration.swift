public import Logging

/// How a deployment is set up: from the environment, else from `.env` and `.dev.vars`, else from
/// `fairlead.yaml`. docs/configuration.md has the page for users.
///
/// Every value is validated. Secrets are held as `Secret`, so printing a configuration is safe.
public struct FairleadConfiguration: Sendable {
  public var host = "127.0.0.1"
  /// 0 lets the system choose a free port.
  public var port = 8080
  /// The origin at which browsers and providers reach this server; `nil` when it is not set.
  public var publicURL: String?
  /// Addresses and networks whose `X-Forwarded-*` is believed.
  public var trustedProxies: [String] = []
  public var database: DatabaseLocation = .sqlite(path: "fairlead.db")
  /// `id:base64,id:base64`; parsed by the vault.
  public var vaultKeys: Secret?
  public var vaultKeyFile: String?
  public var adminKey: Secret?
  public var corsOrigins: [String] = []
  public var allowPrivateNetworks = false
  public var logLevel: Logger.Level = .info
  /// A folder of definitions that are added to the catalog.
  public var definitionsFolder: String?
  /// In the order of their names.
  public var integrations: [IntegrationSettings] = []
  public var destinations: [DestinationSettings] = []
  /// Where a connect session may end, beside this server's own pages.
  public var connectRedirectOrigins: [String] = []
  /// Whose session tokens open `/v1/me`.
  public var tokenIssuers: [TokenIssuer] = []
  public var retention = RetentionSettings()
  public var syncs = SyncSettings()
  /// Its retention is in `retention`.
  public var alerts = AlertSettings()
  /// What is set but has no effect here, in words for the log and for `doctor`.
  public var notices: [String] = []

  public init() {}

  /// The origin that links and redirect URLs are made from.
  /// - Parameter boundPort: the port the server got, which differs from `port` where that is 0.
  public func publicURL(boundPort: Int) -> String {
    publicURL ?? "http://localhost:\(boundPort)"
  }
}

public enum DatabaseLocation: Sendable, Equatable {
  /// A file, or `:memory:`.
  case sqlite(path: String)
  case postgres(url: Secret)
}

/// An integration as it is configured, before its definition is looked up.
public struct IntegrationSettings: Sendable {
  public var name: IntegrationName
  /// The name of its definition.
  public var provider: String
  public var clientID: String?
  public var clientSecret: Secret?
  public var scopes: [String]?
  public var plan: String?
  public var webhookSecrets: [Secret] = []
  public var baseURL: String?
  /// The deployment's own key, for the default connection.
  public var apiKey: Secret?
  public var fallback: FallbackOverride?
  /// Where it was set, for messages: `fairlead.yaml:12: integrations.acme`.
  var place: String
  /// How messages show `provider` and `plan`, which may come from variables.
  var shownProvider: String?
  var shownPlan: String?

  public init(name: IntegrationName, provider: String) {
    self.name = name
    self.provider = provider
    place = "integration \(name)"
  }
}

/// Where events are forwarded to.
public struct DestinationSettings: Sendable {
  public var url: String
  /// Signs the deliveries.
  public var secret: Secret
  /// Event types, `invoice.*` and `*` among them; every type when empty.
  public var types: [String]
  /// Every integration when `nil`.
  public var integrations: [IntegrationName]?

  public init(
    url: String, secret: Secret, types: [String] = [], integrations: [IntegrationName]? = nil
  ) {
    self.url = url
    self.secret = secret
    self.types = types
    self.integrations = integrations
  }
}

/// How long rows are kept.
public struct RetentionSettings: Sendable, Equatable {
  public var eventPayloads: Duration = .seconds(30 * 86_400)
  /// Dedupe works this far back; at least 3 days, the longest a provider repeats a delivery.
  public var eventIDs: Duration = .seconds(90 * 86_400)
  public var requests: Duration = .seconds(14 * 86_400)
  public var alerts: Duration = .seconds(90 * 86_400)

  public init() {}
}
