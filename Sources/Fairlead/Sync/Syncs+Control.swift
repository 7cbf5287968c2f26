extension Syncs {
  /// Syncs, newest first.
  /// - Throws: `FairleadError` (`serviceUnavailable`).
  public func list(
    _ filter: SyncFilter = SyncFilter(), page: PageRequest = PageRequest()
  ) async throws -> Page<Sync> {
    let rows = try await database.guardedRead { try SyncStore.page(filter, page, in: $0) }
    return Page(items: rows.items.map(shown), nextCursor: rows.nextCursor)
  }

  /// - Throws: `FairleadError` (`notFound`).
  public func sync(_ id: SyncID) async throws -> Sync {
    guard id.isStorable,
      let row = try await database.guardedRead({ try SyncStore.row(id, in: $0) }),
      row.state != .removed
    else { throw Self.unknown(id) }
    return shown(row)
  }

  /// - Throws: `FairleadError` (`notFound`).
  public func sync(connection: ConnectionID, model: String) async throws -> Sync {
    let row = try await database.guardedRead {
      try SyncStore.row(connection: connection, model: model, in: $0)
    }
    guard let row, row.state != .removed else {
      throw FairleadError(
        .notFound, "This connection has no sync of \(model.prefix(40)).",
        detail: "connection \(connection)")
    }
    return shown(row)
  }

  // MARK: - Running

  /// Asks for a run. What is asked for while one is under way makes one more run after it.
  /// - Parameters:
  ///   - kind: `nil` for an incremental run where one is possible.
  ///   - force: lets a full run delete whatever it does not see.
  /// - Throws: `FairleadError`: `notFound`; `conflict` for a sync that is paused, blocked, or whose
  ///   model is switched off.
  @discardableResult
  public func run(
    _ id: SyncID, kind: SyncRunKind? = nil, force: Bool = false
  ) async throws -> Sync {
    try await change(id) { row in
      try self.requireRunnable(row)
      let wish = SyncWish(kind, .manual, force: force)
      row.wanted = row.wanted?.merged(with: wish) ?? wish
      return true
    }
  }

  /// Asks for an incremental run because something was said to have changed. Many that come close
  /// together make one run, and none is lost: a run that begins after this returns sees the change.
  ///
  /// A sync that is paused or blocked is left alone; it catches up when it goes on.
  /// - Throws: `FairleadError` (`notFound`, `serviceUnavailable`).
  @discardableResult
  public func trigger(_ id: SyncID, trigger: SyncTrigger = .push) async throws -> Sync {
    try await change(id) { row in
      guard row.state == .active, self.source(row.model, of: row.integration) != nil else {
        return false
      }
      let wish = SyncWish(nil, trigger)
      row.wanted = row.wanted?.merged(with: wish) ?? wish
      return true
    }
  }

  /// The same for a connection's model; the sync is made when there is none yet.
  @discardableResult
  public func trigger(
    connection: ConnectionID, model: String, trigger: SyncTrigger = .push
  ) async throws -> Sync {
    let id = try await ensure(connection: connection, model: model)
    return try await self.trigger(id, trigger: trigger)
  }

  /// Says whether the provider announces changes of this model at the moment.
  public func setRealTime(
    _ isRealTime: Bool, connection: ConnectionID, model: String
  ) async throws {
    let id = try await ensure(connection: connection, model: model)
    try await change(id) { row in
      row.isRealTime = isRealTime
      return false
    }
  }

  /// Stops a sync, a run under way included, until it is resumed.
  /// - Throws: `FairleadError` (`notFound`).
  @discardableResult
  public func pause(_ id: SyncID) async throws -> Sync {
    try await change(id) { row in
      row.state = .paused
      row.run = nil
      row.runClaim = nil
      row.wanted = nil
      return false
    }
  }

  /// Lets a paused sync go on; it catches up at once.
  /// - Throws: `FairleadError` (`notFound`).
  @discardableResult
  public func resume(_ id: SyncID) async throws -> Sync {
    try await change(id) { row in
      guard row.state == .paused else { return false }
      row.state = .active
      row.error = nil
      // Events that came meanwhile changed nothing: only a full run sees what they told of.
      row.wanted = SyncWish(self.hasEvents(row) ? .full : nil, .manual)
      return true
    }
  }

  /// Forgets what is stored (consumers are told of deletions) and starts over with a full run.
  /// - Throws: `FairleadError` (`notFound`, `conflict`).
  @discardableResult
  public func reset(_ id: SyncID) async throws -> Sync {
    try await change(id) { row in
      try self.requireRunnable(row)
      row.checkpoint = nil
      row.run = nil
      row.runClaim = nil
      row.wanted = SyncWish(.full, .manual, clear: true)
      return true
    }
  }

  /// Changes a sync's row under its lock.
  /// - Parameter body: whether there is work to do now.
  @discardableResult
  private func change(
    _ id: SyncID, _ body: @escaping @Sendable (inout SyncRow) throws -> Bool
  ) async throws -> Sync {
    guard id.isStorable else { throw Self.unknown(id) }
    let now = clock.now
    let row = try await database.guardedWrite(.locking) { [database, queue] sql in
      guard var row = try SyncStore.lock(id, database.dialect, in: sql), row.state != .removed
      else { throw Self.unknown(id) }
      let isWork = try body(&row)
      try SyncStore.update(row, now: now, in: sql)
      if isWork { try SyncJob.enqueue(id, queue, at: now, in: sql) }
      return row
    }
    return shown(row)
  }

  private func requireRunnable(_ row: SyncRow) throws {
    switch row.state {
    case .active:
      guard source(row.model, of: row.integration) != nil else {
        throw FairleadError(.conflict, "This model is switched off in the configuration.")
      }
    case .paused: throw FairleadError(.conflict, "This sync is paused. Resume it first.")
    case .blocked, .removed:
      throw FairleadError(
        .conflict, "The account behind this sync has to be connected again first.")
    }
  }

  private static func unknown(_ id: SyncID) -> FairleadError {
    FairleadError(.notFound, "There is no such sync.", detail: "sync \(id.rawValue.prefix(64))")
  }

  // MARK: - Showing

  func shown(_ row: SyncRow) -> Sync {
    let isOff = source(row.model, of: row.integration) == nil
    let state = Sync.State(rawValue: row.state.rawValue) ?? .blocked
    return Sync(
      id: row.id, integration: row.integration, model: row.model, connection: row.connection,
      owner: row.owner, state: isOff && state == .active ? .paused : state,
      run: row.run?.progress, lastRun: row.lastRun,
      records: Int(clamping: max(0, row.liveRecords)), lastSyncedAt: row.lastSyncedAt,
      nextRunAt: row.state == .active && !isOff ? row.times.next : nil,
      nextFullAt: row.state == .active && !isOff ? row.times.full : nil,
      isRealTime: row.isRealTime || hasEvents(row),
      error: isOff ? "This model is switched off in the configuration." : row.error)
  }

  /// What connections show of their syncs.
  public struct Summary: Sendable, Hashable {
    public var lastSyncedAt: Timestamp?
    public var isRunning: Bool
  }

  /// Of those that have syncs.
  /// - Throws: `FairleadError` (`serviceUnavailable`).
  public func summaries(of connections: [ConnectionID]) async throws -> [ConnectionID: Summary] {
    let ids = connections.filter(\.isStorable)
    guard !ids.isEmpty else { return [:] }
    return try await database.guardedRead { sql in
      let rows = try sql.query(
        """
        SELECT connection, MAX(last_synced_at), MAX(CASE WHEN run IS NULL THEN 0 ELSE 1 END)
        FROM syncs WHERE state <> 'removed'
          AND connection IN (\(RecordStore.places(ids.count, after: 0)))
        GROUP BY connection
        """, ids.map { SQLValue($0) })
      var result: [ConnectionID: Summary] = [:]
      for row in rows {
        result[try row.id(0)] = Summary(
          lastSyncedAt: try row.optionalTimestamp(1), isRunning: try row.bool(2))
      }
      return result
    }
  }

  // MARK: - Records

  /// A model's change feed after a cursor: the latest state of each record that changed since.
  ///
  /// Whoever keeps `nextCursor` and goes on from it misses nothing. Without a cursor it begins with
  /// everything there is.
  /// - Parameter limit: 1 to 1,000.
  /// - Throws: `FairleadError`: `notFound` for an unknown model, `invalidRequest` for a cursor of
  ///   another feed, `conflict` for one that is too old, `serviceUnavailable`.
  public func records(
    _ model: String, connection: ConnectionID? = nil, cursor: String? = nil, limit: Int = 100
  ) async throws -> FeedPage {
    guard SQLValue.text(model).isStorable, connection?.isStorable ?? true else {
      throw Self.unknownModel(model)
    }
    let feed = RecordFeed(model: model, connection: connection)
    let place = try FeedCursor(cursor, for: feed)
    let isKnown = models.contains(model)
    return try await database.guardedRead { sql in
      if !isKnown {
        let counter = try sql.first(
          "SELECT 1 FROM record_versions WHERE model = $1", [.text(model)])
        guard counter != nil else { throw Self.unknownModel(model) }
      }
      return try feed.read(after: place, limit: min(max(limit, 1), 1_000), in: sql)
    }
  }

  private static func unknownModel(_ model: String) -> FairleadError {
    FairleadError(
      .notFound, "There is no model \(model.asLabel?.prefix(40) ?? "") here. See GET /v1/syncs.")
  }
}
