extension Integration {
  /// An integration of a definition that comes with Fairlead.
  /// - Throws: `FairleadError` (`configurationError`) when the catalog has no such definition.
  public static func catalog(_ name: String) throws -> Integration {
    guard let definition = try DefinitionLoader.catalog().first(where: { $0.name == name }) else {
      throw FairleadError(.configurationError, "The catalog has no definition named \(name).")
    }
    return Integration(name: IntegrationName(name), definition: definition)
  }

  /// Slack, for accounts that owners connect.
  /// - Parameter signingSecret: verifies Slack's webhooks; without one they are refused.
  public static func slack(
    clientID: String, clientSecret: Secret, signingSecret: Secret? = nil, scopes: [String]? = nil
  ) throws -> Integration {
    var slack = try catalog("slack")
    slack.clientID = clientID
    slack.clientSecret = clientSecret
    slack.scopes = scopes
    slack.webhookSecrets = signingSecret.map { [$0] } ?? []
    return slack
  }

  /// Google, for accounts that owners connect: calendars by default, more with `scopes`.
  public static func google(
    clientID: String, clientSecret: Secret, scopes: [String]? = nil
  ) throws -> Integration {
    var google = try catalog("google")
    google.clientID = clientID
    google.clientSecret = clientSecret
    google.scopes = scopes
    return google
  }

  /// Stripe, with the deployment's own key.
  /// - Parameter webhookSecret: verifies Stripe's webhooks; without one they are refused.
  public static func stripe(secretKey: Secret, webhookSecret: Secret? = nil) throws -> Integration {
    var stripe = try catalog("stripe")
    stripe.defaultCredential = .apiKey(key: secretKey, secret: nil)
    stripe.webhookSecrets = webhookSecret.map { [$0] } ?? []
    return stripe
  }

  /// GitHub, for accounts that owners connect.
  /// - Parameter webhookSecret: verifies GitHub's webhooks; without one they are refused.
  public static func github(
    clientID: String, clientSecret: Secret, webhookSecret: Secret? = nil, scopes: [String]? = nil
  ) throws -> Integration {
    var github = try catalog("github")
    github.clientID = clientID
    github.clientSecret = clientSecret
    github.scopes = scopes
    github.webhookSecrets = webhookSecret.map { [$0] } ?? []
    return github
  }

  /// Clerk, with the deployment's own key.
  ///
  /// Session tokens are another matter: name the instance in `Settings.tokenIssuers`, with
  /// `TokenIssuer.clerk(publishableKey:)` for example.
  /// - Parameter webhookSecret: verifies Clerk's webhooks; without one they are refused.
  public static func clerk(secretKey: Secret, webhookSecret: Secret? = nil) throws -> Integration {
    var clerk = try catalog("clerk")
    clerk.defaultCredential = .apiKey(key: secretKey, secret: nil)
    clerk.webhookSecrets = webhookSecret.map { [$0] } ?? []
    return clerk
  }

  /// OpenAI, with the deployment's own key.
  public static func openAI(apiKey: Secret) throws -> Integration {
    var openAI = try catalog("openai")
    openAI.defaultCredential = .apiKey(key: apiKey, secret: nil)
    return openAI
  }
}
