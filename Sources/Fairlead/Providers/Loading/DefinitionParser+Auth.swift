extension DefinitionParser {
  func authorization(
    _ reader: YAMLReader, params: [String: ProviderDefinition.Parameter]
  ) -> ProviderDefinition.Auth? {
    guard let auth = YAMLMapping<AuthKey>(reader),
      let type = auth.require(.type, "oauth2_code, api_key, basic or none")?
        .choice(AuthType.self, later: AuthType.later)
    else { return nil }
    guard type == .oauth2Code else {
      for key in auth.keys where key != .type {
        auth[key]?.report("belongs to type oauth2_code, not \(type.rawValue); remove it.")
      }
      switch type {
      case .apiKey: return .apiKey
      case .basic: return .basic
      case .none, .oauth2Code: return ProviderDefinition.Auth.none
      }
    }
    let authorize = auth.require(.authorizeURL, "the provider's authorisation page, https://…")
    let token = auth.require(.tokenURL, "the provider's token endpoint, https://…")
    var oauth = ProviderDefinition.OAuth2(
      authorizeURL: authorize.flatMap { endpoint($0, params: params) } ?? "",
      tokenURL: token.flatMap { endpoint($0, params: params) } ?? "")
    oauth.revokeURL = auth[.revokeURL].flatMap { endpoint($0, params: params) }
    client(auth, &oauth)
    tokens(auth, &oauth)
    revocation(auth, &oauth)
    return .oauth2Code(oauth)
  }

  private func client(
    _ auth: YAMLMapping<AuthKey>, _ oauth: inout ProviderDefinition.OAuth2
  ) {
    if let scopes = auth.mapping(.scopes, ScopesKey.self) {
      if let separator = scopes[.separator].flatMap(scopeSeparator) {
        oauth.scopeSeparator = separator
      }
      oauth.defaultScopes = scopes[.defaultScopes]?.texts(max: 200, each: 300) ?? []
    }
    oauth.pkce = auth[.pkce]?.choice(ProviderDefinition.OAuth2.PKCE.self) ?? .s256
    oauth.nonce = auth[.nonce]?.bool() ?? false
    oauth.issuer = auth[.issuer].flatMap { endpoint($0, params: [:]) }
    oauth.issuerRequired = auth[.issuerRequired]?.bool() ?? false
    if oauth.issuerRequired, auth[.issuer] == nil {
      auth[.issuerRequired]?.report("needs `issuer`, the value to compare `iss` with.")
    }
    oauth.clientAuth =
      auth[.clientAuth]?.choice(
        ProviderDefinition.OAuth2.ClientAuth.self, later: ["private_key_jwt"]) ?? .body
    oauth.authorizeParams = texts(auth[.authorizeParams], reserved: Self.reservedAuthorizeParams)
  }

  private func tokens(
    _ auth: YAMLMapping<AuthKey>, _ oauth: inout ProviderDefinition.OAuth2
  ) {
    if let request = auth.mapping(.tokenRequest, TokenRequestKey.self) {
      oauth.tokenFormat =
        request[.format]?.choice(ProviderDefinition.OAuth2.TokenFormat.self) ?? .form
      oauth.tokenParams = texts(request[.params], reserved: Self.reservedTokenParams)
      oauth.tokenHeaders = headers(request[.headers])
    }
    if let response = auth.mapping(.tokenResponse, TokenResponseKey.self) {
      oauth.successWhen = response[.successWhen].flatMap(condition)
      if let path = response[.accessToken].flatMap(dottedPath) { oauth.accessTokenPath = path }
      if let path = response[.refreshToken].flatMap(dottedPath) { oauth.refreshTokenPath = path }
      if let path = response[.scope].flatMap(dottedPath) { oauth.scopePath = path }
      if let expires = response.mapping(.expires, ExpiresKey.self) {
        if let path = expires[.path].flatMap(dottedPath) { oauth.expires.path = path }
        oauth.expires.unit =
          expires[.unit]?.choice(ProviderDefinition.Expiry.Unit.self) ?? .seconds
      }
    }
    oauth.refreshRotates =
      auth.mapping(.refresh, RefreshKey.self)?[.rotates]?.bool() ?? false
  }

  private func revocation(
    _ auth: YAMLMapping<AuthKey>, _ oauth: inout ProviderDefinition.OAuth2
  ) {
    guard let revoke = auth.mapping(.revoke, RevokeKey.self) else { return }
    if auth[.revokeURL] == nil {
      auth[.revoke]?.report("says how to revoke, but `revoke_url` is missing; add it.")
    }
    typealias Revocation = ProviderDefinition.Revocation
    oauth.revoke.method = revoke[.method]?.choice(Revocation.Method.self) ?? .post
    oauth.revoke.clientAuth = revoke[.clientAuth]?.choice(
      ProviderDefinition.OAuth2.ClientAuth.self)
    oauth.revoke.tokenIn = revoke[.tokenIn]?.choice(Revocation.TokenIn.self) ?? .form
    oauth.revoke.token = revoke[.token]?.choice(Revocation.Token.self)
    if let name = revoke[.tokenParam]?.text(max: 100) { oauth.revoke.tokenParam = name }
    if oauth.revoke.tokenIn == .bearer {
      for key in [RevokeKey.token, .tokenParam, .clientAuth] {
        revoke[key]?.report("has no meaning where the access token is the bearer; remove it.")
      }
    }
    oauth.revoke.successWhen = revoke[.successWhen].flatMap(condition)
  }

  /// What the flow itself sets; a definition that overrode them would undo its safety.
  private static let reservedAuthorizeParams: Set<String> = [
    "client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge",
    "code_challenge_method",
  ]
  private static let reservedTokenParams: Set<String> = [
    "client_id", "client_secret", "code", "code_verifier", "grant_type", "redirect_uri",
    "refresh_token",
  ]

  private func scopeSeparator(_ reader: YAMLReader) -> String? {
    guard case .scalar(let text, _) = reader.node.content, [" ", ",", "+"].contains(text) else {
      reader.report("is \(reader.shown); write \" \" or \",\".")
      return nil
    }
    return text
  }

  private func texts(_ reader: YAMLReader?, reserved: Set<String>) -> [String: String] {
    var result: [String: String] = [:]
    for (key, line, value) in reader?.entries(max: 50) ?? [] {
      guard !reserved.contains(key.lowercased()) else {
        value.report("is set by the flow itself; remove it.", line: line)
        continue
      }
      guard key.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
        value.report("is no name of a parameter.", line: line)
        continue
      }
      result[key] = value.text(max: 1_000)
    }
    return result
  }

  func headers(_ reader: YAMLReader?) -> [String: String] {
    var result: [String: String] = [:]
    for (key, line, value) in reader?.entries(max: 50) ?? [] {
      guard !key.isEmpty, key.utf8.allSatisfy(Self.isTokenByte) else {
        value.report("is no header name; write one such as Accept.", line: line)
        continue
      }
      result[key] = value.text(max: 1_000)
    }
    return result
  }
}

