/// The keys of `fairlead.yaml`, mapping by mapping; docs/configuration.md describes each of them.
enum ConfigurationKey: String, YAMLKeySet {
  case server, database, definitions, integrations, destinations, connect, cors, retention, syncs
  case alerts, jwt
}

enum ServerKey: String, YAMLKeySet {
  case host, port
  case publicURL = "public_url"
  case trustedProxies = "trusted_proxies"
}

enum IntegrationKey: String, YAMLKeySet {
  case provider, scopes, plan, fallback
  case clientID = "client_id"
  case clientSecret = "client_secret"
  case webhookSecrets = "webhook_secrets"
  case baseURL = "base_url"
  case apiKey = "api_key"
}

enum DestinationKey: String, YAMLKeySet { case url, secret, types, integrations }
enum ConnectKey: String, YAMLKeySet { case redirectOrigins = "redirect_origins" }
enum CORSKey: String, YAMLKeySet { case origins }

enum JWTKey: String, YAMLKeySet { case issuers }

enum JWTIssuerKey: String, YAMLKeySet {
  case issuer, audience
  case keySetURL = "jwks_url"
  case authorizedParties = "authorized_parties"
  case acceptPending = "accept_pending"
}

enum RetentionKey: String, YAMLKeySet {
  case requests, alerts
  case eventPayloads = "event_payloads"
  case eventIDs = "event_ids"
  case deletedRecords = "deleted_records"
}

enum ConfigurationFormat {
  /// Every key with its dotted path.
  static let keys: [String] =
    paths("", ConfigurationKey.self) + paths("server.", ServerKey.self)
    + paths("integrations.NAME.", IntegrationKey.self)
    + paths("integrations.NAME.fallback.", FallbackKey.self)
    + paths("destinations[].", DestinationKey.self) + paths("connect.", ConnectKey.self)
    + paths("cors.", CORSKey.self) + paths("retention.", RetentionKey.self)
    + paths("syncs.INTEGRATION.MODEL.", SyncOverrideKey.self)
    + alertKeys
    + paths("jwt.", JWTKey.self) + paths("jwt.issuers[].", JWTIssuerKey.self)

  static func paths<Key: YAMLKeySet>(_ prefix: String, _ keys: Key.Type) -> [String] {
    Key.allCases.map { prefix + $0.rawValue }
  }
}
