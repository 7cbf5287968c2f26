import Fairlead
import Testing

@Suite struct DefinitionLoaderTests {
  @Test func readsEveryKeyIntoTheModel() throws {
    let definition = try DefinitionLoader.load(yaml: DefinitionSamples.complete, file: "acme.yaml")
    #expect(definition.name == "acme")
    #expect(definition.displayName == "Acme")
    #expect(definition.purpose == "Orders and customers")
    #expect(definition.docs == "https://developers.acme.example")
    #expect(definition.dashboard == "https://app.acme.example")
    #expect(definition.setup == ["Create an app", "Copy client id and secret"])
    #expect(definition.baseURL == "https://{shop}.acme.example")
    #expect(definition.hosts == ["files": "https://files.acme.example:8443"])
    #expect(definition.params == ["shop": .init(pattern: "[a-z0-9-]{1,40}", label: "Shop name")])
    #expect(definition.apply == .header(name: "X-Token", value: "Token {access_token}"))
    #expect(definition.verify?.method == "POST")
    #expect(definition.verify?.path == "/me")
    #expect(definition.verify?.identityID == "id")
    #expect(definition.verify?.identityLabel == "name")
    #expect(definition.timeout == .seconds(20))
    #expect(definition.bulkhead == 8)
    #expect(definition.endpoints == ["/orders/{id}"])
    #expect(definition.replacesCatalog)
  }

  @Test func readsAuthorization() throws {
    let definition = try DefinitionLoader.load(yaml: DefinitionSamples.complete, file: "acme.yaml")
    guard case .oauth2Code(let oauth) = definition.auth else {
      Issue.record("not OAuth")
      return
    }
    #expect(oauth.authorizeURL == "https://{shop}.acme.example/oauth/authorize?prompt=consent")
    #expect(oauth.tokenURL == "https://acme.example/oauth/token")
    #expect(oauth.revokeURL == "https://acme.example/oauth/revoke")
    #expect(oauth.scopeSeparator == ",")
    #expect(oauth.defaultScopes == ["read", "write"])
    #expect(oauth.pkce == .s256)
    #expect(oauth.nonce)
    #expect(oauth.issuer == "https://acme.example")
    #expect(oauth.issuerRequired)
    #expect(oauth.clientAuth == .basic)
    #expect(oauth.authorizeParams == ["access_type": "offline"])
    #expect(oauth.tokenFormat == .json)
    #expect(oauth.tokenParams == ["audience": "api"])
    #expect(oauth.tokenHeaders == ["X-Version": "2"])
    #expect(oauth.successWhen?.status == [200])
    #expect(oauth.successWhen?.body == ["ok": [true]])
    #expect(oauth.accessTokenPath == "data.access")
    #expect(oauth.refreshTokenPath == "data.refresh")
    #expect(oauth.scopePath == "data.scope")
    #expect(oauth.expires.path == "data.ttl")
    #expect(oauth.expires.unit == .milliseconds)
    #expect(oauth.refreshRotates)
    #expect(oauth.revoke.tokenIn == .bearer)
    #expect(oauth.revoke.successWhen?.body == ["revoked": [true]])
  }

  @Test func readsPolicies() throws {
    let definition = try DefinitionLoader.load(yaml: DefinitionSamples.complete, file: "acme.yaml")
    #expect(definition.plans["free"]?.first?.requests == 3)
    #expect(definition.plans["free"]?.first?.key == [.integration])
    #expect(definition.limits.map(\.name) == ["default", "writes"])
    let writes = try #require(definition.limits.last)
    #expect(writes.period == .seconds(60))
    #expect(writes.key == [.connection, .path])
    #expect(writes.burst == 2)
    #expect(writes.paths == ["/orders/{id}"])
    #expect(writes.methods == ["POST", "DELETE"])
    #expect(definition.limitHeaders?.remaining == "x-ratelimit-remaining")
    #expect(definition.limitHeaders?.reset == "x-ratelimit-reset")
    #expect(definition.limitHeaders?.resetFormat == .epochSeconds)
    #expect(definition.retry.attempts == 4)
    #expect(definition.retry.base == .milliseconds(100))
    #expect(definition.retry.cap == .seconds(2))
    #expect(definition.retry.retryAfterCap == .seconds(60))
    #expect(definition.idempotency == .init(header: "Idempotency-Key", methods: ["POST", "PATCH"]))
    let rule = try #require(definition.errors.first)
    #expect(rule.when.status == [429] + Array(500...599))
    #expect(rule.when.headers == ["x-reason": ["slow", "busy"]])
    #expect(rule.when.body == ["error.code": [1, nil, "2"]])
    #expect(rule.errorClass == .rateLimited)
    #expect(rule.effect == .none)
    #expect(rule.message == "Slow down.")
    #expect(definition.errors.last?.effect == .unknown)
    #expect(definition.pagination?.style == .cursor)
    #expect(definition.pagination?.next == "meta.next")
    #expect(definition.pagination?.hasMore == "meta.more")
    #expect(definition.pagination?.maximumSize == 100)
  }

