import Crypto

/// Proof Key for Code Exchange (RFC 7636), method S256: the code is worth nothing to whoever
/// intercepts it without the verifier that only we hold.
struct PKCE: Sendable {
  /// 43 characters of base64url: 256 random bits.
  let verifier: Secret

  init(verifier: Secret) { self.verifier = verifier }
  init(random: RandomSource) { verifier = Secret(random.token(bytes: 32)) }

  /// What the authorize URL carries.
  var challenge: String { SHA256.hash(data: verifier.exposeBytes()).base64URL }
}
