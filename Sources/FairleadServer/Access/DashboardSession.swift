import Crypto
import Fairlead
import Foundation
import HTTPTypes

/// The dashboard's sign-in: a cookie that says until when, signed with a key derived from the admin
/// key, so that a new admin key signs everyone out and nothing is stored.
struct DashboardSession: Sendable {
  static let cookieName = "fairlead_session"
  static let lifetime: Duration = .seconds(12 * 3_600)

  private let key: SymmetricKey

  init(adminKey: Secret) {
    key = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: SymmetricKey(data: adminKey.exposeBytes()),
      info: Data("fairlead dashboard session".utf8), outputByteCount: 32)
  }

  /// A cookie value that is valid until `expiry`.
  func issue(until expiry: Timestamp, random: RandomSource) -> String {
    let payload = "\(expiry.seconds).\(random.token(bytes: 12))"
    return payload + "." + signature(of: payload)
  }

  func isValid(_ cookie: String, now: Timestamp) -> Bool {
    let parts = cookie.split(separator: ".")
    guard parts.count == 3, let expiry = Int64(parts[0]), expiry > now.seconds,
      let claimed = [UInt8](anyBase64: parts[2])
    else { return false }
    return HMAC<SHA256>.isValidAuthenticationCode(
      claimed, authenticating: Data("\(parts[0]).\(parts[1])".utf8), using: key)
  }

  private func signature(of payload: String) -> String {
    Array(HMAC<SHA256>.authenticationCode(for: Data(payload.utf8), using: key)).base64URL
  }
}

/// The cookies of a request by name; the first of a name counts.
func cookies(in headers: HTTPFields) -> [String: String] {
  var cookies: [String: String] = [:]
  for field in headers[values: .cookie] {
    for pair in field.split(separator: ";") {
      let parts = pair.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let name = parts[0].trimmingCharacters(in: .whitespaces)
      if cookies[name] == nil { cookies[name] = parts[1].trimmingCharacters(in: .whitespaces) }
    }
  }
  return cookies
}
