/// An integration of the catalog that switches itself on when its variables are there.
struct BuiltInIntegration {
  let name: IntegrationName
  var clientID: EnvironmentVariable?
  var clientSecret: EnvironmentVariable?
  var apiKey: EnvironmentVariable?
  var webhookSecrets: EnvironmentVariable?

  static let all = [
    BuiltInIntegration(
      name: "clerk", apiKey: .clerkSecretKey, webhookSecrets: .clerkWebhookSecret),
    BuiltInIntegration(
      name: "github", clientID: .githubClientID, clientSecret: .githubClientSecret,
      webhookSecrets: .githubWebhookSecret),
    BuiltInIntegration(
      name: "google", clientID: .googleClientID, clientSecret: .googleClientSecret),
    BuiltInIntegration(name: "openai", apiKey: .openAIKey),
    BuiltInIntegration(
      name: "slack", clientID: .slackClientID, clientSecret: .slackClientSecret,
      webhookSecrets: .slackSigningSecret),
    BuiltInIntegration(
      name: "stripe", apiKey: .stripeSecretKey, webhookSecrets: .stripeWebhookSecret),
  ]

  private var variables: [EnvironmentVariable] {
    [clientID, clientSecret, apiKey, webhookSecrets].compactMap(\.self)
  }

  /// The integration with what the environment says laid over what `fairlead.yaml` says; `nil` when
  /// neither names it.
  func settings(
    over file: IntegrationSettings?, environment: EnvironmentLayers
  ) -> IntegrationSettings? {
    let set = variables.filter { environment.isSet($0) }
    guard !set.isEmpty else { return file }
    var settings = file ?? IntegrationSettings(name: name, provider: name.rawValue)
    if file == nil { settings.place = set[0].rawValue }
    if let value = clientID.flatMap({ environment.value($0, SettingRules.text) }) {
      settings.clientID = value
    }
    if let value = clientSecret.flatMap({ environment.value($0, SettingRules.secret) }) {
      settings.clientSecret = value
    }
    if let value = apiKey.flatMap({ environment.value($0, SettingRules.secret) }) {
      settings.apiKey = value
    }
    if let value = webhookSecrets.flatMap({ environment.value($0, SettingRules.secrets) }) {
      settings.webhookSecrets = value
    }
    refuseHalfSet(settings, set: set, environment: environment)
    return settings
  }

  private func refuseHalfSet(
    _ settings: IntegrationSettings, set: [EnvironmentVariable], environment: EnvironmentLayers
  ) {
    guard let clientID, let clientSecret else { return }
    let missing = [
      settings.clientID == nil ? clientID.rawValue : nil,
      settings.clientSecret == nil ? clientSecret.rawValue : nil,
    ].compactMap(\.self)
    guard !missing.isEmpty else { return }
    environment.report(
      set[0].rawValue,
      "is set, but \(missing.joined(separator: " and ")) \(missing.count == 1 ? "is" : "are") not; "
        + "set both or none.")
  }
}
