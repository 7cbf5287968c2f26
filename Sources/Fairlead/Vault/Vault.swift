import Crypto
import Foundation

/// Envelope encryption of everything secret.
///
/// Each value gets a random data key (AES-256-GCM); the data key is wrapped by a key of the ring,
/// which is never stored. Both layers are bound to the value's table, row and field. Thread-safe.
public final class Vault: Sendable {
  let keyRing: KeyRing
  private let random: RandomSource

  /// The longest value that can be sealed, in bytes.
  public static let maximumLength = 32 * 1_024 * 1_024

  public init(keyRing: KeyRing, random: RandomSource = .system) {
    self.keyRing = keyRing
    self.random = random
  }

  /// The id of the key that new values are sealed with.
  public var activeKeyID: String { keyRing.activeID }

  /// - Throws: `VaultError.tooLong`.
  public func seal(_ plaintext: [UInt8], for field: VaultField) throws -> [UInt8] {
    guard plaintext.count <= Self.maximumLength else { throw VaultError.tooLong }
    let dataKey = random.bytes(KeyRing.keyLength)
    let box = try encrypt(
      plaintext, with: SymmetricKey(data: dataKey), binding: Self.valueBinding(field))
    return try wrap(dataKey, around: box, for: field).bytes
  }

  /// - Throws: `VaultError`: `malformed`, `unknownKey`, `refused`.
  public func open(_ sealed: [UInt8], for field: VaultField) throws -> [UInt8] {
    let value = try SealedValue(sealed)
    let dataKey = SymmetricKey(data: try unwrap(value, for: field))
    return try decrypt(value.box, with: dataKey, binding: Self.valueBinding(field))
  }

  public func seal(_ secret: Secret, for field: VaultField) throws -> [UInt8] {
    try seal(secret.exposeBytes(), for: field)
  }

  public func openSecret(_ sealed: [UInt8], for field: VaultField) throws -> Secret {
    Secret(bytes: try open(sealed, for: field))
  }

  /// Which key a value was sealed with, without opening it.
  /// - Throws: `VaultError.malformed`.
  public static func keyID(of sealed: [UInt8]) throws -> String {
    try SealedValue(sealed).keyID
  }

  /// The same value under the active key: only the data key is wrapped anew, the value itself is not
  /// decrypted. What is under the active key already comes back unchanged.
  /// - Throws: `VaultError`: `malformed`, `unknownKey`, `refused`.
  public func rewrap(_ sealed: [UInt8], for field: VaultField) throws -> [UInt8] {
    let value = try SealedValue(sealed)
    let dataKey = try unwrap(value, for: field)
    if value.keyID == keyRing.activeID { return sealed }
    return try wrap(dataKey, around: value.box, for: field).bytes
  }

  // MARK: - Layers

  private func wrap(
    _ dataKey: [UInt8], around box: [UInt8], for field: VaultField
  ) throws -> SealedValue {
    let key = keyRing.keys[0]
    let wrapped = try encrypt(
      dataKey, with: key.secret, binding: Self.keyBinding(field, keyID: key.id))
    return SealedValue(keyID: key.id, wrappedKey: wrapped, box: box)
  }

  private func unwrap(_ value: SealedValue, for field: VaultField) throws -> [UInt8] {
    guard let key = keyRing.key(value.keyID) else { throw VaultError.unknownKey(value.keyID) }
    return try decrypt(
      value.wrappedKey, with: key.secret, binding: Self.keyBinding(field, keyID: key.id))
  }

  /// The version and algorithm are bound, the wrapping key is not: `rewrap` changes it.
  private static func valueBinding(_ field: VaultField) -> [UInt8] {
    field.authenticatedData("fairlead vault value", SealedValue.header)
  }

  private static func keyBinding(_ field: VaultField, keyID: String) -> [UInt8] {
    field.authenticatedData("fairlead vault data key", SealedValue.keyHeader(keyID))
  }

  private func encrypt(
    _ plaintext: [UInt8], with key: SymmetricKey, binding: [UInt8]
  ) throws -> [UInt8] {
    let nonce = try AES.GCM.Nonce(data: random.bytes(12))
    let box = try AES.GCM.seal(plaintext, using: key, nonce: nonce, authenticating: binding)
    return Array(nonce) + Array(box.ciphertext) + Array(box.tag)
  }

  private func decrypt(
    _ box: [UInt8], with key: SymmetricKey, binding: [UInt8]
  ) throws -> [UInt8] {
    do {
      return Array(
        try AES.GCM.open(AES.GCM.SealedBox(combined: box), using: key, authenticating: binding))
    } catch {
      throw VaultError.refused
    }
  }
}
