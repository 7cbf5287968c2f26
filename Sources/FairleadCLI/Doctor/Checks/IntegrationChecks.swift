import Fairlead

/// Checks of the configured integrations.
enum IntegrationChecks {
  /// What can be said without asking anybody. Pure.
  static func webhooks(_ integration: Integration) -> [Finding] {
    guard let settings = integration.definition.webhook else { return [] }
    let signing = WebhookSigning(settings)
    guard signing.signsBodies else { return [] }
    let check = "webhook.secret"
    let name = integration.definition.displayName
    guard !integration.webhookSecrets.isEmpty else {
      return [
        Finding(
          check, .warn,
          "\(name) can send webhooks, but \(integration.name) has no webhook secret, so they are "
            + "refused.",
          advice: settings.configuration.last
            ?? "Set webhook_secrets of the integration, or leave its webhooks off.")
      ]
    }
    let problems = integration.webhookSecrets.enumerated().compactMap { index, secret in
      signing.problem(with: secret).map { (index + 1, $0) }
    }
    guard let (number, problem) = problems.first else {
      let count = integration.webhookSecrets.count
      return [
        .ok(
          check,
          "\(name) has \(count == 1 ? "a webhook secret" : "\(count) webhook secrets").")
      ]
    }
    let which = integration.webhookSecrets.count == 1 ? "The" : "Number \(number) of the"
    return [
      Finding(
        check, settings.scheme == .standard ? .fail : .warn,
        "\(which) webhook secret of \(integration.name) \(problem).",
        advice: "Copy it again from the provider's dashboard.")
    ]
  }

  /// The accounts that owners connected. Pure.
  static func connections(_ integration: Integration, _ counts: ConnectionCounts?) -> [Finding] {
    guard let counts, integration.defaultCredential == nil else { return [] }
    let count = counts[integration.name]
    let name = integration.definition.displayName
    if count.needsReauth > 0 {
      return [
        Finding(
          "connections", .warn,
          "\(count.needsReauth) of \(count.all) connections to \(name) need their owner to connect "
            + "again.",
          advice: "fairlead connections --integration \(integration.name) --state needs_reauth")
      ]
    }
    if count.all == 0 {
      return [
        Finding(
          "connections", .skip, "Nobody has connected \(name) yet.",
          advice: "fairlead connect \(integration.name) --owner ID")
      ]
    }
    return [.ok("connections", "\(name) has \(count.active) active connections.")]
  }

  /// Connections whose integration is gone from the configuration. Pure.
  static func orphans(_ counts: ConnectionCounts?, _ integrations: [Integration]) -> [Finding] {
    guard let counts else { return [] }
    let known = Set(integrations.map(\.name))
    return counts.integrations.filter { !known.contains($0) }.map {
      Finding(
        "connections", .warn,
        "\(counts[$0].all) connections are of \($0), which is not configured any more.",
        advice: "Configure it again, or disconnect them.")
    }
  }

  /// Where browsers may go after connecting. Pure.
  static func redirects(
    _ configuration: FairleadConfiguration, _ integrations: [Integration]
  ) -> [Finding] {
    let signsIn = integrations.contains {
      if case .oauth2Code = $0.definition.auth { true } else { false }
    }
    guard signsIn else { return [] }
    let origins = configuration.connectRedirectOrigins
    guard !origins.isEmpty else {
      return [
        Finding(
          "connect.redirects", .warn,
          "No redirect origin is set, so connecting ends at this server's own page.",
          advice: "Set connect.redirect_origins in fairlead.yaml to your application's origin.")
      ]
    }
    return [.ok("connect.redirects", "Connecting may end at \(origins.joined(separator: ", ")).")]
  }

  /// Asks the provider about the deployment's own credential.
  static func credential(_ integration: Integration, _ check: CredentialCheck) async -> [Finding] {
    let name = integration.definition.displayName
    guard integration.defaultCredential != nil else { return [] }
    do {
      switch try await check.verify(integration) {
      case .unknown:
        return [
          Finding("credential", .skip, "\(name) has no call that would prove its key.")
        ]
      case .accepted(let identity):
        let whose = (identity["label"] ?? identity["id"]).map { " (\($0))" } ?? ""
        return [.ok("credential", "\(name) accepts the configured key\(whose).")]
      }
    } catch let error as FairleadError {
      return [
        Finding(
          "credential", error.code == .serviceUnavailable ? .warn : .fail,
          "\(integration.name): \(error.message)",
          advice: error.code == .serviceUnavailable
            ? "Run doctor again later." : integration.definition.dashboard.map { "See \($0)" })
      ]
    } catch {
      return [Finding("credential", .warn, "\(name) could not be asked.")]
    }
  }
}
