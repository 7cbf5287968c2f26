import HTTPTypes

/// Puts a connection's credential into a request, where the definition says.
enum Authorization {
  /// Why a credential cannot be applied; never holds a secret.
  struct Unusable: Error, Equatable {
    let reason: String
  }

  /// Removes whatever credential the caller brought, then adds the connection's own.
  /// - Throws: `Unusable`.
  static func apply(
    _ credential: Credential, placement: ProviderDefinition.CredentialPlacement?,
    headers: inout HTTPFields, url: inout UpstreamURL
  ) throws {
    headers[.authorization] = nil
    switch placement ?? standard(for: credential) {
    case nil: return
    case .header(let name, let template):
      guard let field = HTTPField.Name(name) else {
        throw Unusable(reason: "\(name) is no header name")
      }
      let value = try filled(template, from: credential)
      guard HTTPField.isValidValue(value) else {
        throw Unusable(reason: "the credential holds characters that no header may carry")
      }
      headers[field] = value
    case .query(let name, let template):
      url.setQuery(name: name, value: try filled(template, from: credential))
    }
  }

  /// Where credentials go when a definition does not say.
  private static func standard(
    for credential: Credential
  ) -> ProviderDefinition.CredentialPlacement? {
    switch credential {
    case .oauth2: .header(name: "Authorization", value: "Bearer {access_token}")
    case .apiKey: .header(name: "Authorization", value: "Bearer {api_key}")
    case .basic: .header(name: "Authorization", value: "Basic {username}:{password}")
    case .none: nil
    }
  }

  /// Replaces each `{field}`. After `Basic `, a value with a colon is encoded as RFC 7617 has it.
  static func filled(_ template: String, from credential: Credential) throws -> String {
    var result = ""
    var rest = template[...]
    while let open = rest.firstIndex(of: "{") {
      guard let close = rest[open...].firstIndex(of: "}") else { break }
      let name = String(rest[rest.index(after: open)..<close])
      guard let secret = credential.field(name) else {
        throw Unusable(reason: "the credential has no \(name)")
      }
      result += rest[..<open]
      result += secret.expose()
      rest = rest[rest.index(after: close)...]
    }
    result += rest
    if template.hasPrefix("Basic "), template.contains(":") {
      return "Basic " + result.dropFirst(6).utf8.base64
    }
    return result
  }
}