  @Test func readsWebhooks() throws {
    let definition = try DefinitionLoader.load(yaml: DefinitionSamples.complete, file: "acme.yaml")
    let webhook = try #require(definition.webhook)
    #expect(webhook.scheme == .hmac)
    #expect(webhook.algorithm == .sha512)
    #expect(webhook.encoding == .base64)
    #expect(webhook.header == "X-Acme-Signature")
    #expect(webhook.prefix == "sha512=")
    #expect(webhook.signed == "{timestamp}.{body}")
    #expect(webhook.timestampHeader == "X-Acme-Time")
    #expect(webhook.tolerance == .seconds(120))
    #expect(webhook.eventID == .header("x-acme-id"))
    #expect(webhook.eventType == .body("type"))
    #expect(webhook.connection == .body("account_id"))
    #expect(webhook.connectionMatches == "identity.id")
    #expect(webhook.events == ["order.created"])
    #expect(webhook.rejectStatus == 403)
    #expect(webhook.challenge?.answer == "challenge")
    #expect(webhook.challenge?.when.body == ["type": ["ping"]])
  }

  @Test func fillsInTheUsualPlaceOfACredential() throws {
    let definition = try DefinitionLoader.load(yaml: DefinitionSamples.minimal, file: "a.yaml")
    #expect(definition.auth == .apiKey)
    #expect(definition.apply == .header(name: "Authorization", value: "Bearer {api_key}"))
    let query = try DefinitionLoader.load(
      yaml: DefinitionSamples.minimal + "\napply: { query: { name: key, value: \"{api_key}\" } }",
      file: "a.yaml")
    #expect(query.apply == .query(name: "key", value: "{api_key}"))
    let basic = try DefinitionLoader.load(
      yaml: DefinitionSamples.minimal.replacing("api_key", with: "basic"), file: "a.yaml")
    #expect(basic.auth == .basic)
    #expect(basic.apply == nil)
  }

  @Test func fixedWebhookSchemesKnowTheirHeaders() throws {
    let stripe = try DefinitionLoader.load(
      yaml: DefinitionSamples.minimal + "\nwebhook: { scheme: stripe }", file: "a.yaml")
    #expect(stripe.webhook?.header == "Stripe-Signature")
    let standard = try DefinitionLoader.load(
      yaml: DefinitionSamples.minimal + "\nwebhook: { scheme: standard }", file: "a.yaml")
    #expect(standard.webhook?.header == "webhook-signature")
  }

  @Test func reportsEveryProblemOfAFileInTheOrderOfItsLines() {
    let problems = DefinitionSamples.problems(
      """
      name: Acme!
      display_name: Acme
      purpose: Orders
      base_url: https://api.acme.example/v1
      auth: { type: api_key }
      timout: 30s
      retry: { attempts: many }
      """, file: "providers/acme.yaml")
    #expect(problems.count == 4)
    #expect(problems[0].hasPrefix("providers/acme.yaml:1: name: is `Acme!`; a name is"))
    #expect(problems[1].hasPrefix("providers/acme.yaml:4: base_url: is an origin and has no path"))
    #expect(problems[1].contains("write https://api.acme.example and"))
    #expect(
      problems[2] == "providers/acme.yaml:6: timout: unknown key; did you mean `timeout`?")
    #expect(
      problems[3]
        == "providers/acme.yaml:7: retry.attempts: is `many`; write a whole number from 1 to 10.")
  }

  @Test func aMissingKeyIsNamedWithWhatBelongsThere() {
    let problems = DefinitionSamples.problems("name: acme")
    #expect(problems.count == 4)
    #expect(
      problems.contains(
        "acme.yaml:1: auth: is missing; write how it authorises, such as { type: api_key }."))
  }

  @Test(arguments: ["oauth2_client_credentials", "oauth2_device", "jwt_bearer", "two_step"])
  func kindsOfAuthorizationThatComeLaterAreSaidPlainly(type: String) {
    let problems = DefinitionSamples.problems(
      DefinitionSamples.minimal.replacing("api_key", with: type))
    #expect(problems.count == 1)
    #expect(problems[0].contains("auth.type: \(type) is not supported by this version yet"))
  }

  @Test func anUnknownKindOfAuthorizationGetsAGuess() {
    let problems = DefinitionSamples.problems(
      DefinitionSamples.minimal.replacing("api_key", with: "oauth2_cod"))
    #expect(problems.count == 1)
    #expect(problems[0].contains("did you mean oauth2_code?"))
  }
}
