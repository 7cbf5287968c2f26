import Crypto
public import Fairlead
import Foundation

/// The signature headers of the simulated providers' webhooks, computed over the raw body.
public enum WebhookSignature {
  /// Slack's `v0` scheme: hex HMAC-SHA256 of `v0:{timestamp}:{body}`.
  public static func slack(
    _ body: [UInt8], secret: String, time: Timestamp
  ) -> [(name: String, value: String)] {
    let mac = hmac(Array(secret.utf8), Array("v0:\(time.seconds):".utf8) + body)
    return [
      ("x-slack-request-timestamp", "\(time.seconds)"), ("x-slack-signature", "v0=\(mac.hex)"),
    ]
  }

  /// Stripe's `v1` scheme: hex HMAC-SHA256 of `{timestamp}.{body}` with the whole `whsec_…` text.
  public static func stripe(
    _ body: [UInt8], secret: String, time: Timestamp
  ) -> [(name: String, value: String)] {
    let mac = hmac(Array(secret.utf8), Array("\(time.seconds).".utf8) + body)
    return [("stripe-signature", "t=\(time.seconds),v1=\(mac.hex)")]
  }

  /// Standard Webhooks: base64 HMAC-SHA256 of `{id}.{timestamp}.{body}` with the key that is base64
  /// after `whsec_`. A secret that is no base64 is used as it is.
  public static func standard(
    _ body: [UInt8], id: String, secret: String, time: Timestamp
  ) -> [(name: String, value: String)] {
    let text = secret.hasPrefix("whsec_") ? String(secret.dropFirst(6)) : secret
    let key = [UInt8](anyBase64: text) ?? Array(text.utf8)
    let mac = hmac(key, Array("\(id).\(time.seconds).".utf8) + body)
    return [
      ("webhook-id", id), ("webhook-timestamp", "\(time.seconds)"),
      ("webhook-signature", "v1,\(mac.base64)"),
    ]
  }

  /// GitHub's scheme: hex HMAC-SHA256 of the body alone. Nothing else of a delivery is signed.
  public static func github(_ body: [UInt8], secret: String) -> [(name: String, value: String)] {
    [("x-hub-signature-256", "sha256=\(hmac(Array(secret.utf8), body).hex)")]
  }

  private static func hmac(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
  }
}
