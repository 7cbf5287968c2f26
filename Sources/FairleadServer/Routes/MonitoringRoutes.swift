import Fairlead
import HTTPTypes
import Hummingbird

/// What is configured, how it is, and what was called.
struct MonitoringRoutes: Sendable {
  let fairlead: Fairlead

  var routes: [Route] {
    [
      .get(
        "/v1/integrations", access: .key(.read),
        RouteDocumentation(
          "listIntegrations", tag: "Monitoring", "What is configured and how it is",
          answers: [(200, "All of them.", .page(of: .reference("IntegrationStatus")))])
      ) { _ in
        let health = try await fairlead.health.snapshot()
        return .json(["data": .array(health.map(describe)), "next_cursor": .null])
      },
      .get(
        "/v1/integrations/{name}", access: .key(.read),
        RouteDocumentation(
          "getIntegration", tag: "Monitoring", "One integration, in words for people",
          answers: [(200, "Its status.", .reference("IntegrationStatus"))])
      ) { exchange in
        .json(
          describe(
            try await fairlead.health.health(
              of: IntegrationName(try exchange.parameter("name")))))
      },
      .get(
        "/v1/health", access: .key(.read),
        RouteDocumentation(
          "health", tag: "Monitoring", "Health of every integration over 24 hours",
          answers: [(200, "Health.", .reference("Health"))])
      ) { _ in
        try .encoding(["integrations": try await fairlead.health.snapshot()])
      },
      .get(
        "/v1/requests", access: .key(.read),
        RouteDocumentation(
          "listRequests", tag: "Monitoring", "The call log, newest first",
          parameters: [
            .query("integration", "Only of this integration."),
            .query("connection", "Only of this connection."),
            .query("owner", "Only of this owner."),
            .query("status_class", "Only answers 1xx to 5xx.", .integer),
            .query("error_code", "Only with this error code."),
            .query("since", "Only since this time.", .timestamp),
            .query("cursor", "`next_cursor` of the page before."),
            .query("limit", "1 to 200, 50 by default.", .integer),
          ],
          answers: [(200, "A page.", .page(of: .anything))])
      ) { exchange in
        try .encoding(
          ListShape(
            try await fairlead.callLog.entries(try filter(exchange), page: try exchange.page())))
      },
      .get(
        "/v1/stream", access: .key(.read),
        RouteDocumentation(
          "stream", tag: "Monitoring", "Live updates",
          details: "Server-sent events `health`, `call`, `event` and `alert`; `sync` and `records` "
            + "too for a key with the scope `syncs`.",
          answers: [(200, "Server-sent events.", nil)], mediaType: "text/event-stream")
      ) { exchange in
        let principal = exchange.principal
        return EventStream.response(
          clock: fairlead.clock, updates: try fairlead.live.subscribe(),
          allows: { principal?.allows($0.scope) ?? false })
      },
    ]
  }

  private func describe(_ health: IntegrationHealth) -> JSONValue {
    let definition = fairlead.integrations[health.integration]?.definition
    return [
      "integration": .string(health.integration.rawValue),
      "name": .string(definition?.displayName ?? health.integration.rawValue),
      "purpose": .string(definition?.purpose ?? ""),
      "status": .string(health.status.rawValue),
      "message": .string(health.message),
      "breaker": .string(health.breaker.rawValue),
      "fallback": .bool(fairlead.pipeline.hasFallback(health.integration)),
    ]
  }

  private func filter(_ exchange: Exchange) throws -> CallLogFilter {
    var filter = CallLogFilter()
    filter.integration = exchange.query("integration").map { IntegrationName($0) }
    filter.connection = exchange.query("connection").map { ConnectionID(rawValue: $0) }
    filter.owner = exchange.query("owner").map { Owner($0) }
    if let text = exchange.query("status_class") {
      guard let digit = text.first?.wholeNumberValue, (1...5).contains(digit) else {
        throw FairleadError(.invalidRequest, "status_class must be a digit from 1 to 5.")
      }
      filter.statusClass = digit
    }
    if let text = exchange.query("error_code") {
      guard let code = ErrorCode(rawValue: text) else {
        throw FairleadError(
          .invalidRequest,
          "error_code must be one of \(ErrorCode.allCases.map(\.rawValue).joined(separator: ", "))."
        )
      }
      filter.errorCode = code
    }
    if let text = exchange.query("since") {
      guard let time = Timestamp(rfc3339: text) else {
        throw FairleadError(
          .invalidRequest, "since must be an RFC 3339 time such as 2027-01-31T12:00:00Z.")
      }
      filter.since = time
    }
    return filter
  }
}
