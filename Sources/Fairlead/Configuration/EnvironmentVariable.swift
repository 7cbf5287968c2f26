import Configuration

/// The variables Fairlead reads. What begins with `FAIRLEAD_` and is not here is an error.
enum EnvironmentVariable: String, CaseIterable {
  case database = "FAIRLEAD_DATABASE"
  case vaultKeys = "FAIRLEAD_VAULT_KEYS"
  case vaultKeyFile = "FAIRLEAD_VAULT_KEY_FILE"
  case adminKey = "FAIRLEAD_ADMIN_KEY"
  case publicURL = "FAIRLEAD_PUBLIC_URL"
  case host = "FAIRLEAD_HOST"
  case port = "FAIRLEAD_PORT"
  case corsOrigins = "FAIRLEAD_CORS_ORIGINS"
  case allowPrivateNetworks = "FAIRLEAD_ALLOW_PRIVATE_NETWORKS"
  case logLevel = "FAIRLEAD_LOG_LEVEL"
  case slackClientID = "SLACK_CLIENT_ID"
  case slackClientSecret = "SLACK_CLIENT_SECRET"
  case slackSigningSecret = "SLACK_SIGNING_SECRET"
  case stripeSecretKey = "STRIPE_SECRET_KEY"
  case stripeWebhookSecret = "STRIPE_WEBHOOK_SECRET"
  case openAIKey = "OPENAI_API_KEY"
  case googleClientID = "GOOGLE_CLIENT_ID"
  case googleClientSecret = "GOOGLE_CLIENT_SECRET"
  case githubClientID = "GITHUB_CLIENT_ID"
  case githubClientSecret = "GITHUB_CLIENT_SECRET"
  case githubWebhookSecret = "GITHUB_WEBHOOK_SECRET"
  case clerkSecretKey = "CLERK_SECRET_KEY"
  case clerkWebhookSecret = "CLERK_WEBHOOK_SECRET"
  case clerkPublishableKey = "CLERK_PUBLISHABLE_KEY"
  case clerkIssuer = "CLERK_ISSUER"

  /// The environment of the scripts around the server; it means nothing to the server itself.
  static let ofScripts: Set<String> = [
    "FAIRLEAD_BINARY", "FAIRLEAD_BUILD", "FAIRLEAD_CHROMIUM", "FAIRLEAD_SOAK_MINUTES",
    "FAIRLEAD_STRICT", "FAIRLEAD_TEST_ENGINE", "FAIRLEAD_TEST_POSTGRES",
  ]

  var isSecret: Bool {
    switch self {
    case .vaultKeys, .adminKey, .slackClientSecret, .slackSigningSecret, .stripeSecretKey,
      .stripeWebhookSecret, .openAIKey, .googleClientSecret, .githubClientSecret,
      .githubWebhookSecret, .clerkSecretKey, .clerkWebhookSecret, .database:
      true
    default: false
    }
  }

  /// The key under which a `ConfigReader` finds the variable.
  var key: ConfigKey { ConfigKey(rawValue.lowercased().split(separator: "_").map(String.init)) }

  static let secretNames = Set(allCases.filter(\.isSecret).map(\.rawValue))
}
