import HTTPTypes

/// Makes the definition's `verify` call: proves a credential and learns whose it is.
struct CredentialVerifier: Sendable {
  let exchange: BoundedExchange

  /// - Returns: `id` and `label` as far as the definition says where they stand; nothing where it
  ///   knows no such call.
  /// - Throws: `FairleadError`: `invalidRequest` when the provider refuses the credential,
  ///   `serviceUnavailable` when it cannot be asked. `CancellationError`.
  func identity(
    of credential: Credential, at integration: Integration, params: [String: String]
  ) async throws -> [String: String] {
    guard let verify = integration.definition.verify else { return [:] }
    let reply = try await ask(verify, credential, integration, params)
    // A body that is no JSON has no identity, and matches no rule about its content.
    let body = try? JSONValue(parsing: reply.body)
    try check(reply, body, integration, credential)
    var identity: [String: String] = [:]
    for (name, path) in [("id", verify.identityID), ("label", verify.identityLabel)] {
      guard let path, let text = body?[path: path]?.scalarText, text.utf8.count <= 512 else {
        continue
      }
      identity[name] = text
    }
    return identity
  }

  private func ask(
    _ verify: ProviderDefinition.Verification, _ credential: Credential, _ integration: Integration,
    _ params: [String: String]
  ) async throws -> BoundedReply {
    var headers: HTTPFields = [.accept: "application/json", .userAgent: "Fairlead"]
    var url = try integration.origin(params: params) + verify.path
    switch integration.definition.apply ?? credential.usualPlacement {
    case .header(let name, let value):
      guard let name = HTTPField.Name(name) else { break }
      headers[name] = credential.fill(value)
    case .query(let name, let value):
      url += url.contains("?") ? "&" : "?"
      url += FormEncoding.encode([(name, credential.fill(value))])
    case nil: break
    }
    for (name, value) in integration.definition.defaultHeaders {
      if let name = HTTPField.Name(name) { headers[name] = value }
    }
    let request = TransportRequest(
      method: HTTPRequest.Method(verify.method) ?? .get, url: url, headers: headers)
    do {
      return try await exchange.send(request)
    } catch let error as TransportError {
      throw unavailable(integration, status: nil, detail: "verify: \(error.kind.rawValue)")
    }
  }

  private func check(
    _ reply: BoundedReply, _ body: JSONValue?, _ integration: Integration, _ credential: Credential
  ) throws {
    let name = integration.definition.displayName
    let rule = integration.definition.errors.first {
      $0.when.matches(status: reply.status, headers: reply.headers, json: body)
    }
    switch (rule?.errorClass, reply.status) {
    case (.authExpired, _), (.authRevoked, _), (nil, 401):
      throw FairleadError(
        .invalidRequest,
        "\(name) refused this \(credential.noun). Check that it is complete and still active.",
        integration: integration.name, status: reply.status)
    case (.forbidden, _), (nil, 403):
      throw FairleadError(
        .invalidRequest,
        "\(name) knows this \(credential.noun), but does not let it read its own account, so it "
          + "cannot be checked. Give it that permission.",
        integration: integration.name, status: reply.status)
    case (.transient, _), (.rateLimited, _), (.conflictRetryable, _), (nil, 408), (nil, 429),
      (nil, 500...):
      throw unavailable(integration, status: reply.status, detail: "verify")
    case (nil, 200..<300): break
    default:
      throw FairleadError(
        .invalidRequest,
        "\(name) did not accept this \(credential.noun): its check was answered with an error.",
        integration: integration.name, status: reply.status)
    }
  }

  private func unavailable(
    _ integration: Integration, status: Int?, detail: String
  ) -> FairleadError {
    FairleadError(
      .serviceUnavailable,
      "\(integration.definition.displayName) cannot be reached right now to check this account. "
        + "Try again in a moment.",
      integration: integration.name, status: status, detail: detail)
  }
}

extension Credential {
  /// What people call it.
  var noun: String {
    switch self {
    case .oauth2: "token"
    case .apiKey: "key"
    case .basic: "username and password"
    case .none: "account"
    }
  }

  /// Where it goes when the definition does not say.
  var usualPlacement: ProviderDefinition.CredentialPlacement? {
    switch self {
    case .oauth2: .header(name: "authorization", value: "Bearer {access_token}")
    case .apiKey: .header(name: "authorization", value: "Bearer {api_key}")
    case .basic: .header(name: "authorization", value: "Basic {username}:{password}")
    case .none: nil
    }
  }

  /// A template with its `{field}`s filled in; after `Basic `, a pair with a colon is encoded as
  /// RFC 7617 has it.
  func fill(_ template: String) -> String {
    var filled = ""
    var rest = template[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      filled += rest[..<open]
      let name = String(rest[rest.index(after: open)..<close])
      filled += field(name)?.expose() ?? ""
      rest = rest[rest.index(after: close)...]
    }
    filled += rest
    guard template.hasPrefix("Basic "), template.contains(":") else { return filled }
    return "Basic " + filled.dropFirst("Basic ".count).utf8.base64
  }
}
