import Foundation
import HTTPTypes

/// The headers of a delivery as they are kept: without credentials and signatures, and bounded.
enum HeaderRecord {
  static let redacted = "[redacted]"
  private static let maximumCount = 64
  private static let maximumValueLength = 2_048
  private static let sensitive: Set<String> = [
    "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key",
    "x-shopify-access-token", "x-goog-channel-token", "x-shopify-hmac-sha256",
    "x-hub-signature-256",
  ]

  static func make(_ headers: HTTPFields, signatureHeader: String) -> [EventHeader] {
    headers.prefix(maximumCount).map { field in
      let name = field.name.canonicalName
      let hide =
        sensitive.contains(name) || name == signatureHeader.lowercased()
        || ["signature", "token", "secret", "password"].contains(where: name.contains)
      let value = hide ? redacted : String(field.value.prefix(maximumValueLength))
      // PostgreSQL takes no NUL in text.
      return EventHeader(
        name: field.name.rawName, value: value.replacing("\0", with: ""))
    }
  }

  static func json(_ headers: [EventHeader]) -> String {
    // Two strings each: encoding cannot fail.
    (try? JSONEncoder().encode(headers)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
  }
}
