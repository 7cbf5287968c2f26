public import Fairlead
public import HTTPTypes

/// Signs webhook bodies the way providers do, for tests of what receives them.
///
/// Each function returns the headers that a genuine delivery of `body` carries. The bytes given here
/// must be the bytes that are sent.
public enum WebhookSigner {
  /// `Stripe-Signature`, over `time.body`, keyed with the whole `whsec_…` text.
  public static func stripe(body: [UInt8], secret: String, at time: Timestamp) -> HTTPFields {
    sign(.init(scheme: .stripe, header: "Stripe-Signature"), body, secret, at: time)
  }

  /// `X-Slack-Signature` and `X-Slack-Request-Timestamp`.
  public static func slack(body: [UInt8], secret: String, at time: Timestamp) -> HTTPFields {
    var settings = ProviderDefinition.WebhookSettings(scheme: .hmac, header: "X-Slack-Signature")
    settings.prefix = "v0="
    settings.signed = "v0:{timestamp}:{body}"
    settings.timestampHeader = "X-Slack-Request-Timestamp"
    return sign(settings, body, secret, at: time)
  }

  /// `X-Hub-Signature-256` with `X-GitHub-Event` and `X-GitHub-Delivery`.
  public static func github(
    body: [UInt8], secret: String, event: String, delivery: String
  ) -> HTTPFields {
    var settings = ProviderDefinition.WebhookSettings(scheme: .hmac, header: "X-Hub-Signature-256")
    settings.prefix = "sha256="
    settings.eventID = .header("X-GitHub-Delivery")
    settings.eventType = .header("X-GitHub-Event")
    // The scheme signs no time.
    let time = Timestamp(seconds: 0)
    return sign(settings, body, secret, id: delivery, type: event, at: time)
  }

  /// Which names the headers of Standard Webhooks go by.
  public enum HeaderFamily: String, Sendable, CaseIterable { case webhook, svix }

  /// Standard Webhooks (Clerk and others through Svix): id, timestamp and signature.
  /// - Parameter secret: `whsec_` and base64. Nothing is signed with a text that is no base64.
  public static func standard(
    body: [UInt8], secret: String, id: String, at time: Timestamp,
    family: HeaderFamily = .webhook
  ) -> HTTPFields {
    sign(
      .init(scheme: .standard, header: "\(family.rawValue)-signature"), body, secret, id: id,
      at: time)
  }

  private static func sign(
    _ settings: ProviderDefinition.WebhookSettings, _ body: [UInt8], _ secret: String,
    id: String = "", type: String = "", at time: Timestamp
  ) -> HTTPFields {
    // A secret that cannot sign gives no headers, which nothing accepts.
    (try? WebhookSigning(settings).headers(
      body: body, secret: Secret(secret), id: id, type: type, at: time)) ?? HTTPFields()
  }
}