// MARK: - Credential placement and proof

extension DefinitionParser {
  /// Where the credential goes; the usual place for its kind when the file does not say.
  func placement(
    _ reader: YAMLReader?, auth: ProviderDefinition.Auth?
  ) -> ProviderDefinition.CredentialPlacement? {
    guard let reader else {
      switch auth {
      case .oauth2Code: return .header(name: "Authorization", value: "Bearer {access_token}")
      case .apiKey: return .header(name: "Authorization", value: "Bearer {api_key}")
      case .basic, .some(.none), nil: return nil
      }
    }
    guard let apply = YAMLMapping<ApplyKey>(reader) else { return nil }
    if let query = apply[.query] {
      for key in [ApplyKey.header, .value] {
        apply[key]?.report("stands beside `query`; keep one of the two.")
      }
      guard let mapping = YAMLMapping<ApplyQueryKey>(query),
        let name = mapping.require(.name, "the name of the query parameter")?.text(max: 100),
        let value = template(mapping.require(.value, "a template such as {api_key}"), auth: auth)
      else { return nil }
      return .query(name: name, value: value)
    }
    let header = apply.require(.header, "a header's name, or query: { name, value }")
    guard let name = header.flatMap(headerName),
      let value = template(apply.require(.value, "a template such as Bearer {api_key}"), auth: auth)
    else { return nil }
    guard !Self.forbiddenHeaders.contains(name.lowercased()) else {
      header?.report("is a header of the connection itself; name another.")
      return nil
    }
    return .header(name: name, value: value)
  }

  static let forbiddenHeaders: Set<String> = [
    "host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer",
    "keep-alive", "proxy-connection",
  ]

  private func template(_ reader: YAMLReader?, auth: ProviderDefinition.Auth?) -> String? {
    guard let reader, let text = reader.text(max: 500) else { return nil }
    let known: [String]
    switch auth {
    case .oauth2Code: known = ["access_token"]
    case .apiKey: known = ["api_key", "api_secret"]
    case .basic: known = ["username", "password"]
    case .some(.none): known = []
    case nil: return text
    }
    guard let names = Self.placeholders(in: text) else {
      reader.report("has a { without a }.")
      return nil
    }
    if known.isEmpty {
      reader.report("auth is none, so there is no credential to apply; remove `apply`.")
      return nil
    }
    for name in names where !known.contains(name) {
      let list = known.map { "{\($0)}" }.joined(separator: " or ")
      reader.report("names {\(name)}, which this kind of credential does not have; use \(list).")
      return nil
    }
    guard !names.isEmpty else {
      reader.report("names no field of the credential; write \(known.map { "{\($0)}" }[0]).")
      return nil
    }
    return text
  }

  /// The names in `{…}`; `nil` when the braces do not match.
  static func placeholders(in text: String) -> [String]? {
    var names: [String] = []
    var rest = text[...]
    while let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
      guard rest[open] == "{", let close = rest[open...].firstIndex(of: "}") else { return nil }
      names.append(String(rest[rest.index(after: open)..<close]))
      rest = rest[rest.index(after: close)...]
    }
    return names
  }

  func verification(_ reader: YAMLReader) -> ProviderDefinition.Verification? {
    guard let mapping = YAMLMapping<VerifyKey>(reader),
      let path = mapping.require(.path, "the path of a call that any credential may make")
        .flatMap(path)
    else { return nil }
    var verification = ProviderDefinition.Verification(path: path)
    if let method = mapping[.method].flatMap(method) { verification.method = method }
    if let identity = mapping.mapping(.identity, IdentityKey.self) {
      verification.identityID = identity[.id].flatMap(dottedPath)
      verification.identityLabel = identity[.label].flatMap(dottedPath)
    }
    return verification
  }
}
