import JWTKit

/// The RSA keys that an issuer signs with, from its JSON Web Key Set (RFC 7517).
struct SigningKeySet: Sendable {
  static let maximumBytes = 64 << 10
  static let maximumKeys = 100

  private let keys: [String: SigningKey]

  var isEmpty: Bool { keys.isEmpty }

  subscript(id: String) -> SigningKey? { keys[id] }

  /// Keys for something else than RS256 signatures are left out: symmetric ones above all, and those
  /// meant for encryption.
  /// - Throws: `Unreadable` when it is no key set.
  init(parsing body: [UInt8]) throws {
    guard body.count <= Self.maximumBytes else { throw Unreadable(reason: "it is above 64 KiB") }
    let document: JSONValue
    do { document = try JSONValue(parsing: body) } catch {
      throw Unreadable(reason: "it is no JSON")
    }
    guard let entries = document["keys"]?.array else {
      throw Unreadable(reason: "it has no list of keys")
    }
    guard entries.count <= Self.maximumKeys else {
      throw Unreadable(reason: "it has more than \(Self.maximumKeys) keys")
    }
    var keys: [String: SigningKey] = [:]
    for entry in entries {
      guard let (id, key) = SigningKey.read(entry), keys[id] == nil else { continue }
      keys[id] = key
    }
    self.keys = keys
  }

  struct Unreadable: Error { let reason: String }
}

/// One RSA public key.
struct SigningKey: Sendable {
  /// 8,192 bits in base64url.
  private static let maximumModulus = 1_366

  private let key: Insecure.RSA.PublicKey

  static func read(_ entry: JSONValue) -> (String, SigningKey)? {
    guard entry["kty"] == .string("RSA"), let id = entry["kid"]?.string, !id.isEmpty,
      id.utf8.count <= 256, (entry["use"] ?? .string("sig")) == .string("sig"),
      (entry["alg"] ?? .string("RS256")) == .string("RS256"),
      entry["key_ops"].map({ $0.array?.contains(.string("verify")) ?? false }) ?? true,
      let modulus = entry["n"]?.string, modulus.utf8.count <= maximumModulus,
      let exponent = entry["e"]?.string, exponent.utf8.count <= 8,
      // A key that cannot be one, or is below 2,048 bits, is left out like any other that is no use.
      let key = try? Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent)
    else { return nil }
    return (id, SigningKey(key: key))
  }

  /// Whether this key signed the token, by RS256 and nothing else.
  func signed(_ token: UnverifiedToken) async -> Bool {
    let keys = JWTKeyCollection()
    await keys.add(rsa: key, digestAlgorithm: .sha256)
    do {
      _ = try await keys.verify(token.bytes, as: SignatureOnly.self)
      return true
    } catch {
      return false
    }
  }

  /// The claims are read and judged by `TokenRules`; the library only sees to the signature.
  private struct SignatureOnly: JWTPayload {
    func verify(using algorithm: some JWTAlgorithm) async throws {}
  }
}
