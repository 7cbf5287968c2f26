/// The form a credential has inside its seal: one JSON object, so that the access and the refresh
/// token are always written together.
enum CredentialCoding {
  static func encode(_ credential: Credential) -> [UInt8] {
    var fields: [String: JSONValue]
    switch credential {
    case .oauth2(let tokens):
      fields = [
        "kind": "oauth2", "access_token": text(tokens.accessToken),
        "token_type": .string(tokens.tokenType), "issued_at": .int(tokens.issuedAt.microseconds),
      ]
      fields["refresh_token"] = tokens.refreshToken.map(text)
      fields["expires_at"] = tokens.expiresAt.map { .int($0.microseconds) }
    case .apiKey(let key, let secret):
      fields = ["kind": "api_key", "api_key": text(key)]
      fields["api_secret"] = secret.map(text)
    case .basic(let username, let password):
      fields = ["kind": "basic", "username": .string(username), "password": text(password)]
    case .none: fields = ["kind": "none"]
    }
    return JSONValue.object(fields).bytes
  }

  /// - Throws: `StorageError.corrupt` when the bytes are not what `encode` wrote.
  static func decode(_ bytes: [UInt8]) throws -> Credential {
    let damaged = StorageError.corrupt("a sealed credential does not hold what was written")
    // The decoder's own error could quote the plaintext.
    guard let fields = try? JSONValue(parsing: bytes) else { throw damaged }
    func secret(_ name: String) -> Secret? { fields[name]?.string.map { Secret($0) } }
    switch fields["kind"]?.string {
    case "oauth2":
      guard let access = secret("access_token"), let issued = fields["issued_at"]?.int else {
        throw damaged
      }
      return .oauth2(
        Credential.OAuth2(
          accessToken: access, refreshToken: secret("refresh_token"),
          tokenType: fields["token_type"]?.string ?? "Bearer",
          expiresAt: fields["expires_at"]?.int.map { Timestamp(microseconds: $0) },
          issuedAt: Timestamp(microseconds: issued)))
    case "api_key":
      guard let key = secret("api_key") else { throw damaged }
      return .apiKey(key: key, secret: secret("api_secret"))
    case "basic":
      guard let username = fields["username"]?.string, let password = secret("password") else {
        throw damaged
      }
      return .basic(username: username, password: password)
    case "none": return .none
    default: throw damaged
    }
  }

  private static func text(_ secret: Secret) -> JSONValue { .string(secret.expose()) }
}
