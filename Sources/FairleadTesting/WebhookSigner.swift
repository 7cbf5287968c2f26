import Crypto
public import Fairlead
import Foundation
public import HTTPTypes

/// Signs webhook bodies the way providers do, for tests of what receives them.
///
/// Each function returns the headers that a genuine delivery of `body` carries. The bytes given here
/// must be the bytes that are sent.
public enum WebhookSigner {
  /// `Stripe-Signature`, over `time.body`, keyed with the whole `whsec_…` text.
  public static func stripe(body: [UInt8], secret: String, at time: Timestamp) -> HTTPFields {
    let signed = Array("\(time.seconds).".utf8) + body
    let code = hmac(signed, key: Array(secret.utf8)).hex
    return fields(("Stripe-Signature", "t=\(time.seconds),v1=\(code)"))
  }

  /// `X-Slack-Signature` and `X-Slack-Request-Timestamp`.
  public static func slack(body: [UInt8], secret: String, at time: Timestamp) -> HTTPFields {
    let signed = Array("v0:\(time.seconds):".utf8) + body
    let code = hmac(signed, key: Array(secret.utf8)).hex
    return fields(
      ("X-Slack-Signature", "v0=\(code)"), ("X-Slack-Request-Timestamp", "\(time.seconds)"))
  }

  /// `X-Hub-Signature-256` with `X-GitHub-Event` and `X-GitHub-Delivery`.
  public static func github(
    body: [UInt8], secret: String, event: String, delivery: String
  ) -> HTTPFields {
    let code = hmac(body, key: Array(secret.utf8)).hex
    return fields(
      ("X-Hub-Signature-256", "sha256=\(code)"), ("X-GitHub-Event", event),
      ("X-GitHub-Delivery", delivery))
  }

  /// Which names the headers of Standard Webhooks go by.
  public enum HeaderFamily: String, Sendable, CaseIterable { case webhook, svix }

  /// Standard Webhooks (Clerk and others through Svix): id, timestamp and signature.
  /// - Parameter secret: `whsec_` and base64. Text that is no base64 signs with an empty key, which
  ///   nothing accepts.
  public static func standard(
    body: [UInt8], secret: String, id: String, at time: Timestamp,
    family: HeaderFamily = .webhook
  ) -> HTTPFields {
    let encoded = secret.hasPrefix("whsec_") ? secret.dropFirst("whsec_".count) : secret[...]
    let key = [UInt8](anyBase64: encoded) ?? []
    let signed = Array("\(id).\(time.seconds).".utf8) + body
    let code = hmac(signed, key: key).base64
    return fields(
      ("\(family.rawValue)-id", id), ("\(family.rawValue)-timestamp", "\(time.seconds)"),
      ("\(family.rawValue)-signature", "v1,\(code)"))
  }

  private static func hmac(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
  }

  private static func fields(_ pairs: (String, String)...) -> HTTPFields {
    var fields = HTTPFields()
    for (name, value) in pairs {
      if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
    }
    return fields
  }
}
