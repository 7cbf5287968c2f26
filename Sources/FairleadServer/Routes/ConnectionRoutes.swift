import Fairlead
import HTTPTypes
import Hummingbird

/// Connections, for the application.
struct ConnectionRoutes: Sendable {
  let fairlead: Fairlead

  var routes: [Route] {
    [
      .post(
        "/v1/connections", access: .key(.connections),
        RouteDocumentation(
          "createConnection", tag: "Connections", "Connect an account with its key",
          details: "The key is checked with the provider before it is stored.",
          body: .object(
            [
              ("integration", .string), ("owner", .string), ("owner_label", .string),
              ("credentials", .map(.string)), ("params", .map(.string)),
            ], optional: ["owner_label", "params"]),
          answers: [(201, "Connected.", .reference("Connection"))])
      ) { try await create($0) },
      .get(
        "/v1/connections", access: .key(.connections),
        RouteDocumentation(
          "listConnections", tag: "Connections", "List connections",
          parameters: [
            .query("integration", "Only of this integration."),
            .query("owner", "Only of this owner."), .query("state", "Only in this state."),
            .query("cursor", "`next_cursor` of the page before."),
            .query("limit", "1 to 200, 50 by default.", .integer),
          ],
          answers: [(200, "A page.", .page(of: .reference("Connection")))])
      ) { try await list($0) },
      .get(
        "/v1/connections/{id}", access: .key(.connections),
        RouteDocumentation(
          "getConnection", tag: "Connections", "One connection",
          answers: [(200, "The connection.", .reference("Connection"))])
      ) { try await show(try await fairlead.connections.connection(id($0))) },
      .delete(
        "/v1/connections/{id}", access: .key(.connections),
        RouteDocumentation(
          "deleteConnection", tag: "Connections", "Disconnect",
          details: "Revokes the grant at the provider where it can, then deletes it here.",
          answers: [
            (
              200, "Disconnected.",
              .object([("revoked_at_provider", .boolean), ("message", .string)])
            )
          ])
      ) {
        let outcome = try await fairlead.connections.disconnect(id($0))
        return .json([
          "revoked_at_provider": .bool(outcome.revokedAtProvider),
          "message": .string(outcome.message),
        ])
      },
      .post(
        "/v1/connections/{id}/refresh", access: .key(.connections),
        RouteDocumentation(
          "refreshConnection", tag: "Connections", "Refresh its token now",
          answers: [(200, "Refreshed.", .reference("Connection"))])
      ) { try await show(try await fairlead.connections.refresh(id($0))) },
      .get(
        "/v1/connections/{id}/token", access: .key(.tokens),
        RouteDocumentation(
          "getToken", tag: "Connections", "A currently valid token",
          answers: [
            (
              200, "The token.",
              .object([
                ("access_token", .string), ("token_type", .string),
                ("expires_at", .nullable(.timestamp)),
              ])
            )
          ])
      ) {
        let token = try await fairlead.connections.accessToken(id($0))
        return .json([
          "access_token": .string(token.accessToken.expose()),
          "token_type": .string(token.tokenType),
          "expires_at": .optional(token.expiresAt?.rfc3339),
        ])
      },
    ]
  }

  private func id(_ exchange: Exchange) throws -> ConnectionID {
    ConnectionID(rawValue: try exchange.parameter("id"))
  }

  private func show(_ connection: Connection) async throws -> Response {
    let syncs = try await fairlead.syncs.summaries(of: [connection.id])
    return .json(Shapes.json(connection, syncs: syncs[connection.id]))
  }

  private func list(_ exchange: Exchange) async throws -> Response {
    var filter = ConnectionFilter()
    filter.integration = exchange.query("integration").map { IntegrationName($0) }
    filter.owner = exchange.query("owner").map { Owner($0) }
    filter.state = try exchange.connectionState()
    let page = try await fairlead.connections.list(
      filter, page: try exchange.page(of: ConnectionKind.self))
    let syncs = try await fairlead.syncs.summaries(of: page.items.map(\.id))
    return .json(Shapes.page(page) { Shapes.json($0, syncs: syncs[$0.id]) })
  }

  private func create(_ exchange: Exchange) async throws -> Response {
    let body = try await exchange.json(
      members: ["integration", "owner", "owner_label", "credentials", "params"])
    let connection = try await fairlead.connections.create(
      NewConnection(
        integration: IntegrationName(try body.requiredText("integration")),
        owner: Owner(try body.requiredText("owner")),
        ownerLabel: try body.optionalText("owner_label"),
        credential: try credential(body["credentials"]),
        params: try body.textMap("params")))
    return .json(Shapes.json(connection), status: .created)
  }

  private func credential(_ value: JSONValue?) throws -> Credential {
    guard let value, case .object = value else {
      throw FairleadError(
        .invalidRequest,
        "credentials is missing: send {\"api_key\": …}, {\"username\", \"password\"} or "
          + "{\"access_token\": …}.")
    }
    if let key = try value.optionalText("api_key") {
      return .apiKey(
        key: Secret(key), secret: try value.optionalText("api_secret").map { Secret($0) })
    }
    if let username = try value.optionalText("username") {
      return .basic(
        username: username, password: Secret(try value.optionalText("password") ?? ""))
    }
    let token = try value.requiredText("access_token")
    var expiry: Timestamp?
    if let text = try value.optionalText("expires_at") {
      guard let time = Timestamp(rfc3339: text) else {
        throw FairleadError(
          .invalidRequest, "expires_at must be an RFC 3339 time such as 2027-01-31T12:00:00Z.")
      }
      expiry = time
    }
    return .oauth2(
      Credential.OAuth2(
        accessToken: Secret(token),
        refreshToken: try value.optionalText("refresh_token").map { Secret($0) },
        expiresAt: expiry, issuedAt: fairlead.clock.now))
  }
}

extension JSONValue {
  /// A non-empty string member of an object.
  /// - Throws: `FairleadError` (`invalidRequest`) naming the member.
  func requiredText(_ key: String) throws -> String {
    guard let text = try optionalText(key), !text.isEmpty else {
      throw FairleadError(.invalidRequest, "\(key) is missing.")
    }
    return text
  }

  func optionalText(_ key: String) throws -> String? {
    switch self[key] {
    case nil, .null: return nil
    case .string(let text):
      guard text.utf8.count <= 65_536 else {
        throw FairleadError(.invalidRequest, "\(key) is too long.")
      }
      guard !text.utf8.contains(0) else {
        throw FairleadError(.invalidRequest, "\(key) must not contain a NUL character.")
      }
      return text
    default: throw FairleadError(.invalidRequest, "\(key) must be a string.")
    }
  }

  func textMap(_ key: String) throws -> [String: String] {
    switch self[key] {
    case nil, .null: return [:]
    case .object(let members):
      return try members.mapValues {
        guard let text = $0.string else {
          throw FairleadError(.invalidRequest, "Every value of \(key) must be a string.")
        }
        return text
      }
    default: throw FairleadError(.invalidRequest, "\(key) must be an object.")
    }
  }

  func textList(_ key: String) throws -> [String]? {
    switch self[key] {
    case nil, .null: return nil
    case .array(let elements):
      return try elements.map {
        guard let text = $0.string else {
          throw FairleadError(.invalidRequest, "Every entry of \(key) must be a string.")
        }
        return text
      }
    default: throw FairleadError(.invalidRequest, "\(key) must be a list of strings.")
    }
  }
}
