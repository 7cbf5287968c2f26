import Fairlead
import HTTPTypes
import Hummingbird

/// Syncs and the records they keep.
struct SyncRoutes: Sendable {
  let fairlead: Fairlead

  var routes: [Route] { [list, get, run] + controls + [records] }

  private var list: Route {
    .get(
      "/v1/syncs", access: .key(.syncs),
      RouteDocumentation(
        "listSyncs", tag: "Syncs", "List syncs",
        parameters: [
          .query("integration", "Only of this integration."),
          .query("connection", "Only of this connection."),
          .query("owner", "Only of this owner."), .query("model", "Only of this model."),
          .query("state", "Only in this state."),
          .query("cursor", "`next_cursor` of the page before."),
          .query("limit", "1 to 200, 50 by default.", .integer),
        ],
        answers: [(200, "A page.", .page(of: .reference("Sync")))])
    ) { exchange in
      try .encoding(
        ListShape(
          try await fairlead.syncs.list(
            try filter(exchange), page: try exchange.page(of: SyncKind.self))))
    }
  }

  private var get: Route {
    .get(
      "/v1/syncs/{id}", access: .key(.syncs),
      RouteDocumentation(
        "getSync", tag: "Syncs", "One sync, with how far its run has come",
        answers: [(200, "The sync.", .reference("Sync"))])
    ) { try .encoding(try await fairlead.syncs.sync(id($0))) }
  }

  private var run: Route {
    .post(
      "/v1/syncs/{id}/run", access: .key(.syncs),
      RouteDocumentation(
        "runSync", tag: "Syncs", "Run it now",
        details:
          "During a run it makes one more run afterwards. `force` lets a full run delete more "
          + "records at once than it may by itself. The body may be absent.",
        body: .object(
          [("kind", .oneOf(SyncRunKind.allCases.map(\.rawValue))), ("force", .boolean)],
          optional: ["kind", "force"]),
        answers: [(202, "It will run.", .reference("Sync"))])
    ) { try await start($0) }
  }

  private var controls: [Route] {
    let syncs = fairlead.syncs
    return [
      control("pause", "pauseSync", "Stop it until it is resumed") { try await syncs.pause($0) },
      control("resume", "resumeSync", "Let it go on; it catches up at once") {
        try await syncs.resume($0)
      },
      control(
        "reset", "resetSync", "Forget what is stored and start over",
        details: "Consumers of the change feed are told of deletions; then a full run follows."
      ) { try await syncs.reset($0) },
    ]
  }

  private func control(
    _ name: String, _ operation: String, _ summary: String, details: String? = nil,
    _ body: @escaping @Sendable (SyncID) async throws -> Sync
  ) -> Route {
    .post(
      "/v1/syncs/{id}/\(name)", access: .key(.syncs),
      RouteDocumentation(
        operation, tag: "Syncs", summary, details: details,
        answers: [(200, "The sync.", .reference("Sync"))])
    ) { try .encoding(try await body(id($0))) }
  }

  private var records: Route {
    .get(
      "/v1/records/{model}", access: .key(.syncs),
      RouteDocumentation(
        "listRecords", tag: "Syncs", "The change feed of a model",
        details:
          "Each record that changed after the cursor, as it is now. Keep `next_cursor` and go "
          + "on from it: nothing is missed. Without a cursor it begins with everything there is. "
          + "409 means that the cursor is too old; start over.",
        parameters: [
          .query("connection", "Only of this connection."),
          .query("cursor", "`next_cursor` of an earlier answer."),
          .query("limit", "1 to 1000, 100 by default.", .integer),
        ],
        answers: [(200, "What changed.", .reference("RecordFeed"))])
    ) { try await feed($0) }
  }

  // MARK: - Handling

  private func id(_ exchange: Exchange) throws -> SyncID {
    SyncID(rawValue: try exchange.parameter("id"))
  }

