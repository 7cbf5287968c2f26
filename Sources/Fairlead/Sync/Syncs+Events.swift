import Logging

extension Syncs {
  func hasEvents(_ row: SyncRow) -> Bool {
    (source(row.model, of: row.integration) as? DeclaredSync)?.settings.events != nil
  }

  /// Has events that carry records applied as they are processed.
  func handleEvents(of source: DeclaredSync) {
    guard let events = source.settings.events, settings[source.integration, source.model].isEnabled
    else { return }
    for type in Set(events.upsert + events.delete).sorted() {
      inbox.on(
        type, from: source.integration, name: "sync/\(source.model)/\(type)"
      ) { [weak self] event, context in
        try await self?.apply(event, context, from: source)
      }
    }
  }

  /// Applies an event once or often, early or late: what is older changes nothing, and what was
  /// deleted comes back only by something newer.
  private func apply(
    _ event: Event, _ context: EventContext, from source: DeclaredSync
  ) async throws {
    // Deliveries outlive a configuration: this model may be another integration's by now.
    guard event.integration == source.integration else {
      logger.warning(
        "An event is not applied: its model is filled by another integration",
        metadata: ["event": "\(event.id)", "integration": "\(event.integration)"])
      return
    }
    guard let connection = try await connection(of: event) else {
      logger.warning(
        "An event belongs to no connection, so its record is not kept",
        metadata: ["event": "\(event.id)", "integration": "\(event.integration)"])
      return
    }
    let payload: JSONValue
    do { payload = try context.json() } catch is DecodingError {
      throw EventHandlerError.permanent("The event is no JSON.")
    }
    guard
      let change = source.change(of: event.type, payload, receivedAt: event.receivedAt)
    else {
      throw EventHandlerError.permanent(
        "The event holds no record with an id where the sync \(source.model) expects one.")
    }
    let id = try await ensure(connection: connection, model: source.model)
    let now = clock.now
    let records = RecordStore(connection: connection, model: source.model)
    try await database.guardedWrite(.locking) { sql in
      guard let row = try SyncStore.row(id, in: sql), row.state == .active || row.state == .blocked
      else { return }
      let tally = try records.apply([change], from: .event, generation: 0, now: now, in: sql)
      try SyncStore.grow(
        tally.growth, connection: connection, model: source.model, in: sql)
      if tally.total > 0 {
        try RecordStore.announce(source.model, of: source.integration, in: sql)
      }
    }
  }

  /// The event's own connection, else that of the deployment.
  private func connection(of event: Event) async throws -> ConnectionID? {
    if let connection = event.connection { return connection }
    guard let integration = integrations[event.integration],
      let standing = connections.defaultConnection(of: integration)
    else { return nil }
    return standing.connection.id
  }
}
