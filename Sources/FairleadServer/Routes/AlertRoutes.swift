import Fairlead
import HTTPTypes
import Hummingbird

/// What was wrong with the integrations, and is.
struct AlertRoutes: Sendable {
  let fairlead: Fairlead

  var routes: [Route] {
    [
      .get(
        "/v1/alerts", access: .key(.read),
        RouteDocumentation(
          "listAlerts", tag: "Monitoring", "List alerts, newest first",
          parameters: [
            .query("integration", "Only of this integration."),
            .query("rule", "Only of this rule.", .oneOf(AlertRule.allCases.map(\.rawValue))),
            .query("state", "Only in this state.", .oneOf(Alert.State.allCases.map(\.rawValue))),
            .query("cursor", "`next_cursor` of the page before."),
            .query("limit", "1 to 200, 50 by default.", .integer),
          ],
          answers: [(200, "A page.", .page(of: .reference("Alert")))])
      ) { exchange in
        let filter = AlertFilter(
          integration: exchange.query("integration").map { IntegrationName($0) },
          rule: try choice("rule", exchange), state: try choice("state", exchange))
        return try .encoding(
          ListShape(
            try await fairlead.alerts.list(filter, page: try exchange.page(of: AlertKind.self))))
      }
    ]
  }

  private func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ name: String, _ exchange: Exchange
  ) throws -> Value? {
    guard let text = exchange.query(name) else { return nil }
    guard let value = Value(rawValue: text) else {
      let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
      throw FairleadError(.invalidRequest, "\(name) must be one of \(known).")
    }
    return value
  }
}

extension Alert {
  static let schema = Schema.object([
    ("id", .string), ("rule", .oneOf(AlertRule.allCases.map(\.rawValue))),
    ("integration", .string), ("state", .oneOf(State.allCases.map(\.rawValue))),
    ("message", .described(.string, "For people.")),
    (
      "value",
      .described(
        .number,
        "The last figure: a share from 0 to 1 for `success_rate`, milliseconds for `latency`, else "
          + "a count.")
    ),
    ("threshold", .described(.number, "What it was compared with, in the same unit.")),
    ("fired_at", .timestamp), ("resolved_at", .nullable(.timestamp)),
  ])
}
