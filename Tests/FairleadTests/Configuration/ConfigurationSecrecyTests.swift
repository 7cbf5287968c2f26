import Fairlead
import Testing

/// Secrets in every place they enter, and errors provoked around them.
@Suite struct ConfigurationSecrecyTests {
  typealias Samples = ConfigurationSamples
  static let planted = "hunter2-planted"

  @Test(arguments: [
    "server: { port: ${S} }", "server: { host: \"a ${S}\" }", "server: { public_url: ${S} }",
    "server: { trusted_proxies: [ ${S} ] }", "database: ${S}", "database: \"mysql://u:${S}@h\"",
    "integrations: { a: { provider: ${S} } }", "retention: { requests: ${S} }",
    "cors: { origins: [ ${S} ] }",
    "destinations: [ { url: \"http://x.example/${S}\", secret: s } ]",
    "destinations: [ ${S} ]", "integrations: { a: { provider: stripe, plan: ${S} } }",
    "integrations: { a: { provider: stripe, base_url: \"https://u:${S}@h\" } }",
    "integrations: { a: ${S} }",
    "integrations: { a: { provider: openai, webhook_secrets: ${S}, x: 1 } }",
  ])
  func noMessageHoldsTheValueOfAVariable(yaml: String) {
    let message = Samples.message(["S": Self.planted], yaml: yaml)
    #expect(!message.isEmpty)
    #expect(!message.contains("hunter2"), "\(message)")
  }

  @Test func noMessageHoldsTheValueOfASecretVariable() {
    let names = [
      "FAIRLEAD_DATABASE", "FAIRLEAD_VAULT_KEYS", "FAIRLEAD_VAULT_KEY_FILE", "FAIRLEAD_ADMIN_KEY",
      "FAIRLEAD_PUBLIC_URL", "FAIRLEAD_HOST", "FAIRLEAD_PORT", "FAIRLEAD_CORS_ORIGINS",
      "FAIRLEAD_LOG_LEVEL", "FAIRLEAD_ALLOW_PRIVATE_NETWORKS", "FAIRLEAD_NOPE",
      "SLACK_CLIENT_SECRET",
    ]
    for name in names {
      let all = [name, "FAIRLEAD_VAULT_KEY_FILE", "FAIRLEAD_VAULT_KEYS"].map { ($0, Self.planted) }
      let message = Samples.message(Dictionary(all, uniquingKeysWith: { first, _ in first }))
      #expect(!message.isEmpty)
      #expect(!message.contains("hunter2"), "\(message)")
    }
  }

  @Test func printingAConfigurationShowsNoSecret() throws {
    let configuration = try Samples.load(
      [
        "FAIRLEAD_VAULT_KEYS": Self.planted, "FAIRLEAD_ADMIN_KEY": Self.planted,
        "STRIPE_SECRET_KEY": Self.planted, "STRIPE_WEBHOOK_SECRET": Self.planted,
        "FAIRLEAD_DATABASE": "postgres://u:\(Self.planted)@h/db",
      ],
      yaml: "destinations: [ { url: https://x.example, secret: \(Self.planted) } ]")
    var dumped = ""
    dump(configuration, to: &dumped)
    #expect(!"\(configuration)\(dumped)".contains("hunter2"))
  }
}
