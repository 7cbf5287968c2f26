import Fairlead
import Testing

@Suite struct BuiltInIntegrationTests {
  typealias Samples = ConfigurationSamples

  private func integrations(
    _ environment: [String: String], yaml: String? = nil
  ) throws -> [Integration] {
    try Samples.load(environment, yaml: yaml).integrations(catalog: DefinitionLoader.catalog())
  }

  @Test func switchThemselvesOnWhenTheirVariablesAreThere() throws {
    let all = try integrations([
      "SLACK_CLIENT_ID": "id", "SLACK_CLIENT_SECRET": "secret",
      "SLACK_SIGNING_SECRET": "new, old", "STRIPE_SECRET_KEY": "sk_test_1",
      "STRIPE_WEBHOOK_SECRET": "whsec_1", "OPENAI_API_KEY": "sk-1",
    ])
    #expect(all.map(\.name) == ["openai", "slack", "stripe"])
    #expect(all[0].defaultCredential == .apiKey(key: Secret("sk-1"), secret: nil))
    #expect(all[1].clientID == "id")
    #expect(all[1].clientSecret == Secret("secret"))
    #expect(all[1].webhookSecrets == [Secret("new"), Secret("old")])
    #expect(all[1].defaultCredential == nil)
    #expect(all[2].defaultCredential == .apiKey(key: Secret("sk_test_1"), secret: nil))
    #expect(all[2].webhookSecrets == [Secret("whsec_1")])
    #expect(all[2].definition.displayName == "Stripe")
  }

  @Test func clerkComesWithItsKeyOrItsWebhooks() throws {
    let all = try integrations([
      "CLERK_SECRET_KEY": "sk_test_1", "CLERK_WEBHOOK_SECRET": "whsec_new,whsec_old",
    ])
    #expect(all.map(\.name) == ["clerk"])
    #expect(all[0].defaultCredential == .apiKey(key: Secret("sk_test_1"), secret: nil))
    #expect(all[0].webhookSecrets == [Secret("whsec_new"), Secret("whsec_old")])
    #expect(all[0].definition.webhook?.rejectStatus == 401)
    #expect(all[0].definition.webhook?.ownerDeleted?.events == ["user.deleted"])
    #expect(try integrations(["CLERK_ISSUER": "https://clerk.app.example"]).isEmpty)
  }

  @Test func gitHubIsSwitchedOnByItsThreeVariables() throws {
    let all = try integrations([
      "GITHUB_CLIENT_ID": "id", "GITHUB_CLIENT_SECRET": "secret",
      "GITHUB_WEBHOOK_SECRET": "new,old",
    ])
    #expect(all.map(\.name) == ["github"])
    #expect(all[0].clientID == "id" && all[0].clientSecret == Secret("secret"))
    #expect(all[0].webhookSecrets == [Secret("new"), Secret("old")])
  }

  @Test func stayOffWithoutThem() throws {
    #expect(try integrations(["PATH": "/bin", "SLACK_CLIENT_ID": ""]).isEmpty)
  }

  @Test func stripeMayReceiveWebhooksWithoutAKeyOfItsOwn() throws {
    let all = try integrations(["STRIPE_WEBHOOK_SECRET": "whsec_1"])
    #expect(all.map(\.name) == ["stripe"])
    #expect(all.first?.defaultCredential == nil)
  }

  @Test(arguments: [
    (["SLACK_CLIENT_ID": "i"], "SLACK_CLIENT_ID: is set, but SLACK_CLIENT_SECRET is not"),
    (["SLACK_CLIENT_SECRET": "hunter2"], "SLACK_CLIENT_SECRET: is set, but SLACK_CLIENT_ID is not"),
    (
      ["SLACK_SIGNING_SECRET": "hunter2"],
      "SLACK_SIGNING_SECRET: is set, but SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are not"
    ),
  ])
  func halfSetIsAnError(environment: [String: String], message: String) {
    let text = Samples.message(environment)
    #expect(text.contains(message), "\(text)")
    #expect(!text.contains("hunter2"))
  }

  @Test func theEnvironmentIsLaidOverTheFile() throws {
    let all = try integrations(
      ["SLACK_CLIENT_SECRET": "from-env", "SLACK_SIGNING_SECRET": "sig"],
      yaml: """
        integrations:
          slack: { provider: slack, client_id: id, client_secret: from-file, scopes: [users:read] }
          zeta: { provider: stripe, plan: live }
        """)
    #expect(all.map(\.name) == ["slack", "zeta"])
    #expect(all[0].clientID == "id")
    #expect(all[0].clientSecret == Secret("from-env"))
    #expect(all[0].scopes == ["users:read"])
    #expect(all[0].webhookSecrets == [Secret("sig")])
    #expect(all[1].limits.map(\.name) == ["account", "endpoint"])
  }

  @Test func aNameOfTheCatalogMayBelongToAnotherProvider() throws {
    let all = try integrations(
      ["STRIPE_SECRET_KEY": "sk"], yaml: "integrations: { stripe: { provider: openai } }")
    #expect(all.map(\.definition.name) == ["openai"])
    #expect(all[0].defaultCredential == nil)
  }

  @Test func anIssuerWithoutAnAllowListIsNoted() throws {
    let bare = try Samples.load(["CLERK_ISSUER": "https://clerk.app.example"])
    #expect(bare.notices.count == 1 && bare.notices[0].contains("authorized_parties"))
    let listed = try Samples.load(
      ["CLERK_ISSUER": "https://clerk.app.example"],
      yaml:
        "jwt: { issuers: [ { issuer: https://clerk.app.example, authorized_parties: [https://app.example] } ] }"
    )
    #expect(listed.notices.isEmpty)
  }
}
