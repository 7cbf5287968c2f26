import Testing

@testable import Fairlead

@Suite struct TokenIssuerTests {
  private func publishable(_ text: String, prefix: String = "pk_test_") -> String {
    prefix + Array(text.utf8).base64
  }

  @Test(arguments: ["pk_test_", "pk_live_"])
  func aPublishableKeyNamesItsIssuer(prefix: String) {
    let key = publishable("dana-crab-12.clerk.accounts.dev$", prefix: prefix)
    let issuer = TokenIssuer.clerk(publishableKey: key)
    #expect(issuer?.issuer == "https://dana-crab-12.clerk.accounts.dev")
    #expect(
      issuer?.keySetURL == "https://dana-crab-12.clerk.accounts.dev/.well-known/jwks.json")
    let unpadded = key.replacing("=", with: "")
    #expect(TokenIssuer.clerk(publishableKey: unpadded) == issuer)
  }

  @Test(arguments: [
    "", "pk_test_", "pk_test_!!!", "sk_test_Y2xlcmsuYXBwLmV4YW1wbGUk",
    "pk_other_Y2xlcmsuYXBwLmV4YW1wbGUk",
  ])
  func whatIsNoPublishableKeyNamesNone(key: String) {
    #expect(TokenIssuer.clerk(publishableKey: key) == nil)
  }

  @Test(arguments: [
    "clerk.app.example", "$", "evil.example/path$", "a@b.example$", "a b$", "x:1/$",
  ])
  func aHostThatIsNoneMakesNoIssuer(text: String) {
    #expect(TokenIssuer.clerk(publishableKey: publishable(text)) == nil)
  }

  @Test func variablesAddAnIssuerBesideThoseOfTheFile() throws {
    let key = publishable("clerk.app.example$")
    let yaml = """
      jwt:
        issuers:
          - issuer: https://login.example/tenant/
            jwks_url: https://keys.example/set
            authorized_parties: [ https://app.example, http://localhost:3000 ]
            audience: api
            accept_pending: true
      """
    let both = try ConfigurationSamples.load(["CLERK_PUBLISHABLE_KEY": key], yaml: yaml)
    #expect(
      both.tokenIssuers.map(\.issuer) == [
        "https://login.example/tenant/", "https://clerk.app.example",
      ])
    let first = try #require(both.tokenIssuers.first)
    #expect(first.keySetURL == "https://keys.example/set" && first.audience == "api")
    #expect(first.authorizedParties == ["https://app.example", "http://localhost:3000"])
    #expect(first.acceptsPendingSessions)
    #expect(both.tokenIssuers.last?.authorizedParties == [])

    let named = try ConfigurationSamples.load(["CLERK_ISSUER": "https://clerk.app.example"])
    #expect(named.tokenIssuers == [TokenIssuer("https://clerk.app.example")])
    let listed = try ConfigurationSamples.load(
      ["CLERK_ISSUER": "https://clerk.app.example", "CLERK_PUBLISHABLE_KEY": key],
      yaml: """
        jwt: { issuers: [ { issuer: https://clerk.app.example, authorized_parties: [https://a.example] } ] }
        """)
    #expect(listed.tokenIssuers.count == 1)
    #expect(listed.tokenIssuers.first?.authorizedParties == ["https://a.example"])
  }

  @Test(arguments: [
    ("jwt: { issuers: [ {} ] }", "jwt.issuers[0].issuer: is missing"),
    ("jwt: { issuers: [ { issuer: http://x.example } ] }", "issuers[0].issuer: must be https"),
    ("jwt: { issuers: [ { issuer: https://x.example?a } ] }", "must not have a query"),
    (
      "jwt: { issuers: [ { issuer: https://x.example, authorized_parties: [x] } ] }",
      "authorized_parties[0]: is no URL"
    ),
    (
      "jwt: { issuers: [ { issuer: https://x.example, jwks_url: http://x.example } ] }",
      "jwks_url: must be https"
    ),
    ("jwt: { issuers: [ { issuer: https://x.example, azp: [x] } ] }", "azp: unknown key"),
    (
      "jwt: { issuers: [ { issuer: https://x.example }, { issuer: https://x.example } ] }",
      "is there twice"
    ),
  ])
  func aFaultIsNamedWithItsPlace(yaml: String, message: String) {
    let text = ConfigurationSamples.message(yaml: yaml)
    #expect(text.contains(message), "\(text)")
  }

  @Test func faultsOfTheVariablesAreNamed() {
    let wrong = ConfigurationSamples.message(["CLERK_PUBLISHABLE_KEY": "sk_live_secret"])
    #expect(wrong.contains("CLERK_PUBLISHABLE_KEY: is no publishable key"), "\(wrong)")
    #expect(!wrong.contains("sk_live_secret"))
    let torn = ConfigurationSamples.message([
      "CLERK_PUBLISHABLE_KEY": publishable("clerk.app.example$"),
      "CLERK_ISSUER": "https://other.example",
    ])
    #expect(torn.contains("CLERK_ISSUER: is another issuer"), "\(torn)")
  }
}
