import Fairlead
import Foundation

/// The JSON shapes others script against: fields may be added, not renamed.
enum Shapes {
  static func json(_ connection: Connection, syncs: Syncs.Summary? = nil) -> JSONValue {
    var members: [String: JSONValue] = [
      "id": .string(connection.id.rawValue),
      "integration": .string(connection.integration.rawValue),
      "owner": .optional(connection.owner?.rawValue),
      "state": .string(connection.state.rawValue),
      "scopes": .array(connection.scopes.map { .string($0) }),
      "params": .object(connection.params.mapValues { .string($0) }),
      "identity": .object(connection.identity.mapValues { .string($0) }),
      "expires_at": .optional(connection.expiresAt?.rfc3339),
      "created_at": .string(connection.createdAt.rfc3339),
      "last_refreshed_at": .optional(connection.lastRefreshedAt?.rfc3339),
      "last_synced_at": .optional(syncs?.lastSyncedAt?.rfc3339),
      "sync_in_progress": .bool(syncs?.isRunning ?? false),
    ]
    if let label = connection.ownerLabel { members["owner_label"] = .string(label) }
    if let error = connection.error { members["error"] = .string(error) }
    return .object(members)
  }

  static func page<Item>(_ page: Page<Item>, _ json: (Item) -> JSONValue) -> JSONValue {
    ["data": .array(page.items.map(json)), "next_cursor": .optional(page.nextCursor)]
  }

  /// The named schemas of the OpenAPI page.
  static let schemas: [String: Schema] = [
    "Error": .object([
      (
        "error",
        .object(
          [
            ("code", .oneOf(ErrorCode.allCases.map(\.rawValue))),
            ("message", .described(.string, "Fit for an end user.")),
            ("provider", .string), ("status", .integer), ("retryable", .boolean),
            ("retry_after", .described(.integer, "Seconds.")), ("request_id", .string),
            ("docs", .string),
          ], optional: ["provider", "status", "retry_after", "docs"])
      )
    ]),
    "Connection": .object(
      [
        ("id", .string), ("integration", .string), ("owner", .nullable(.string)),
        ("owner_label", .string), ("state", .oneOf(["active", "needs_reauth", "revoked"])),
        ("scopes", .array(.string)), ("params", .map(.string)), ("identity", .map(.string)),
        ("expires_at", .nullable(.timestamp)), ("created_at", .timestamp),
        ("last_refreshed_at", .nullable(.timestamp)), ("last_synced_at", .nullable(.timestamp)),
        ("sync_in_progress", .boolean), ("error", .string),
      ], optional: ["owner_label", "error"]),
    "Event": .object(
      [
        ("id", .string), ("integration", .string), ("provider_event_id", .nullable(.string)),
        ("type", .nullable(.string)), ("owner", .nullable(.string)),
        ("connection", .nullable(.string)), ("received_at", .timestamp),
        (
          "status",
          .oneOf(["received", "processing", "processed", "failed", "dead", "quarantined"])
        ),
        ("attempts", .integer), ("duplicates", .integer), ("recovered", .boolean),
        ("error", .string), ("headers", .map(.string)), ("payload", .anything),
        ("deliveries", .array(.reference("Delivery"))),
      ], optional: ["error", "headers", "payload", "deliveries"]),
    "Delivery": .object(
      [
        ("id", .string), ("event_id", .string), ("handler", .string), ("state", .string),
        ("attempts", .integer), ("crashes", .integer), ("next_attempt_at", .nullable(.timestamp)),
        ("error", .string), ("log", .array(.anything)),
      ], optional: ["error", "log"]),
    "Destination": .object(
      [
        ("id", .string), ("url", .string), ("integrations", .array(.string)),
        ("types", .array(.string)), ("owner", .string),
        ("secret", .described(.string, "Shown once, when it is made.")), ("state", .string),
        ("error", .string),
      ], optional: ["integrations", "types", "owner", "secret", "error"]),
    "IntegrationStatus": .object([
      ("integration", .string), ("name", .string), ("purpose", .string),
      ("status", .oneOf(["healthy", "degraded", "down", "idle"])), ("message", .string),
      ("breaker", .oneOf(IntegrationHealth.Breaker.allCases.map(\.rawValue))),
      ("fallback", .described(.boolean, "Whether something can stand in for its answers.")),
    ]),
    "Alert": Alert.schema,
    "Health": .object([("integrations", .array(.anything))]),
  ]
}

extension JSONValue {
  static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
  static func optional(_ number: Double?) -> JSONValue { number.map { .double($0) } ?? .null }
}
