extension Inbox {
  /// Events, newest first.
  /// - Throws: `FairleadError` (`serviceUnavailable`) when storage fails.
  public func events(
    _ filter: EventFilter = EventFilter(), page: PageRequest = PageRequest()
  ) async throws -> Page<Event> {
    try await mappingStorageErrors {
      try await self.database.read { try EventStore.page(filter, page, in: $0) }
    }
  }

  /// One event with headers, payload and deliveries.
  /// - Throws: `FairleadError`: `notFound`, `serviceUnavailable`.
  public func event(_ id: EventID) async throws -> EventDetail {
    let found = try await mappingStorageErrors {
      try await self.database.read { connection -> EventDetail? in
        guard let event = try EventStore.event(id, in: connection) else { return nil }
        let payload = try EventStore.payload(of: id, in: connection)
        return EventDetail(
          event: event, headers: payload?.headers ?? [], payload: payload?.body,
          deliveries: try DeliveryStore.all(of: id, in: connection))
      }
    }
    guard let found else { throw Self.notFound(id) }
    return found
  }

  /// Gives an event to all of its handlers again, whatever became of it before. Open deliveries are
  /// cancelled in favour of the new ones; destinations see the same `webhook-id`.
  /// - Returns: the event as it is now, `received`.
  /// - Throws: `FairleadError`: `notFound`, `conflict` when its payload is no longer kept,
  ///   `serviceUnavailable`.
  public func replay(_ id: EventID) async throws -> Event {
    let now = clock.now
    let queue = queue
    let dialect = database.dialect
    return try await mappingStorageErrors {
      try await self.database.write { connection in
        guard try EventStore.lock(id, dialect, in: connection) != nil else {
          throw Self.notFound(id)
        }
        guard try EventStore.hasPayload(id, in: connection) else {
          throw FairleadError(
            .conflict, "The payload of this event is no longer kept, so it cannot be replayed.")
        }
        try DeliveryStore.cancelOpen(
          of: id, reason: "The event was replayed.", at: now, in: connection)
        try EventStore.beginGeneration(of: id, in: connection)
        try queue.enqueue([FanOut.job(for: id, at: now)], in: connection)
        guard let event = try EventStore.event(id, in: connection) else { throw Self.notFound(id) }
        return event
      }
    }
  }

  private static func notFound(_ id: EventID) -> FairleadError {
    FairleadError(.notFound, "There is no event \(id.rawValue.prefix(64)).")
  }
}

/// Runs `body`, turning what storage fails with into what callers meet.
func mappingStorageErrors<Output>(
  _ body: () async throws -> Output
) async throws -> Output {
  do {
    return try await body()
  } catch let error as StorageError {
    throw FairleadError(
      .serviceUnavailable, "Storage cannot be reached. Try again in a moment.", detail: "\(error)")
  }
}
