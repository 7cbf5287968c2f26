import HTTPTypes
import NIOCore

/// The messages of the authorization code flow as we send them (RFC 6749, 7636, 7009). Pure: built
/// from the definition, sent elsewhere.
struct OAuthRequest: Sendable {
  let integration: Integration
  let oauth: ProviderDefinition.OAuth2
  /// The connection's values for `{param}` placeholders in endpoints, already validated.
  let params: [String: String]

  /// - Throws: `FairleadError`: `invalidRequest` where the integration does not connect by OAuth,
  ///   `configurationError` where its client id or secret is missing.
  init(_ integration: Integration, params: [String: String] = [:]) throws {
    guard case .oauth2Code(let oauth) = integration.definition.auth else {
      throw FairleadError(
        .invalidRequest,
        "\(integration.definition.displayName) is not connected by signing in; it takes a key.",
        integration: integration.name)
    }
    guard let id = integration.clientID, !id.isEmpty,
      oauth.clientAuth == .none || integration.clientSecret?.isEmpty == false
    else {
      throw FairleadError(
        .configurationError,
        "\(integration.definition.displayName) is not set up here yet: its client id or client "
          + "secret is missing. Set them and restart.", integration: integration.name)
    }
    self.integration = integration
    self.oauth = oauth
    self.params = params
  }

  var scopes: [String] { integration.scopes ?? oauth.defaultScopes }

  /// Where the browser is sent.
  func authorizeURL(
    redirectURI: String, state: String, pkce: PKCE?, nonce: String?
  ) -> String {
    var query = [
      ("response_type", "code"), ("client_id", integration.clientID ?? ""),
      ("redirect_uri", redirectURI), ("state", state),
    ]
    if !scopes.isEmpty {
      query.append(("scope", scopes.joined(separator: oauth.scopeSeparator)))
    }
    if let pkce {
      query.append(("code_challenge", pkce.challenge))
      query.append(("code_challenge_method", "S256"))
    }
    if let nonce { query.append(("nonce", nonce)) }
    query += oauth.authorizeParams.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    let url = endpoint(oauth.authorizeURL)
    return url + (url.contains("?") ? "&" : "?") + FormEncoding.encode(query)
  }

  /// The callback's code for tokens.
  func exchange(code: Secret, redirectURI: String, pkce: PKCE?) -> TransportRequest {
    var fields = [
      ("grant_type", "authorization_code"), ("code", code.expose()),
      ("redirect_uri", redirectURI),
    ]
    if let pkce { fields.append(("code_verifier", pkce.verifier.expose())) }
    return token(fields)
  }

  /// The refresh token for new ones.
  func refresh(_ refreshToken: Secret) -> TransportRequest {
    token([("grant_type", "refresh_token"), ("refresh_token", refreshToken.expose())])
  }

  /// Ends the grant; `nil` where the provider has no endpoint for that.
  func revocation(of credential: Credential.OAuth2) -> TransportRequest? {
    guard let url = oauth.revokeURL else { return nil }
    switch oauth.revoke.tokenIn {
    case .bearer:
      var headers = baseHeaders
      headers[.authorization] = "Bearer \(credential.accessToken.expose())"
      headers[.contentType] = "application/x-www-form-urlencoded"
      return TransportRequest(method: .post, url: endpoint(url), headers: headers)
    case .form, .json:
      // Revoking the refresh token ends the whole grant (RFC 7009 section 2.1).
      let refreshToken = oauth.revoke.token == .access ? nil : credential.refreshToken
      let token = refreshToken ?? credential.accessToken
      var fields = [(oauth.revoke.tokenParam, token.expose())]
      if oauth.revoke.tokenIn == .form, oauth.revoke.tokenParam == "token" {
        fields.append(
          ("token_type_hint", refreshToken == nil ? "access_token" : "refresh_token"))
      }
      var headers = baseHeaders
      authenticate(&fields, &headers, by: oauth.revoke.clientAuth ?? oauth.clientAuth)
      return send(
        oauth.revoke.method == .delete ? .delete : .post, url, fields, headers,
        format: oauth.revoke.tokenIn == .json ? .json : .form)
    }
  }

  /// One of the definition's endpoints, placeholders filled, moved to a replaced base URL.
  func endpoint(_ template: String) -> String {
    var url = template
    for (param, value) in params { url = url.replacing("{\(param)}", with: value) }
    url = url.replacing("{client_id}", with: FormEncoding.escape(integration.clientID ?? ""))
    return integration.endpoint(url)
  }

  private var baseHeaders: HTTPFields {
    [.accept: "application/json", .userAgent: "Fairlead"]
  }

  private func token(_ grant: [(String, String)]) -> TransportRequest {
    var fields = grant
    fields += oauth.tokenParams.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    var headers = baseHeaders
    authenticate(&fields, &headers, by: oauth.clientAuth)
    for (name, value) in oauth.tokenHeaders {
      guard let name = HTTPField.Name(name) else { continue }
      headers[name] = value
    }
    return send(.post, oauth.tokenURL, fields, headers, format: oauth.tokenFormat)
  }

  private func authenticate(
    _ fields: inout [(String, String)], _ headers: inout HTTPFields,
    by clientAuth: ProviderDefinition.OAuth2.ClientAuth
  ) {
    let id = integration.clientID ?? ""
    let secret = integration.clientSecret?.expose() ?? ""
    switch clientAuth {
    case .basic:
      // Both halves are form-encoded first (RFC 6749 section 2.3.1).
      let pair = FormEncoding.escape(id) + ":" + FormEncoding.escape(secret)
      headers[.authorization] = "Basic " + pair.utf8.base64
    case .body: fields += [("client_id", id), ("client_secret", secret)]
    case .none: fields.append(("client_id", id))
    }
  }

  private func send(
    _ method: HTTPRequest.Method, _ url: String, _ fields: [(String, String)],
    _ headers: HTTPFields,
    format: ProviderDefinition.OAuth2.TokenFormat
  ) -> TransportRequest {
    var headers = headers
    let body: ByteBuffer
    switch format {
    case .form:
      headers[.contentType] = "application/x-www-form-urlencoded"
      body = ByteBuffer(string: FormEncoding.encode(fields))
    case .json:
      headers[.contentType] = "application/json"
      let members = Dictionary(fields.map { ($0, JSONValue.string($1)) }) { _, last in last }
      body = ByteBuffer(bytes: JSONValue.object(members).bytes)
    }
    return TransportRequest(
      method: method, url: endpoint(url), headers: headers, body: .bytes(body))
  }
}
