import Fairlead
import HTTPTypes
import Hummingbird

/// The inbox and its deliveries.
struct EventRoutes: Sendable {
  let fairlead: Fairlead

  var routes: [Route] {
    [
      .get(
        "/v1/events", access: .key(.read),
        RouteDocumentation(
          "listEvents", tag: "Webhooks", "List received events, newest first",
          parameters: [
            .query("integration", "Only of this integration."),
            .query("type", "Only of this type."), .query("status", "Only with this status."),
            .query("owner", "Only of this owner."),
            .query("connection", "Only of this connection."),
            .query("cursor", "`next_cursor` of the page before."),
            .query("limit", "1 to 200, 50 by default.", .integer),
          ],
          answers: [(200, "A page.", .page(of: .reference("Event")))])
      ) { exchange in
        let filter = EventFilter(
          integration: exchange.query("integration").map { IntegrationName($0) },
          type: exchange.query("type"),
          status: try exchange.query("status").map { try Self.status($0) },
          owner: exchange.query("owner").map { Owner($0) },
          connection: exchange.query("connection").map { ConnectionID(rawValue: $0) })
        return try .encoding(
          ListShape(
            try await fairlead.inbox.events(filter, page: try exchange.page(of: EventKind.self))))
      },
      .get(
        "/v1/events/{id}", access: .key(.read),
        RouteDocumentation(
          "getEvent", tag: "Webhooks", "One event with headers, payload and deliveries",
          answers: [(200, "The event.", .reference("Event"))])
      ) { exchange in
        try .encoding(EventShape(try await fairlead.inbox.event(id(exchange))))
      },
      .post(
        "/v1/events/{id}/replay", access: .key(.events),
        RouteDocumentation(
          "replayEvent", tag: "Webhooks", "Give an event to its handlers again",
          details: "Destinations see the same `webhook-id`.",
          answers: [(202, "The event, received anew.", .reference("Event"))])
      ) { exchange in
        try .encoding(try await fairlead.inbox.replay(id(exchange)), status: .accepted)
      },
      .get(
        "/v1/deliveries", access: .key(.read),
        RouteDocumentation(
          "listDeliveries", tag: "Webhooks", "List deliveries and their attempts, newest first",
          parameters: [
            .query("event", "Only of this event."),
            .query("destination", "Only to this destination."),
            .query("status", "Only with this status."),
            .query("cursor", "`next_cursor` of the page before."),
            .query("limit", "1 to 200, 50 by default.", .integer),
          ],
          answers: [(200, "A page.", .page(of: .reference("Delivery")))])
      ) { exchange in
        let filter = DeliveryFilter(
          event: exchange.query("event").map { EventID(rawValue: $0) },
          destination: exchange.query("destination").map { DestinationID(rawValue: $0) },
          status: try exchange.query("status").map { text in
            guard let status = Delivery.Status(rawValue: text) else {
              throw Self.unknownStatus(Delivery.Status.allCases.map(\.rawValue))
            }
            return status
          })
        return try .encoding(
          ListShape(
            try await fairlead.deliveries.list(
              filter, page: try exchange.page(of: DeliveryKind.self))))
      },
    ]
  }

  private func id(_ exchange: Exchange) throws -> EventID {
    EventID(rawValue: try exchange.parameter("id"))
  }

  private static func status(_ text: String) throws -> Event.Status {
    guard let status = Event.Status(rawValue: text) else {
      throw unknownStatus(Event.Status.allCases.map(\.rawValue))
    }
    return status
  }

  private static func unknownStatus(_ known: [String]) -> FairleadError {
    FairleadError(.invalidRequest, "status must be one of \(known.joined(separator: ", ")).")
  }
}

/// An event with `headers`, `payload` and `deliveries` beside its own members.
private struct EventShape: Encodable {
  let detail: EventDetail

  init(_ detail: EventDetail) { self.detail = detail }

  private enum CodingKeys: String, CodingKey { case headers, payload, deliveries }

  func encode(to encoder: any Encoder) throws {
    try detail.event.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    var headers: [String: String] = [:]
    for header in detail.headers {
      headers[header.name] = headers[header.name].map { "\($0), \(header.value)" } ?? header.value
    }
    try container.encode(headers, forKey: .headers)
    // JSON as JSON; a body that is none as the text that was received.
    if let payload = detail.payload {
      let json =
        (try? JSONValue(parsing: payload)) ?? .string(String(decoding: payload, as: UTF8.self))
      try container.encode(json, forKey: .payload)
    } else {
      try container.encodeNil(forKey: .payload)
    }
    try container.encode(detail.deliveries, forKey: .deliveries)
  }
}
