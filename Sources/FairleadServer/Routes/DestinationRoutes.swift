import Fairlead
import HTTPTypes
import Hummingbird

/// Where events are forwarded to.
struct DestinationRoutes: Sendable {
  let fairlead: Fairlead

  var routes: [Route] {
    [
      .post(
        "/v1/destinations", access: .key(.events),
        RouteDocumentation(
          "createDestination", tag: "Destinations", "Forward events to a URL",
          body: .object(
            [
              ("url", .string), ("integrations", .array(.string)), ("types", .array(.string)),
              ("owner", .string),
            ], optional: ["integrations", "types", "owner"]),
          answers: [
            (201, "Made; the secret is shown this once.", .reference("Destination"))
          ])
      ) { try await create($0) },
      .get(
        "/v1/destinations", access: .key(.read),
        RouteDocumentation(
          "listDestinations", tag: "Destinations", "List destinations",
          parameters: [
            .query("cursor", "`next_cursor` of the page before."),
            .query("limit", "1 to 200, 50 by default.", .integer),
          ],
          answers: [(200, "A page.", .page(of: .reference("Destination")))])
      ) { exchange in
        try .encoding(
          ListShape(
            try await fairlead.destinations.list(page: try exchange.page(of: DestinationKind.self)))
        )
      },
      .get(
        "/v1/destinations/{id}", access: .key(.read),
        RouteDocumentation(
          "getDestination", tag: "Destinations", "One destination",
          answers: [(200, "The destination.", .reference("Destination"))])
      ) { try .encoding(try await fairlead.destinations.get(id($0))) },
      .patch(
        "/v1/destinations/{id}", access: .key(.events),
        RouteDocumentation(
          "updateDestination", tag: "Destinations", "Change, pause or resume a destination",
          details: "`rotate_secret: true` makes a new secret; the old one signs along for a day.",
          body: .object(
            [
              ("url", .string), ("integrations", .array(.string)), ("types", .array(.string)),
              ("state", .oneOf(["active", "paused"])), ("rotate_secret", .boolean),
            ], optional: ["url", "integrations", "types", "state", "rotate_secret"]),
          answers: [(200, "The destination.", .reference("Destination"))])
      ) { try await update($0) },
      .delete(
        "/v1/destinations/{id}", access: .key(.events),
        RouteDocumentation(
          "deleteDestination", tag: "Destinations", "Stop forwarding to a URL",
          answers: [(200, "Deleted.", .object([("deleted", .boolean)]))])
      ) { exchange in
        try await fairlead.destinations.delete(id(exchange))
        return .json(["deleted": true])
      },
    ]
  }

  private func id(_ exchange: Exchange) throws -> DestinationID {
    DestinationID(rawValue: try exchange.parameter("id"))
  }

  private func create(_ exchange: Exchange) async throws -> Response {
    let body = try await exchange.json(members: ["url", "integrations", "types", "owner"])
    let integrations = (try body.textList("integrations") ?? []).map { IntegrationName($0) }
    for name in integrations { _ = try fairlead.integrations.require(name) }
    let created = try await fairlead.destinations.create(
      NewDestination(
        url: try body.requiredText("url"), integrations: integrations,
        types: try body.textList("types") ?? [],
        owner: try body.optionalText("owner").map { Owner($0) }))
    return try .encoding(
      DestinationShape(destination: created.destination, secret: created.secret),
      status: .created)
  }

  private func update(_ exchange: Exchange) async throws -> Response {
    let body = try await exchange.json(
      members: ["url", "integrations", "types", "state", "rotate_secret"])
    let id = try id(exchange)
    var state: Destination.State?
    if let text = try body.optionalText("state") {
      guard text == "active" || text == "paused" else {
        throw FairleadError(.invalidRequest, "state must be active or paused.")
      }
      state = Destination.State(rawValue: text)
    }
    var destination = try await fairlead.destinations.update(
      id,
      DestinationChange(
        url: try body.optionalText("url"),
        integrations: try body.textList("integrations")?.map { IntegrationName($0) },
        types: try body.textList("types"), state: state))
    var secret: Secret?
    if body["rotate_secret"]?.bool == true {
      let rotated = try await fairlead.destinations.rotateSecret(id)
      destination = rotated.destination
      secret = rotated.secret
    }
    return try .encoding(DestinationShape(destination: destination, secret: secret))
  }
}

/// A destination with the secret it signs with, where this is the one time to show it.
private struct DestinationShape: Encodable {
  let destination: Destination
  let secret: Secret?

  private enum CodingKeys: String, CodingKey { case secret }

  func encode(to encoder: any Encoder) throws {
    try destination.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(secret?.expose(), forKey: .secret)
  }
}
