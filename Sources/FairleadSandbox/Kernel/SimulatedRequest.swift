import Fairlead
import Foundation
import HTTPTypes

/// A request as a simulator sees it: parsed, bounded, with the provider's own path.
struct SimulatedRequest: Sendable {
  var method: String
  /// The provider's own path, percent-decoded, for example `/api/chat.postMessage`.
  var path: String
  /// The query as it arrived, without the question mark.
  var rawQuery: String
  var headers: HTTPFields
  var body: [UInt8]
  /// The simulators' time.
  var now: Timestamp
}

extension SimulatedRequest {
  var queryPairs: [FormPair]? { FormPair.parse(rawQuery.utf8) }

  func header(_ name: String) -> String? {
    HTTPField.Name(name).flatMap { headers[$0] }
  }

  /// The media type without parameters, lower case; empty when there is none.
  var mediaType: String {
    let type = (headers[.contentType] ?? "").prefix { $0 != ";" }
    return type.trimmingCharacters(in: .whitespaces).lowercased()
  }

  var bearerToken: String? {
    guard let value = headers[.authorization] else { return nil }
    let parts = value.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    let token = parts[1].trimmingCharacters(in: .whitespaces)
    return token.isEmpty ? nil : token
  }

  /// User name and password of HTTP Basic.
  var basicCredentials: (user: String, password: String)? {
    guard let value = headers[.authorization] else { return nil }
    let parts = value.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "basic",
      let bytes = [UInt8](anyBase64: parts[1].trimmingCharacters(in: .whitespaces))
    else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    guard let colon = text.firstIndex(of: ":") else { return nil }
    return (String(text[..<colon]), String(text[text.index(after: colon)...]))
  }

  /// The path's segments, empty ones left out.
  var segments: [String] { path.split(separator: "/").map(String.init) }
}
