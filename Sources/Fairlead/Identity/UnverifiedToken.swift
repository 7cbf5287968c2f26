/// A compact JWS (RFC 7515) taken apart, with nothing in it believed yet.
///
/// What would decide how it is verified is decided here and not by the token: only RS256 passes, and
/// keys that the header brings along (`jwk`, `jku`, `x5u`, `x5c`) are never looked at.
struct UnverifiedToken: Sendable {
  static let maximumLength = 8_192
  private static let maximumKeyID = 256

  /// The token itself, for the signature's sake.
  let bytes: [UInt8]
  let keyID: String
  /// Which configured issuer has to have signed it.
  let issuer: String
  let claims: [String: JSONValue]

  init(parsing token: String) throws(TokenRefusal) {
    guard token.utf8.count <= Self.maximumLength else { throw .tooLarge }
    let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, parts.allSatisfy({ $0.allSatisfy(Self.isBase64URL) }) else {
      throw .malformed
    }
    guard let header = Self.object(parts[0]) else { throw .badHeader }
    guard header["alg"] == .string("RS256") else { throw .algorithm }
    guard !header.keys.contains("crit") else { throw .critical }
    if let type = header["typ"] {
      guard type.string?.uppercased() == "JWT" else { throw .type }
    }
    guard let keyID = header["kid"]?.string, (1...Self.maximumKeyID).contains(keyID.utf8.count)
    else { throw .noKeyID }
    guard !parts[2].isEmpty else { throw .badSignature }
    guard let claims = Self.object(parts[1]), let issuer = claims["iss"]?.string else {
      throw .badClaims
    }
    bytes = Array(token.utf8)
    self.keyID = keyID
    self.issuer = issuer
    self.claims = claims
  }

  private static func object(_ part: Substring.UTF8View) -> [String: JSONValue]? {
    guard let bytes = [UInt8](anyBase64: Substring(part)) else { return nil }
    // What is no JSON is as good as missing.
    return (try? JSONValue(parsing: bytes))?.object
  }

  private static func isBase64URL(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, 45, 95: true
    default: false
    }
  }
}