  private func filter(_ exchange: Exchange) throws -> SyncFilter {
    var filter = SyncFilter()
    filter.integration = exchange.query("integration").map { IntegrationName($0) }
    filter.connection = exchange.query("connection").map { ConnectionID(rawValue: $0) }
    filter.owner = exchange.query("owner").map { Owner($0) }
    filter.model = exchange.query("model")
    if let text = exchange.query("state") {
      guard let state = Sync.State(rawValue: text) else {
        throw FairleadError(.invalidRequest, "state must be active, paused or blocked.")
      }
      filter.state = state
    }
    return filter
  }

  private func start(_ exchange: Exchange) async throws -> Response {
    let body: JSONValue =
      exchange.request.headers[.contentLength].map { $0 != "0" }
        ?? (exchange.request.headers[.transferEncoding] != nil)
      ? try await exchange.json(members: ["kind", "force"]) : .object([:])
    var kind: SyncRunKind?
    if let text = try body.optionalText("kind") {
      guard let known = SyncRunKind(rawValue: text) else {
        throw FairleadError(.invalidRequest, "kind must be full or incremental.")
      }
      kind = known
    }
    var force = false
    switch body["force"] {
    case nil, .null: break
    case .bool(let flag): force = flag
    default: throw FairleadError(.invalidRequest, "force must be true or false.")
    }
    guard !force || kind == .full else {
      throw FairleadError(
        .invalidRequest, "force goes with kind full: only that deletes by absence.")
    }
    return try .encoding(
      try await fairlead.syncs.run(id(exchange), kind: kind, force: force), status: .accepted)
  }

  private func feed(_ exchange: Exchange) async throws -> Response {
    var limit = 100
    if let text = exchange.query("limit") {
      guard let number = Int(text), (1...1_000).contains(number) else {
        throw FairleadError(.invalidRequest, "limit must be a number from 1 to 1000.")
      }
      limit = number
    }
    let page = try await fairlead.syncs.records(
      try exchange.parameter("model"),
      connection: exchange.query("connection").map { ConnectionID(rawValue: $0) },
      cursor: exchange.query("cursor"), limit: limit)
    return .json([
      "records": .array(page.records.map(Shapes.json)), "next_cursor": .string(page.nextCursor),
      "has_more": .bool(page.hasMore),
    ])
  }
}

extension Shapes {
  static func json(_ record: FeedRecord) -> JSONValue {
    [
      "id": .string(record.id), "connection": .string(record.connection.rawValue),
      "change": .string(record.change.rawValue), "version": .int(record.version),
      "data": record.data ?? .null,
    ]
  }

  /// The schemas of syncs and records.
  static let syncSchemas: [String: Schema] = [
    "Sync": .object(
      [
        ("id", .string), ("integration", .string), ("model", .string), ("connection", .string),
        ("owner", .nullable(.string)), ("state", .oneOf(Sync.State.allCases.map(\.rawValue))),
        ("running", .boolean), ("run", .nullable(.object(progress))),
        (
          "last_run",
          .nullable(
            .object(
              progress + [
                ("status", .oneOf(["succeeded", "failed"])), ("finished_at", .timestamp),
                ("error", .string), ("warnings", .array(.string)),
              ], optional: ["error", "warnings"]))
        ),
        ("records", .described(.integer, "How many there are now.")),
        ("last_synced_at", .nullable(.timestamp)), ("next_run_at", .nullable(.timestamp)),
        ("next_full_at", .nullable(.timestamp)), ("real_time", .boolean), ("error", .string),
      ], optional: ["error"]),
    "RecordFeed": .object([
      (
        "records",
        .array(
          .object([
            ("id", .string), ("connection", .string),
            ("change", .oneOf(FeedRecord.Change.allCases.map(\.rawValue))),
            ("version", .integer),
            ("data", .described(.anything, "`null` for a deleted one.")),
          ]))
      ),
      ("next_cursor", .string), ("has_more", .boolean),
    ]),
  ]

  private static let progress: [(name: String, schema: Schema)] = [
    ("kind", .oneOf(SyncRunKind.allCases.map(\.rawValue))),
    ("trigger", .oneOf(SyncTrigger.allCases.map(\.rawValue))), ("started_at", .timestamp),
    ("pages", .integer), ("records", .integer), ("added", .integer), ("updated", .integer),
    ("deleted", .integer),
  ]
}
