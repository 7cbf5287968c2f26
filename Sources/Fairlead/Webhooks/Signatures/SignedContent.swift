/// What each scheme signs, in pieces for `MessageCode`: one recipe for those who verify and for
/// those who sign.
enum SignedContent {
  /// Stripe: `SECONDS.body`. Source: docs.stripe.com/webhooks, "Verify webhook signatures manually".
  static func stripe(timestamp: some StringProtocol, body: [UInt8]) -> [[UInt8]] {
    [Array(timestamp.utf8), Array(".".utf8), body]
  }

  /// A template such as `v0:{timestamp}:{body}` with its values; `nil` when it wants a timestamp and
  /// there is none.
  static func template(_ template: String, timestamp: String?, body: [UInt8]) -> [[UInt8]]? {
    var parts: [[UInt8]] = []
    var rest = template[...]
    while let open = rest.firstIndex(of: "{") {
      parts.append(Array(rest[..<open].utf8))
      rest = rest[open...]
      if rest.hasPrefix("{body}") {
        parts.append(body)
        rest = rest.dropFirst("{body}".count)
      } else if rest.hasPrefix("{timestamp}") {
        guard let timestamp else { return nil }
        parts.append(Array(timestamp.utf8))
        rest = rest.dropFirst("{timestamp}".count)
      } else {
        parts.append(Array("{".utf8))
        rest = rest.dropFirst()
      }
    }
    parts.append(Array(rest.utf8))
    return parts
  }
}
