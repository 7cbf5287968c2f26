/// Stores verified deliveries, once each. Runs inside the shared transaction of the micro-batcher;
/// throws only when storage fails.
struct IntakeStore: Sendable {
  let queue: JobQueue

  static let quarantineReason =
    "Another body came under an event id that was already used. It was kept and not processed."

  /// Event, dedupe row (the unique index on integration and dedupe key) and job, or nothing.
  func store(
    _ incoming: IncomingEvent, in connection: any SQLConnection
  ) throws -> IntakeOutcome {
    let original = try insert(
      incoming, dedupeKey: incoming.dedupeKey, status: incoming.defect == nil ? .received : .dead,
      error: incoming.defect, in: connection)
    if original.id == incoming.id {
      try insertPayload(incoming, in: connection)
      if incoming.defect == nil {
        try queue.enqueue([FanOut.job(for: incoming.id, at: incoming.receivedAt)], in: connection)
      }
      return .stored(incoming.id)
    }
    if original.bodyHash == incoming.bodyHash { return .duplicate(original.id) }
    let apart = try insert(
      incoming, dedupeKey: "conflict:\(incoming.bodyHash):\(incoming.dedupeKey)",
      status: .quarantined, error: Self.quarantineReason, in: connection)
    let isNew = apart.id == incoming.id
    if isNew { try insertPayload(incoming, in: connection) }
    return .quarantined(apart.id, isNew: isNew)
  }

  /// Inserts, or counts a duplicate of the row that is there. One statement, so that two nodes
  /// cannot both find nothing.
  private func insert(
    _ incoming: IncomingEvent, dedupeKey: String, status: Event.Status, error: String?,
    in connection: any SQLConnection
  ) throws -> (id: EventID, bodyHash: String) {
    let row = try connection.first(
      """
      INSERT INTO events
        (id, integration, dedupe_key, body_hash, provider_event_id, type, connection_value,
         received_at, status, error)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
      ON CONFLICT (integration, dedupe_key) DO UPDATE
      SET duplicates = events.duplicates
        + CASE WHEN events.body_hash = excluded.body_hash THEN 1 ELSE 0 END
      RETURNING id, body_hash
      """,
      [
        SQLValue(incoming.id), SQLValue(incoming.integration), .text(dedupeKey),
        .text(incoming.bodyHash), SQLValue(incoming.providerEventID), .text(incoming.type),
        SQLValue(incoming.connectionValue), SQLValue(incoming.receivedAt), .text(status.rawValue),
        SQLValue(error),
      ])
    guard let row else { throw StorageError.corrupt("an upsert returned no row") }
    return (try row.id(0), try row.text(1))
  }

  private func insertPayload(
    _ incoming: IncomingEvent, in connection: any SQLConnection
  ) throws {
    try connection.execute(
      "INSERT INTO event_payloads (event_id, headers, body) VALUES ($1, $2, $3)",
      [SQLValue(incoming.id), .text(incoming.headers), .blob(incoming.body)])
  }
}
