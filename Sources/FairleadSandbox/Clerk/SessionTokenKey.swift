import Crypto
import CryptoExtras
public import Fairlead
import Foundation

/// An RSA key that signs session tokens, for the simulators and for tests of what verifies them. Made
/// with the system's randomness.
public struct SessionTokenKey: Sendable {
  public let id: String
  private let key: _RSA.Signing.PrivateKey

  /// Takes about a tenth of a second.
  /// - Throws: `CryptoKitError` when the system gives no randomness.
  public init(id: String) throws {
    self.id = id
    key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
  }

  /// The public half as a JSON Web Key (RFC 7517).
  public var json: JSONValue {
    // A key that was made here has its numbers.
    guard let numbers = try? key.publicKey.getKeyPrimitives() else { return .object([:]) }
    return [
      "use": "sig", "kty": "RSA", "alg": "RS256", "kid": .string(id),
      "n": .string(numbers.modulus.base64URL), "e": .string(numbers.publicExponent.base64URL),
    ]
  }

  /// The public half as text, which a confused verifier could take for a shared secret.
  public var publicPEM: [UInt8] { Array(key.publicKey.pemRepresentation.utf8) }

  /// A compact JWS (RFC 7515) that is signed by RS256, whatever its header says.
  /// - Parameter header: laid over `alg`, `kid` and `typ`; null removes one.
  public func token(
    _ claims: [String: JSONValue], header: [String: JSONValue] = [:]
  ) -> String {
    let signed = CompactToken.signedPart(header: self.header(header), claims: claims)
    // Signing fails only for a digest that is larger than the key.
    let signature = try? key.signature(
      for: SHA256.hash(data: Array(signed.utf8)), padding: .insecurePKCS1v1_5)
    return signed + "." + Array(signature?.rawRepresentation ?? Data()).base64URL
  }

  func header(_ changes: [String: JSONValue]) -> [String: JSONValue] {
    let usual: [String: JSONValue] = ["alg": "RS256", "kid": .string(id), "typ": "JWT"]
    return usual.merging(changes) { _, given in given }.filter { $0.value != .null }
  }
}

/// Compact JWS that no honest issuer makes.
public enum CompactToken {
  static func signedPart(header: [String: JSONValue], claims: [String: JSONValue]) -> String {
    JSONValue.object(header).bytes.base64URL + "." + JSONValue.object(claims).bytes.base64URL
  }

  /// Without a signature.
  public static func unsigned(
    _ claims: [String: JSONValue], header: [String: JSONValue]
  ) -> String {
    signedPart(header: header, claims: claims) + "."
  }

  /// HMAC-SHA256 with any bytes as the secret.
  public static func symmetric(
    _ claims: [String: JSONValue], header: [String: JSONValue], secret: [UInt8]
  ) -> String {
    let signed = signedPart(header: header, claims: claims)
    let code = HMAC<SHA256>.authenticationCode(
      for: Array(signed.utf8), using: SymmetricKey(data: secret))
    return signed + "." + Array(code).base64URL
  }
}
