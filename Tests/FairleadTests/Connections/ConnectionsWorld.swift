import Fairlead
import FairleadTesting
import Logging

/// What the suites of this folder share: a few providers, and nodes on one database.
struct ConnectionsWorld {
  let database: any Database
  let clock: any FairleadClock
  let provider = FakeProvider()
  let random = RandomSource(seed: 7)
  let vault: Vault
  let integrations: IntegrationRegistry

  init(
    _ database: any Database, clock: any FairleadClock = ManualClock(),
    integrations: [Integration] = [.acme, .keyed, .standing, .plain]
  ) throws {
    self.database = database
    self.clock = clock
    self.integrations = IntegrationRegistry(integrations)
    vault = Vault(keyRing: try KeyRing(parsing: Secret(try KeyRing.generate(id: "k1"))))
    provider.on("acme.example/me") { _ in .json(["id": "A1", "name": "Acme Inc"]) }
    provider.on("keyed.example/account") { _ in .json(["id": "K1"]) }
  }

  /// A node: several may share the database.
  func node(clock other: (any FairleadClock)? = nil) -> Connections {
    Connections(
      database: database, vault: vault, integrations: integrations, transport: provider,
      clock: other ?? clock, random: random, logger: Logger(label: "test"))
  }

  func flow(_ connections: Connections) -> ConnectFlow {
    ConnectFlow(
      connections: connections, database: database, vault: vault, integrations: integrations,
      transport: provider, clock: clock, random: random, publicURL: "https://fairlead.example",
      redirectOrigins: ["https://app.example"], logger: Logger(label: "test"))
  }

  /// A connection to acme whose token lasts `lifetime` from now.
  func connect(
    _ connections: Connections, owner: Owner = "u1", access: String = "access-1",
    refresh: String? = "refresh-1", lifetime: Duration? = .seconds(3_600)
  ) async throws -> Connection {
    let now = clock.now
    return try await connections.create(
      NewConnection(
        integration: "acme", owner: owner,
        credential: .oauth2(
          Credential.OAuth2(
            accessToken: Secret(access), refreshToken: refresh.map { Secret($0) },
            expiresAt: lifetime.map { now + $0 }, issuedAt: now))))
  }
}

extension Credential {
  var accessText: String? { field("access_token")?.expose() }
  var refreshText: String? {
    if case .oauth2(let tokens) = self { tokens.refreshToken?.expose() } else { nil }
  }
}

extension Integration {
  /// OAuth with rotation, PKCE and a verification call.
  static var acme: Integration { acme() }

  static func acme(
    _ change: (inout ProviderDefinition.OAuth2) -> Void = { _ in }
  ) -> Integration {
    var oauth = ProviderDefinition.OAuth2(
      authorizeURL: "https://acme.example/oauth/authorize",
      tokenURL: "https://acme.example/oauth/token")
    oauth.revokeURL = "https://acme.example/oauth/revoke"
    oauth.defaultScopes = ["read", "write"]
    oauth.clientAuth = .basic
    oauth.refreshRotates = true
    change(&oauth)
    var definition = ProviderDefinition(
      name: "acme", displayName: "Acme", purpose: "Orders", baseURL: "https://acme.example",
      auth: .oauth2Code(oauth))
    definition.hosts = ["files": "https://files.acme.example"]
    var verify = ProviderDefinition.Verification(path: "/me")
    verify.identityID = "id"
    verify.identityLabel = "name"
    definition.verify = verify
    return Integration(
      name: "acme", definition: definition, clientID: "client", clientSecret: Secret("s3cret/1"))
  }

  /// An API key, a parameter and a verification call.
  static var keyed: Integration {
    var definition = ProviderDefinition(
      name: "keyed", displayName: "Keyed", purpose: "Numbers",
      baseURL: "https://{shop}.keyed.example", auth: .apiKey)
    definition.params = ["shop": .init(pattern: "[a-z0-9-]{1,40}", label: "Shop name")]
    definition.apply = .header(name: "x-key", value: "k {api_key}")
    var verify = ProviderDefinition.Verification(path: "/account")
    verify.identityID = "id"
    definition.verify = verify
    return Integration(name: "keyed", definition: definition)
  }

  /// A key for the whole deployment.
  static var standing: Integration {
    Integration(
      name: "standing",
      definition: ProviderDefinition(
        name: "standing", displayName: "Standing", purpose: "Payments",
        baseURL: "https://standing.example", auth: .apiKey),
      defaultCredential: .apiKey(key: Secret("sk_default"), secret: nil))
  }

  /// No credentials, no verification.
  static var plain: Integration {
    Integration(
      name: "plain",
      definition: ProviderDefinition(
        name: "plain", displayName: "Plain", purpose: "Weather",
        baseURL: "https://plain.example", auth: .none))
  }
}
