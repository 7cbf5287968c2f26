import Crypto

/// HMAC over a message that is given in pieces, so that a body of many megabytes is not copied just
/// to put a timestamp in front of it.
enum MessageCode {
  static func make(
    _ algorithm: ProviderDefinition.WebhookSettings.Algorithm, key: [UInt8], parts: [[UInt8]]
  ) -> [UInt8] {
    switch algorithm {
    case .sha1: make(Insecure.SHA1.self, key: key, parts: parts)
    case .sha256: make(SHA256.self, key: key, parts: parts)
    case .sha512: make(SHA512.self, key: key, parts: parts)
    }
  }

  private static func make<Hash: HashFunction>(
    _ hash: Hash.Type, key: [UInt8], parts: [[UInt8]]
  ) -> [UInt8] {
    var code = HMAC<Hash>(key: SymmetricKey(data: key))
    for part in parts { code.update(data: part) }
    return Array(code.finalize())
  }
}

/// Compares every byte whatever the first difference. Lengths may differ (then the answer is no);
/// the length of a code is no secret.
func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  guard left.count == right.count else { return false }
  var difference: UInt8 = 0
  for (a, b) in zip(left, right) { difference |= a ^ b }
  return difference == 0
}
