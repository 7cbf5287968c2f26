import Logging
import ServiceLifecycle

/// Sees to it that every connection has its syncs and every sync its runs: makes them for new
/// connections, takes them away from those that are gone, and asks for what is due.
///
/// Any number of nodes may run one: each step is a compare-and-swap on the sync's row.
final class SyncScheduler: Service {
  /// Announces that a connection was made, changed or removed; the payload is its id.
  static let connectionChannel = Channel("fairlead_connections")
  /// How often it looks without being told to.
  static let interval = Duration.seconds(15)
  private static let slice = 100

  private let syncs: Syncs
  private let wakeup = Wakeup()

  init(syncs: Syncs) { self.syncs = syncs }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        group.addTask { await self.listen() }
        group.addTask { await self.relay(SyncStore.channel) }
        group.addTask { await self.relay(RecordStore.channel) }
        while !Task.isCancelled {
          do {
            try await self.pass()
          } catch is CancellationError {
            break
          } catch {
            self.syncs.logger.error(
              "Syncs cannot be scheduled; will try again", metadata: ["error": "\(error)"])
          }
          await self.wakeup.wait(atMost: Self.interval, self.syncs.clock)
        }
        group.cancelAll()
      }
    }
  }

  private func listen() async {
    for await _ in syncs.database.notifications(on: Self.connectionChannel) { wakeup.signal() }
  }

  /// Tells those who watch this node what changed on any node.
  private func relay(_ channel: Channel) async {
    for await notification in syncs.database.notifications(on: channel) {
      guard syncs.live.hasSubscribers else { continue }
      if channel == RecordStore.channel {
        // What cannot be read is nobody's news.
        guard let payload = try? JSONValue(parsing: notification.payload.utf8),
          let integration = payload["integration"]?.string, let model = payload["model"]?.string
        else { continue }
        syncs.live.publish(.records(model: model, integration: IntegrationName(integration)))
      } else {
        // A sync that is gone has nothing to show.
        guard let sync = try? await syncs.sync(SyncID(rawValue: notification.payload)) else {
          continue
        }
        syncs.live.publish(.sync(sync))
      }
    }
  }

  /// Everything once.
  /// - Throws: `StorageError`, `FairleadError`, `CancellationError`.
  func pass() async throws {
    for source in syncs.activeSources {
      try await begin(source)
      try await follow(source)
      try await adopt(source)
    }
    try await retire()
    try await fire()
    try await heal()
  }

  // MARK: - Connections

  /// Makes the syncs that are missing.
  private func begin(_ source: any SyncSource) async throws {
    var all: [(id: ConnectionID, owner: Owner?)] = []
    if let integration = syncs.integrations[source.integration],
      let standing = syncs.connections.defaultConnection(of: integration)?.connection
    {
      let known = try await syncs.database.read {
        try SyncStore.row(connection: standing.id, model: source.model, in: $0)
      }
      if known == nil { all.append((standing.id, nil)) }
    }
    let integration = source.integration
    let model = source.model
    repeat {
      let found = try await syncs.database.read { sql in
        try sql.query(
          """
          SELECT id, owner FROM connections
          WHERE integration = $1 AND state = 'active' AND NOT EXISTS (
            SELECT 1 FROM syncs WHERE syncs.connection = connections.id AND syncs.model = $2
          ) ORDER BY id LIMIT \(Self.slice)
          """, [SQLValue(integration), .text(model)]
        ).map { (id: try $0.id(0, as: ConnectionKind.self), owner: Owner(try $0.text(1))) }
      }
      all += found.map { ($0.id, $0.owner) }
      guard !all.isEmpty else { return }
      try await syncs.make(all, of: source)
      all = []
      if found.count < Self.slice { return }
    } while !Task.isCancelled
  }

  /// Blocks syncs whose connection needs its owner, and lets them go on afterwards.
  private func follow(_ source: any SyncSource) async throws {
    let integration = source.integration
    let model = source.model
    let ids = try await syncs.database.read { sql in
      try sql.query(
        """
        SELECT syncs.id FROM syncs JOIN connections ON connections.id = syncs.connection
        WHERE syncs.integration = $1 AND syncs.model = $2
          AND ((syncs.state = 'active' AND connections.state <> 'active')
            OR (syncs.state = 'blocked' AND connections.state = 'active'))
        LIMIT \(Self.slice)
        """, [SQLValue(integration), .text(model)]
      ).map { try $0.id(0, as: SyncKind.self) }
    }
    for id in ids { try await follow(id) }
  }

  private func follow(_ id: SyncID) async throws {
    let now = syncs.clock.now
    let (dialect, queue) = (syncs.database.dialect, syncs.queue)
    try await syncs.database.write(.locking) { sql in
      guard var row = try SyncStore.lock(id, dialect, in: sql) else { return }
      let connection = try sql.first(
        "SELECT state, error FROM connections WHERE id = $1", [SQLValue(row.connection)])
      guard let connection else { return }
      let isActive = try connection.text(0) == Connection.State.active.rawValue
      switch row.state {
      case .active where !isActive:
        row.state = .blocked
        row.error =
          try connection.optionalText(1) ?? "The account has to be connected again."
        row.wanted = nil
        row.run = nil
        row.runClaim = nil
        try SyncStore.update(row, now: now, in: sql)
      case .blocked where isActive:
        row.state = .active
        row.error = nil
        row.wanted = SyncWish(nil, .schedule)
        try SyncStore.update(row, now: now, in: sql)
        try SyncJob.enqueue(id, queue, at: now, in: sql)
      default: break
      }
    }
  }

  /// Gives syncs the times of a schedule that was changed.
  private func adopt(_ source: any SyncSource) async throws {
    let schedule = syncs.schedule(of: source)
    let now = syncs.clock.now
    let dialect = syncs.database.dialect
    let (integration, model) = (source.integration, source.model)
    let ids = try await syncs.database.read { sql in
      try sql.query(
        """
        SELECT id FROM syncs WHERE integration = $1 AND model = $2 AND schedule <> $3
          AND state <> 'removed' LIMIT \(Self.slice)
        """, [SQLValue(integration), .text(model), .text(schedule.fingerprint)]
      ).map { try $0.id(0, as: SyncKind.self) }
    }
    for id in ids {
      try await syncs.database.write(.locking) { sql in
        guard var row = try SyncStore.lock(id, dialect, in: sql) else { return }
        row.schedule = schedule.fingerprint
        row.times = schedule.times(after: now, sync: id)
        try SyncStore.update(row, now: now, in: sql)
      }
    }
  }

  /// Takes the syncs of connections that are gone away; their records are deleted by a job.
  private func retire() async throws {
    let standing = syncs.integrations.all
      .compactMap { syncs.connections.defaultConnection(of: $0)?.connection.id }
    let gone = try await syncs.database.read { sql in
      try sql.query(
        """
        SELECT id, connection FROM syncs WHERE state <> 'removed' AND NOT EXISTS (
          SELECT 1 FROM connections WHERE connections.id = syncs.connection
        ) ORDER BY id LIMIT \(Self.slice + standing.count * 100)
        """
      ).map { (try $0.id(0, as: SyncKind.self), try $0.id(1, as: ConnectionKind.self)) }
    }
    let now = syncs.clock.now
    let (dialect, queue) = (syncs.database.dialect, syncs.queue)
    for (id, connection) in gone where !standing.contains(connection) {
      try await syncs.database.write(.locking) { sql in
        guard var row = try SyncStore.lock(id, dialect, in: sql), row.state != .removed else {
          return
        }
        row.state = .removed
        row.run = nil
        row.runClaim = nil
        row.wanted = nil
        try SyncStore.update(row, now: now, in: sql)
        try SyncJob.enqueue(id, queue, at: now, in: sql)
      }
    }
  }

  // MARK: - Time

  /// Asks for what is due. A time that was missed comes once.
  private func fire() async throws {
    let now = syncs.clock.now
    let due = try await syncs.database.read { sql in
      try sql.query(
        """
        SELECT id FROM syncs WHERE next_run_at IS NOT NULL AND state = 'active'
          AND next_run_at <= $1 ORDER BY next_run_at LIMIT \(Self.slice * 10)
        """, [SQLValue(now)]
      ).map { try $0.id(0, as: SyncKind.self) }
    }
    for id in due { try await fire(id, at: now) }
  }

  private func fire(_ id: SyncID, at now: Timestamp) async throws {
    let syncs = syncs
    try await syncs.database.write(.locking) { sql in
      guard var row = try SyncStore.lock(id, syncs.database.dialect, in: sql),
        row.state == .active, let kind = row.times.due(at: now)
      else { return }
      guard let source = syncs.source(row.model, of: row.integration) else {
        // Switched off: no time comes until it is switched on again.
        row.schedule = ""
        row.times = SyncSchedule.Times()
        try SyncStore.update(row, now: now, in: sql)
        return
      }
      row.times = syncs.schedule(of: source).times(after: now, sync: id)
      // A run that is under way already does what this one would.
      if row.run == nil || (kind == .full && row.run?.kind == .incremental) {
        let wish = SyncWish(kind, .schedule)
        row.wanted = row.wanted.map { wish.merged(with: $0) } ?? wish
      }
      try SyncStore.update(row, now: now, in: sql)
      if row.wanted != nil { try SyncJob.enqueue(id, syncs.queue, at: now, in: sql) }
    }
  }

  /// Brings back jobs that went missing: what is wanted is never forgotten.
  private func heal() async throws {
    let now = syncs.clock.now
    let queue = syncs.queue
    let ids = try await syncs.database.read { sql in
      try sql.query(
        """
        SELECT id FROM syncs WHERE (state = 'removed' OR (state = 'active'
            AND (wanted IS NOT NULL OR run IS NOT NULL)))
          AND NOT EXISTS (
            SELECT 1 FROM jobs WHERE jobs.kind = '\(SyncJob.kind)' AND jobs.job_key = syncs.id
              AND jobs.state <> 'dead'
          ) LIMIT \(Self.slice)
        """
      ).map { try $0.id(0, as: SyncKind.self) }
    }
    guard !ids.isEmpty else { return }
    try await syncs.database.write(.locking) { sql in
      for id in ids { try SyncJob.enqueue(id, queue, at: now, in: sql) }
    }
  }
}
