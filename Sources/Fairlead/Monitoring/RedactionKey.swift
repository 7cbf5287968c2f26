/// What the name of a header, parameter or member says about its value.
struct RedactionKey {
  enum Kind {
    case open
    /// Also a plain word in other places: an error's code, a connection's state.
    case ambiguous
    case secret
  }

  let kind: Kind
  /// `Authorization`, `Cookie`, `X-Signature`: as headers the rest of the line belongs to them.
  let isHeader: Bool
  /// `total_tokens` and its like: a number under it is no secret.
  let isCount: Bool
  /// Headers that carry a URL.
  let holdsURL: Bool
  /// Carries a Fairlead key.
  let isOurs: Bool

  private static let secretParts: [[UInt8]] = [
    "token", "secret", "password", "passwd", "passphrase", "assertion", "apikey", "verifier",
    "credential", "privatekey", "signingkey", "accesskey", "vaultkey", "adminkey", "encryptionkey",
    "authorization", "cookie", "signature",
  ].map { Array($0.utf8) }
  private static let ambiguousNames: Set<String> = [
    "code", "state", "key", "refresh", "sig", "auth", "pwd", "pass", "jwt", "session", "sid",
  ]
  private static let openNames: Set<String> = [
    "tokentype", "tokenurl", "tokenendpoint", "tokenendpointauthmethod", "tokenexpiresat",
  ]
  private static let urlNames: Set<String> = ["location", "referer", "referrer", "link", "url"]
  private static let longest = 64

  init(_ name: some StringProtocol) { self.init(bytes: name.utf8.suffix(Self.longest)) }

  /// - Parameter bytes: the name in any case, with any separators; its last 64 bytes decide.
  init(bytes: some Collection<UInt8>) {
    var squeezed: [UInt8] = []
    squeezed.reserveCapacity(bytes.count)
    for byte in bytes {
      switch byte {
      case 65...90: squeezed.append(byte | 32)
      case 97...122, 48...57: squeezed.append(byte)
      default: break
      }
    }
    let name = String(decoding: squeezed, as: UTF8.self)
    isHeader = ["authorization", "cookie", "signature"].contains { name.hasSuffix($0) }
    isCount = name.hasSuffix("tokens") || name.hasSuffix("tokencount")
    holdsURL = Self.urlNames.contains(name)
    isOurs = name == "fairleadkey"
    if Self.openNames.contains(name) {
      kind = .open
    } else if Self.secretParts.contains(where: { squeezed.holds($0) }) {
      kind = .secret
    } else {
      kind = Self.ambiguousNames.contains(name) ? .ambiguous : .open
    }
  }

  /// Whether `value` under an ambiguous name is a plain word or status rather than a credential:
  /// `card_declined`, `NOT_FOUND`, `404`.
  static func isPlainWord(_ value: some Collection<UInt8>) -> Bool {
    guard value.count <= 32 else { return false }
    if value.count <= 3, value.allSatisfy({ (48...57).contains($0) }) { return true }
    // The mask may be part of it: what is left was judged before.
    func joins(_ byte: UInt8) -> Bool { [95, 45, 32, 42].contains(byte) }
    return value.allSatisfy { (97...122).contains($0) || joins($0) }
      || value.allSatisfy { (65...90).contains($0) || joins($0) }
  }

  static func isScheme(_ word: some StringProtocol) -> Bool {
    ["bearer", "basic", "token", "bot", "digest"].contains(word.lowercased())
  }
}

extension Array<UInt8> {
  fileprivate func holds(_ part: [UInt8]) -> Bool {
    guard count >= part.count else { return false }
    return (0...count - part.count).contains { start in
      self[start..<start + part.count].elementsEqual(part)
    }
  }
}
