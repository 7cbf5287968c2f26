import FairleadTesting
import HTTPTypes
import Testing

@testable import Fairlead

/// Vectors made with the providers' own packages: stripe 16.1.0, slack_sdk 3.47.0, svix 2.9.1 (PyPI);
/// GitHub's is the one in its documentation.
@Suite struct SignatureVectorTests {
  static let time = Timestamp(seconds: 1_800_000_000)
  static let body = Array(
    #"{"id":"evt_1","type":"invoice.paid","data":{"name":"Zoë ✓"}}"#.utf8)

  static let stripe =
    "t=1800000000,v1=3cc8660ca1d680c39ffc82e9e539354b0f7955a1052902d4772e73de5cd721d7"
  static let slack = "v0=1081054c27a00ab47830f913eea345f0139b46f5ec3ee65b669cb1f3ddaabe33"
  static let svix = "v1,3ognXWGYCiCGlARFYU6pVwu9M5Ugjw6Om8LDi+CcR3M="
  static let svixUnpadded = "v1,4KepIVriqpzoXyzaGqWFYgcvtwb+YOKCOShx+/+KeT4="
  static let github = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

  private func verdict(
    _ settings: WebhookSettings, _ headers: [(String, String)], body: [UInt8] = body,
    secret: String
  ) throws -> SignatureVerdict {
    try SignatureCheck(
      headers: HTTPFields(headers), body: body, secrets: [Secret(secret)], now: Self.time,
      settings: settings
    ).verdict()
  }

  @Test func acceptsWhatStripeSigned() throws {
    let verdict = try verdict(
      .stripe, [("Stripe-Signature", Self.stripe)], secret: WebhookSecrets.stripe)
    #expect(verdict == .verified(.init(signedAt: Self.time)))
  }

  @Test func acceptsWhatSlackSigned() throws {
    let verdict = try verdict(
      .slack,
      [("X-Slack-Signature", Self.slack), ("X-Slack-Request-Timestamp", "1800000000")],
      secret: WebhookSecrets.slack)
    #expect(verdict == .verified(.init(signedAt: Self.time)))
  }

  @Test(arguments: ["svix", "webhook"])
  func acceptsWhatSvixSigned(family: String) throws {
    let verdict = try verdict(
      .clerk,
      [
        ("\(family)-id", "msg_2b"), ("\(family)-timestamp", "1800000000"),
        ("\(family)-signature", Self.svix),
      ], secret: WebhookSecrets.clerk)
    #expect(verdict == .verified(.init(signedAt: Self.time, signedID: "msg_2b")))
  }

  @Test func readsAStandardSecretWithoutItsPadding() throws {
    let verdict = try verdict(
      .clerk,
      [
        ("svix-id", "msg_2b"), ("svix-timestamp", "1800000000"),
        ("svix-signature", Self.svixUnpadded),
      ], secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa")
    #expect(verdict == .verified(.init(signedAt: Self.time, signedID: "msg_2b")))
  }

  @Test func acceptsGitHubsDocumentedVector() throws {
    let verdict = try verdict(
      .github, [("X-Hub-Signature-256", Self.github)], body: Array("Hello, World!".utf8),
      secret: WebhookSecrets.github)
    #expect(verdict == .verified(.init()))
  }

  @Test func signsAsTheProvidersDo() {
    #expect(
      WebhookSigner.stripe(body: Self.body, secret: WebhookSecrets.stripe, at: Self.time)
        == HTTPFields([("Stripe-Signature", Self.stripe)]))
    #expect(
      WebhookSigner.slack(body: Self.body, secret: WebhookSecrets.slack, at: Self.time)
        == HTTPFields([
          ("X-Slack-Signature", Self.slack), ("X-Slack-Request-Timestamp", "1800000000"),
        ]))
    #expect(
      WebhookSigner.standard(
        body: Self.body, secret: WebhookSecrets.clerk, id: "msg_2b", at: Self.time, family: .svix)
        == HTTPFields([
          ("svix-id", "msg_2b"), ("svix-timestamp", "1800000000"), ("svix-signature", Self.svix),
        ]))
    #expect(
      WebhookSigner.github(
        body: Array("Hello, World!".utf8), secret: WebhookSecrets.github, event: "ping",
        delivery: "d1")
        == HTTPFields([
          ("X-Hub-Signature-256", Self.github), ("X-GitHub-Event", "ping"),
          ("X-GitHub-Delivery", "d1"),
        ]))
  }

  @Test func signsForwardedDeliveriesAsSvixDoes() throws {
    let key = try #require(StandardWebhooks.key(of: Secret(WebhookSecrets.clerk)))
    let signature = StandardWebhooks.signature(
      keys: [key], id: "msg_2b", timestamp: "1800000000", body: Self.body)
    #expect(signature == Self.svix)
  }
}
