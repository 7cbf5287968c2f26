/// The signature scheme of Standard Webhooks, which we verify and also sign forwarded deliveries by.
enum StandardWebhooks {
  static let secretPrefix = "whsec_"

  /// The key inside `whsec_BASE64` (the prefix may be missing, the padding too); `nil` when there is
  /// none.
  static func key(of secret: Secret) -> [UInt8]? {
    var text = secret.expose()[...]
    if text.hasPrefix(secretPrefix) { text = text.dropFirst(secretPrefix.count) }
    guard let key = [UInt8](anyBase64: text), !key.isEmpty else { return nil }
    return key
  }

  /// A fresh secret of 32 random bytes.
  static func makeSecret(random: RandomSource) -> Secret {
    Secret(secretPrefix + random.bytes(32).base64)
  }

  static func parts(id: String, timestamp: String, body: [UInt8]) -> [[UInt8]] {
    [Array("\(id).\(timestamp).".utf8), body]
  }

  /// The value of `webhook-signature`: one `v1,BASE64` for each key.
  static func signature(keys: [[UInt8]], id: String, timestamp: String, body: [UInt8]) -> String {
    keys.map { key in
      let code = MessageCode.make(
        .sha256, key: key, parts: parts(id: id, timestamp: timestamp, body: body))
      return "v1," + code.base64
    }.joined(separator: " ")
  }
}
