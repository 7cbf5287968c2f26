import Crypto
import Foundation

/// Tells two secrets apart in a log without telling what they are: a salted hash, of use only while
/// this process runs.
public struct Fingerprinter: Sendable {
  private let salt: [UInt8]

  public init(random: RandomSource = .system) { salt = random.bytes(32) }

  /// Eight hexadecimal digits, the same for the same secret.
  public func fingerprint(of secret: Secret) -> String {
    let code = HMAC<SHA256>.authenticationCode(
      for: secret.exposeBytes(), using: SymmetricKey(data: salt))
    return code.prefix(4).hex
  }
}
