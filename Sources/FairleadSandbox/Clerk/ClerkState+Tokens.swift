import Fairlead
import HTTPTypes

extension ClerkState {
  /// Made when it is first needed: an RSA key takes its time.
  mutating func currentKey() -> SessionTokenKey {
    if let key = signingKeys.last { return key }
    return addKey()
  }

  /// A new key becomes the current one.
  @discardableResult
  mutating func addKey() -> SessionTokenKey {
    let id = signingKeys.isEmpty ? instanceID : "ins_" + random.alphanumeric(27)
    while true {
      // The system's generator does not run dry; if it ever did, nothing else would work either.
      if let key = try? SessionTokenKey(id: id) {
        signingKeys.append(key)
        return key
      }
    }
  }

  mutating func keySet() -> SimulatedResponse {
    _ = currentKey()
    return .json(
      ["keys": .array(signingKeys.map(\.json))], headers: [.cacheControl: "public, max-age=300"])
  }

  /// The claims of a session token, version 2. This instance has added the user's address and names
  /// to its session tokens, as Clerk's dashboard lets one do.
  func claims(
    of user: Object, session: Object, issuer: String, lifetime: Int64
  ) -> Object {
    var claims: Object = [
      "iss": .string(issuer), "sub": user["id"] ?? .null, "sid": session["id"] ?? .null,
      "iat": .int(now.seconds), "nbf": .int(now.seconds - 10),
      "exp": .int(now.seconds + lifetime), "jti": .string(random.hexadecimal(20)),
      "fva": [0, -1], "v": 2, "sts": .string(session["status"]?.string ?? "active"),
    ]
    let primary = user["primary_email_address_id"]
    let address = user["email_addresses"]?.array?.first { $0["id"] == primary }
    if let email = address?["email_address"] { claims["email"] = email }
    let names = ["first_name", "last_name"].compactMap { user[$0]?.string }
    for name in ["first_name", "last_name"] {
      if let text = user[name]?.string { claims[name] = .string(text) }
    }
    if !names.isEmpty { claims["name"] = .string(names.joined(separator: " ")) }
    return claims
  }
}
