/// A provider as configured in this deployment.
public struct Integration: Sendable {
  public var name: IntegrationName
  public var definition: ProviderDefinition
  public var clientID: String?
  public var clientSecret: Secret?
  /// Replaces the definition's default scopes.
  public var scopes: [String]?
  public var plan: String?
  /// Replaces the definition's origin: the sandbox, a proxy, a test server. With a path prefix the
  /// prefix goes before the provider's own paths. It applies to the named hosts and to the OAuth
  /// endpoints too (their own host is replaced, their path kept).
  public var baseURL: String?
  /// Active signing secrets, newest first; any of them verifies.
  public var webhookSecrets: [Secret]
  /// Deployment-wide credentials (`STRIPE_SECRET_KEY`): the connection `conn_default_{integration}`.
  public var defaultCredential: Credential?
  /// Laid over the definition's fallback; `nil` leaves it as it is.
  public var fallback: FallbackOverride?

  public init(
    name: IntegrationName, definition: ProviderDefinition, clientID: String? = nil,
    clientSecret: Secret? = nil, scopes: [String]? = nil, plan: String? = nil,
    baseURL: String? = nil, webhookSecrets: [Secret] = [], defaultCredential: Credential? = nil
  ) {
    self.name = name
    self.definition = definition
    self.clientID = clientID
    self.clientSecret = clientSecret
    self.scopes = scopes
    self.plan = plan
    self.baseURL = baseURL
    self.webhookSecrets = webhookSecrets
    self.defaultCredential = defaultCredential
  }

  /// The limits in force: the plan's, else the definition's.
  public var limits: [ProviderDefinition.Limit] {
    plan.flatMap { definition.plans[$0] } ?? definition.limits
  }
}

extension Integration {
  /// An origin of this integration, with its path prefix where the base URL was replaced.
  /// - Parameters:
  ///   - host: a name from the definition's `hosts`; the base URL when `nil`.
  ///   - params: the connection's values for `{param}` placeholders, already validated.
  /// - Throws: `FairleadError` (`notFound`) for an unknown host name, (`configurationError`) for a
  ///   placeholder without a value.
  public func origin(host: String? = nil, params: [String: String] = [:]) throws -> String {
    var template = definition.baseURL
    if let host {
      guard let named = definition.hosts[host] else {
        throw FairleadError(
          .notFound, "\(definition.displayName) has no host named \(host).", integration: name)
      }
      template = named
    }
    if let baseURL { template = baseURL }
    for (param, value) in params {
      template = template.replacing("{\(param)}", with: value)
    }
    if let open = template.firstIndex(of: "{") {
      let missing = template[open...].prefix { $0 != "}" }.dropFirst()
      throw FairleadError(
        .configurationError,
        "This connection to \(definition.displayName) lacks its \(missing). Connect it again.",
        integration: name)
    }
    return template
  }

  /// An OAuth endpoint of the definition, moved to the replaced base URL where there is one.
  public func endpoint(_ url: String) -> String {
    guard let baseURL else { return url }
    guard let scheme = url.firstRange(of: "://") else { return url }
    let path = url[scheme.upperBound...].drop { $0 != "/" }
    return baseURL + path
  }
}
