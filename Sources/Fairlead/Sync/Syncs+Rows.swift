extension Syncs {
  /// The sync of a connection, made when there is none yet.
  /// - Throws: `FairleadError` (`notFound`) for an unknown connection or model.
  func ensure(connection id: ConnectionID, model: String) async throws -> SyncID {
    let found = try await database.guardedRead {
      try SyncStore.row(connection: id, model: model, in: $0)
    }
    if let found, found.state != .removed { return found.id }
    let connection = try await connections.connection(id)
    guard let source = source(model, of: connection.integration) else {
      throw FairleadError(
        .notFound, "There is no model \(model.prefix(40)) for \(connection.integration).",
        integration: connection.integration)
    }
    try await make([(connection.id, connection.owner)], of: source)
    let made = try await database.guardedRead {
      try SyncStore.row(connection: id, model: model, in: $0)
    }
    guard let made else {
      throw FairleadError(.serviceUnavailable, "The sync is not ready. Try again in a moment.")
    }
    return made.id
  }

  /// Makes the syncs of connections, each with its first run, which is full.
  func make(
    _ connections: [(id: ConnectionID, owner: Owner?)], of source: any SyncSource
  ) async throws {
    let now = clock.now
    let schedule = schedule(of: source)
    let rows = connections.map { connection in
      let id = SyncID(at: now, random: random)
      return SyncRow(
        id: id, integration: source.integration, model: source.model, connection: connection.id,
        owner: connection.owner, state: .active, generation: 0,
        wanted: SyncWish(.full, .first), liveRecords: 0, isRealTime: false,
        schedule: schedule.fingerprint, times: schedule.times(after: now, sync: id))
    }
    let isAnnounced = isAnnounced(source.model, of: source.integration)
    try await database.guardedWrite(.locking) { [queue] sql in
      for row in rows where try SyncStore.insert(row, now: now, in: sql) {
        try SyncJob.enqueue(row.id, queue, at: now, in: sql)
        // Watched from the start, so that nothing changes unannounced after the first run.
        if isAnnounced { try queue.enqueue([WatchJob.job(for: row.place, at: now)], in: sql) }
      }
    }
  }
}
