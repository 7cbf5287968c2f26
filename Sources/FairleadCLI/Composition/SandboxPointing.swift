import Fairlead
import FairleadSandbox

extension FairleadConfiguration {
  /// Points every integration at the simulators, and switches on those that have no variables, with
  /// the simulators' own credentials.
  mutating func pointAtSandbox(_ url: String) throws {
    guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
      throw FairleadError(
        .configurationError,
        "--sandbox takes the simulators' URL, such as http://127.0.0.1:8090.")
    }
    let base = url.hasSuffix("/") ? String(url.dropLast()) : url
    let credentials = Sandbox.credentials
    var slack = IntegrationSettings(name: "slack", provider: "slack")
    slack.clientID = credentials.slackClientID
    slack.clientSecret = Secret(credentials.slackClientSecret)
    slack.webhookSecrets = [Secret(credentials.slackSigningSecret)]
    var stripe = IntegrationSettings(name: "stripe", provider: "stripe")
    stripe.apiKey = Secret(credentials.stripeSecretKey)
    stripe.webhookSecrets = [Secret(credentials.stripeWebhookSecret)]
    var openAI = IntegrationSettings(name: "openai", provider: "openai")
    openAI.apiKey = Secret(credentials.openAIAPIKey)
    openAI.webhookSecrets = [Secret(credentials.openAIWebhookSecret)]
    var google = IntegrationSettings(name: "google", provider: "google")
    google.clientID = credentials.googleClientID
    google.clientSecret = Secret(credentials.googleClientSecret)
    var github = IntegrationSettings(name: "github", provider: "github")
    github.clientID = credentials.githubClientID
    github.clientSecret = Secret(credentials.githubClientSecret)
    github.webhookSecrets = [Secret(credentials.githubWebhookSecret)]
    var clerk = IntegrationSettings(name: "clerk", provider: "clerk")
    clerk.apiKey = Secret(credentials.clerkSecretKey)
    clerk.webhookSecrets = [Secret(credentials.clerkWebhookSecret)]
    // The simulator's issuer is the URL it is reached at.
    let issuer = TokenIssuer("\(base)/clerk")
    if !tokenIssuers.contains(where: { $0.issuer == issuer.issuer }) { tokenIssuers.append(issuer) }
    for settings in [slack, stripe, openAI, google, github, clerk] {
      guard let index = integrations.firstIndex(where: { $0.name == settings.name }) else {
        integrations.append(settings)
        continue
      }
      guard integrations[index].provider == settings.provider else { continue }
      integrations[index].fillCredentials(from: settings)
    }
    for index in integrations.indices {
      integrations[index].baseURL = "\(base)/\(integrations[index].provider)"
    }
    // The simulators run on this machine or a private network.
    allowPrivateNetworks = true
  }
}

extension IntegrationSettings {
  /// Takes what is missing, for an integration that is named only to set something else.
  fileprivate mutating func fillCredentials(from other: IntegrationSettings) {
    clientID = clientID ?? other.clientID
    clientSecret = clientSecret ?? other.clientSecret
    apiKey = apiKey ?? other.apiKey
    if webhookSecrets.isEmpty { webhookSecrets = other.webhookSecrets }
  }
}
