extension FairleadConfiguration {
  /// The integrations of this deployment with their definitions.
  /// - Parameter catalog: the definitions to look providers up in, see
  ///   `DefinitionLoader.definitions(folder:)`.
  /// - Throws: `FairleadError` (`configurationError`) with every problem, a line each.
  public func integrations(catalog: [ProviderDefinition]) throws -> [Integration] {
    let byName = Dictionary(catalog.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
    var problems: [String] = []
    var result: [Integration] = []
    for settings in integrations {
      guard let definition = byName[settings.provider] else {
        let known = byName.keys.sorted()
        let guess = Suggestion.closest(to: settings.provider, among: known)
        problems.append(
          "\(settings.place): there is no provider named \(settings.shownProvider ?? settings.provider); "
            + (guess.map { "did you mean \($0)?" } ?? "known: \(known.joined(separator: ", "))."))
        continue
      }
      problems += settings.faults(definition).map { "\(settings.place): \($0)" }
      result.append(settings.integration(definition))
    }
    for (index, destination) in destinations.enumerated() {
      for name in destination.integrations ?? []
      where !integrations.contains(where: { $0.name == name }) {
        problems.append(
          "destinations[\(index)].integrations: there is no integration named \(name).")
      }
    }
    if problems.isEmpty { problems = syncFaults(result) }
    for name in alerts.overrides.keys.sorted()
    where !integrations.contains(where: { $0.name == name }) {
      problems.append("alerts.integrations.\(name): there is no integration named \(name).")
    }
    guard problems.isEmpty else {
      throw FairleadError(.configurationError, problems.joined(separator: "\n"))
    }
    return result
  }
}

extension IntegrationSettings {
  func integration(_ definition: ProviderDefinition) -> Integration {
    var integration = Integration(
      name: name, definition: definition, clientID: clientID, clientSecret: clientSecret,
      scopes: scopes, plan: plan, baseURL: baseURL, webhookSecrets: webhookSecrets,
      defaultCredential: apiKey.map { .apiKey(key: $0, secret: nil) })
    integration.fallback = fallback
    return integration
  }

  /// What does not go together with the definition.
  func faults(_ definition: ProviderDefinition) -> [String] {
    var faults: [String] = []
    switch definition.auth {
    case .oauth2Code(let oauth):
      if clientID == nil {
        faults.append("\(definition.displayName) authorises by OAuth; set client_id.")
      }
      if clientSecret == nil, oauth.clientAuth != .none {
        faults.append("\(definition.displayName) authorises by OAuth; set client_secret.")
      }
      if apiKey != nil {
        faults.append("\(definition.displayName) takes no API key; remove api_key.")
      }
    case .apiKey, .basic, .none:
      if clientID != nil || clientSecret != nil {
        faults.append(
          "\(definition.displayName) does not use OAuth; remove client_id and client_secret.")
      }
      if apiKey != nil, definition.auth != .apiKey {
        faults.append("\(definition.displayName) takes no API key; remove api_key.")
      }
    }
    if let plan, definition.plans[plan] == nil {
      let known = definition.plans.keys.sorted().joined(separator: ", ")
      faults.append(
        known.isEmpty
          ? "\(definition.displayName) has no plans; remove plan."
          : "\(definition.displayName) has no plan named \(shownPlan ?? plan); known: \(known).")
    }
    if definition.webhook == nil, !webhookSecrets.isEmpty {
      faults.append("\(definition.displayName) sends no webhooks; remove webhook_secrets.")
    }
    if case .settings(let own) = fallback, own.message != nil,
      !own.laid(over: definition.fallback).responses.contains(where: \.saysMessage)
    {
      faults.append(
        "\(definition.displayName) has no fallback that says a message; add responses with "
          + "{message} to fallback, or remove its message.")
    }
    return faults
  }
}
