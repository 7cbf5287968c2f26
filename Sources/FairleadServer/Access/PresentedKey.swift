import Fairlead
import Foundation
import HTTPTypes

/// The Fairlead key a request carries, wherever an SDK puts its API key.
struct PresentedKey {
  let secret: Secret
  /// The header it was found in.
  let header: HTTPField.Name

  /// Candidates in the order they are tried. `fairlead-key` comes first: who sets it needs the other
  /// headers for something else.
  static func candidates(in headers: HTTPFields) -> [PresentedKey] {
    var candidates: [PresentedKey] = []
    func add(_ text: some StringProtocol, _ header: HTTPField.Name) {
      if !text.isEmpty, text.utf8.count <= 512 {
        candidates.append(PresentedKey(secret: Secret(String(text)), header: header))
      }
    }
    if let key = headers[.fairleadKey] { add(key, .fairleadKey) }
    if let authorization = headers[.authorization] {
      let parts = authorization.split(separator: " ", maxSplits: 1)
      if parts.count == 2 {
        switch parts[0].lowercased() {
        case "bearer", "token": add(parts[1], .authorization)
        case "basic":
          guard let decoded = Data(base64Encoded: String(parts[1])) else { break }
          let pair = String(decoding: decoded, as: UTF8.self)
            .split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
          for half in pair { add(half, .authorization) }
        default: break
        }
      }
    }
    if let key = headers[.apiKey] { add(key, .apiKey) }
    return candidates
  }
}
