import Crypto
import Foundation

extension Vault {
  /// A keyed digest (HMAC-SHA-256) to find a secret by equality without storing it: the blind index.
  /// Made with the active key; look up with `digests(of:purpose:)`.
  /// - Parameter purpose: keeps the digests of one use apart from those of another.
  public func digest(of value: [UInt8], purpose: String) -> [UInt8] {
    Self.digest(of: value, purpose: purpose, key: keyRing.keys[0])
  }

  /// The digests under every key of the ring, the active one first: a row may have been written
  /// under any of them.
  public func digests(of value: [UInt8], purpose: String) -> [[UInt8]] {
    keyRing.keys.map { Self.digest(of: value, purpose: purpose, key: $0) }
  }

  /// Twelve hexadecimal digits that tell two secrets apart in a log. Keyed, so that a guessed secret
  /// cannot be tried against a log.
  public func fingerprint(of secret: Secret) -> String {
    digest(of: secret.exposeBytes(), purpose: "log fingerprint").prefix(6).hex
  }

  private static func digest(of value: [UInt8], purpose: String, key: KeyRing.Key) -> [UInt8] {
    let derived = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: key.secret, salt: Array("fairlead vault".utf8),
      info: Array("digest \(purpose)".utf8), outputByteCount: 32)
    return Array(HMAC<SHA256>.authenticationCode(for: value, using: derived))
  }
}
