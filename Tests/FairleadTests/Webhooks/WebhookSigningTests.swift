import FairleadTesting
import HTTPTypes
import Testing

@testable import Fairlead

/// What is signed is what is verified, for every form a definition can give a signature.
@Suite struct WebhookSigningTests {
  static let time = Timestamp(seconds: 1_800_000_000)
  static let body = Array(#"{"id":"evt_1","type":"a.b"}"#.utf8)

  private func verdict(
    _ settings: WebhookSettings, _ headers: HTTPFields, body: [UInt8] = body, secret: String
  ) throws -> SignatureVerdict {
    try SignatureCheck(
      headers: headers, body: body, secrets: [Secret(secret)], now: Self.time, settings: settings
    ).verdict()
  }

  private func sign(_ settings: WebhookSettings, secret: String) throws -> HTTPFields {
    try WebhookSigning(settings).headers(
      body: Self.body, secret: Secret(secret), id: "msg_1", type: "a.b", at: Self.time)
  }

  @Test(
    arguments: WebhookSettings.Algorithm.allCases, WebhookSettings.Encoding.allCases)
  func everyTemplateSignatureIsAccepted(
    algorithm: WebhookSettings.Algorithm, encoding: WebhookSettings.Encoding
  ) throws {
    for (template, header) in [
      ("{body}", nil), ("v0:{timestamp}:{body}", "X-Time"), ("{timestamp}{body}{x", "X-Time"),
    ] as [(String, String?)] {
      var settings = WebhookSettings(scheme: .hmac, header: "X-Signature")
      settings.algorithm = algorithm
      settings.encoding = encoding
      settings.prefix = "sig="
      settings.signed = template
      settings.timestampHeader = header
      let headers = try sign(settings, secret: "a secret")
      guard case .verified = try verdict(settings, headers, secret: "a secret") else {
        Issue.record("refused: \(template)")
        continue
      }
      let forged = try verdict(settings, headers, body: Self.body + [32], secret: "a secret")
      #expect(forged == .rejected(.forged))
    }
  }

  @Test(arguments: [
    (WebhookSettings.stripe, WebhookSecrets.stripe), (.slack, WebhookSecrets.slack),
    (.github, WebhookSecrets.github), (.clerk, WebhookSecrets.clerk),
  ])
  func everySchemeIsAccepted(settings: WebhookSettings, secret: String) throws {
    let headers = try sign(settings, secret: secret)
    guard case .verified = try verdict(settings, headers, secret: secret) else {
      Issue.record("refused: \(settings.scheme)")
      return
    }
    let other = try verdict(
      settings, headers, secret: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    #expect(other == .rejected(.forged))
  }

  @Test func idAndTypeGoWhereTheDefinitionReadsThem() throws {
    let headers = try sign(.github, secret: WebhookSecrets.github)
    let id = try #require(HTTPField.Name("X-GitHub-Delivery"))
    let type = try #require(HTTPField.Name("X-GitHub-Event"))
    #expect(headers[id] == "msg_1" && headers[type] == "a.b")
  }

  @Test func everySignatureOfTheCatalogIsAccepted() throws {
    for definition in try DefinitionLoader.catalog() {
      guard let settings = definition.webhook, WebhookSigning(settings).signsBodies else {
        continue
      }
      let headers = try sign(settings, secret: WebhookSecrets.clerk)
      guard case .verified = try verdict(settings, headers, secret: WebhookSecrets.clerk) else {
        Issue.record("refused: \(definition.name)")
        continue
      }
    }
  }

  @Test func aSecretOfAnotherFormIsToldAndNotShown() throws {
    let error = #expect(throws: FairleadError.self) { try sign(.clerk, secret: "not base64!") }
    #expect(error?.code == .configurationError && error?.message.contains("base64!") == false)
    #expect(WebhookSigning(.clerk).problem(with: Secret("not base64!")) != nil)
    #expect(WebhookSigning(.clerk).problem(with: Secret(WebhookSecrets.clerk)) == nil)
    #expect(WebhookSigning(.stripe).problem(with: Secret("sk_live_x")) != nil)
    #expect(WebhookSigning(.slack).problem(with: Secret("anything")) == nil)
  }
}
