import Fairlead
import HTTPTypes
import Hummingbird

/// What an end user may see and do of their own, for the application's pages to call directly.
struct MeRoutes: Sendable {
  let fairlead: Fairlead

  var routes: [Route] {
    [
      .get(
        "/v1/me", access: .endUser,
        RouteDocumentation(
          "getMe", tag: "End users", "Who is signed in", answers: [(200, "You.", Self.user)])
      ) { .json(Self.json(try user($0))) },
      .get(
        "/v1/me/connections", access: .endUser,
        RouteDocumentation(
          "listMyConnections", tag: "End users", "List your own connections",
          parameters: [
            .query("integration", "Only of this integration."),
            .query("state", "Only in this state."),
            .query("cursor", "`next_cursor` of the page before."),
            .query("limit", "1 to 200, 50 by default.", .integer),
          ],
          answers: [(200, "A page.", .page(of: .reference("Connection")))])
      ) { try await list($0) },
      .get(
        "/v1/me/connections/{id}", access: .endUser,
        RouteDocumentation(
          "getMyConnection", tag: "End users", "One of your own connections",
          answers: [(200, "The connection.", .reference("Connection"))])
      ) { exchange in
        let connection = try await own(exchange)
        let syncs = try await fairlead.syncs.summaries(of: [connection.id])
        return .json(Shapes.json(connection, syncs: syncs[connection.id]))
      },
      .delete(
        "/v1/me/connections/{id}", access: .endUser,
        RouteDocumentation(
          "deleteMyConnection", tag: "End users", "Disconnect one of your own",
          details: "Revokes the grant at the provider where it can, then deletes it here.",
          answers: [
            (
              200, "Disconnected.",
              .object([("revoked_at_provider", .boolean), ("message", .string)])
            )
          ])
      ) {
        let outcome = try await fairlead.connections.disconnect(try await own($0).id)
        return .json([
          "revoked_at_provider": .bool(outcome.revokedAtProvider),
          "message": .string(outcome.message),
        ])
      },
      .post(
        "/v1/me/connect", access: .endUser,
        RouteDocumentation(
          "connectMine", tag: "End users", "Make a one-time connect link for yourself",
          body: .object(
            [("integration", .string), ("redirect", .string)],
            optional: ["integration", "redirect"]),
          answers: [
            (201, "The link.", .object([("url", .string), ("expires_at", .timestamp)]))
          ])
      ) { try await connect($0) },
    ]
  }

  private static let user = Schema.object(
    [
      ("owner", .string), ("issuer", .string), ("expires_at", .timestamp), ("session", .string),
      ("email", .string), ("first_name", .string), ("last_name", .string), ("name", .string),
      ("actor", .described(.string, "Who acts in this person's place.")),
    ], optional: ["session", "email", "first_name", "last_name", "name", "actor"])

  private static func json(_ user: EndUser) -> JSONValue {
    var members: [String: JSONValue] = [
      "owner": .string(user.owner.rawValue), "issuer": .string(user.issuer),
      "expires_at": .string(user.expiresAt.rfc3339),
    ]
    let texts = [
      ("session", user.session), ("email", user.email), ("first_name", user.firstName),
      ("last_name", user.lastName), ("name", user.name), ("actor", user.actor),
    ]
    for (name, text) in texts { if let text { members[name] = .string(text) } }
    return .object(members)
  }

  private func user(_ exchange: Exchange) throws -> EndUser {
    guard let user = exchange.endUser else {
      throw FairleadError(.unauthenticated, "Sign in first.")
    }
    return user
  }

  /// The connection a path names, if it is the caller's. Another's is as unknown as none at all.
  private func own(_ exchange: Exchange) async throws -> Connection {
    let owner = try user(exchange).owner
    let id = ConnectionID(rawValue: try exchange.parameter("id"))
    let connection = try await fairlead.connections.connection(id)
    guard connection.owner == owner else {
      throw FairleadError(
        .notFound, "There is no such connection. It may have been disconnected.")
    }
    return connection
  }

  private func list(_ exchange: Exchange) async throws -> Response {
    var filter = ConnectionFilter(owner: try user(exchange).owner)
    filter.integration = exchange.query("integration").map { IntegrationName($0) }
    filter.state = try exchange.connectionState()
    let page = try await fairlead.connections.list(
      filter, page: try exchange.page(of: ConnectionKind.self))
    let syncs = try await fairlead.syncs.summaries(of: page.items.map(\.id))
    return .json(Shapes.page(page) { Shapes.json($0, syncs: syncs[$0.id]) })
  }

  private func connect(_ exchange: Exchange) async throws -> Response {
    let user = try user(exchange)
    let body = try await exchange.json(members: ["integration", "redirect"])
    let session = try await fairlead.connect.createSession(
      NewConnectSession(
        owner: user.owner, ownerLabel: user.email ?? user.name,
        integration: try body.optionalText("integration").map { IntegrationName($0) },
        redirect: try body.optionalText("redirect")))
    return .json(
      ["url": .string(session.url), "expires_at": .string(session.expiresAt.rfc3339)],
      status: .created)
  }
}

extension Exchange {
  /// The query's `state`.
  /// - Throws: `FairleadError` (`invalidRequest`) for one that does not exist.
  func connectionState() throws -> Connection.State? {
    guard let text = query("state") else { return nil }
    guard let state = Connection.State(rawValue: text) else {
      throw FairleadError(.invalidRequest, "state must be active, needs_reauth or revoked.")
    }
    return state
  }
}
