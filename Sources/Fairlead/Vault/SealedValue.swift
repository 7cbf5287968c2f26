/// The parts of a sealed value:
///
///     version 1 | algorithm 1 | length and id of the wrapping key
///     | wrapped data key: nonce 12, ciphertext 32, tag 16 | nonce 12 | ciphertext | tag 16
struct SealedValue {
  static let version: UInt8 = 1
  /// AES-256-GCM for both layers.
  static let algorithm: UInt8 = 1
  static let wrappedLength = 12 + KeyRing.keyLength + 16
  static let overhead = 12 + 16

  let keyID: String
  /// Nonce, ciphertext and tag of the data key.
  let wrappedKey: [UInt8]
  /// Nonce, ciphertext and tag of the value.
  let box: [UInt8]

  init(keyID: String, wrappedKey: [UInt8], box: [UInt8]) {
    self.keyID = keyID
    self.wrappedKey = wrappedKey
    self.box = box
  }

  /// - Throws: `VaultError.malformed`.
  init(_ bytes: [UInt8]) throws {
    guard bytes.count >= 3, bytes[0] == Self.version, bytes[1] == Self.algorithm else {
      throw VaultError.malformed
    }
    let wrappedStart = 3 + Int(bytes[2])
    let boxStart = wrappedStart + Self.wrappedLength
    guard bytes.count >= boxStart + Self.overhead else { throw VaultError.malformed }
    let id = String(decoding: bytes[3..<wrappedStart], as: UTF8.self)
    guard KeyRing.isValid(id: id) else { throw VaultError.malformed }
    keyID = id
    wrappedKey = Array(bytes[wrappedStart..<boxStart])
    box = Array(bytes[boxStart...])
  }

  /// What is bound into both layers besides the field.
  static let header: [UInt8] = [version, algorithm]

  /// What is bound into the wrapped key.
  static func keyHeader(_ keyID: String) -> [UInt8] {
    header + [UInt8(truncatingIfNeeded: keyID.utf8.count)] + Array(keyID.utf8)
  }

  var bytes: [UInt8] { Self.keyHeader(keyID) + wrappedKey + box }
}
