import Logging
import Synchronization

/// Keeps records in sync with the providers, and hands them out as change feeds. Thread-safe.
///
/// Every active connection has a sync for each model of its integration: those its definition
/// declares, and those registered here.
public final class Syncs: Sendable {
  let database: any Database
  let queue: JobQueue
  let connections: Connections
  let integrations: IntegrationRegistry
  let settings: SyncSettings
  let clock: any FairleadClock
  let random: RandomSource
  let live: LiveUpdates
  let logger: Logger
  let inbox: Inbox
  private let pipeline: RequestPipeline
  private let sources: Mutex<[String: any SyncSource]>

  /// How many syncs a process runs at once. They are long, and must leave workers for what is short.
  static let concurrency = 8

  init(
    database: any Database, queue: JobQueue, connections: Connections,
    integrations: IntegrationRegistry, pipeline: RequestPipeline, inbox: Inbox,
    settings: SyncSettings, live: LiveUpdates, clock: any FairleadClock, random: RandomSource,
    logger: Logger
  ) {
    self.database = database
    self.queue = queue
    self.connections = connections
    self.integrations = integrations
    self.pipeline = pipeline
    self.inbox = inbox
    self.settings = settings
    self.live = live
    self.clock = clock
    self.random = random
    self.logger = logger
    sources = Mutex([:])
    for integration in integrations.all {
      for (model, declared) in integration.definition.syncs.sorted(by: { $0.key < $1.key }) {
        let source = DeclaredSync(
          integration: integration.name, model: model, settings: declared)
        // What another integration fills takes none of this one's events either.
        if add(source), declared.events != nil { handleEvents(of: source) }
      }
    }
  }

  // MARK: - Sources

  /// Adds a sync written in Swift. Register everything before `run()`.
  ///
  /// A model has one source: where two integrations would fill it, or a definition declares it
  /// already, the first one that is not switched off stays, and the log says so.
  public func register(_ source: some SyncSource) { add(source) }

  /// - Returns: whether the model is this source's.
  @discardableResult
  private func add(_ source: some SyncSource) -> Bool {
    let isOff = !isEnabled(source)
    let isUsed = sources.withLock { sources in
      guard DefinitionParser.isName(source.model) else { return false }
      if let other = sources[source.model], isOff || isEnabled(other) { return false }
      sources[source.model] = source
      return true
    }
    if !isUsed, !isOff {
      logger.error(
        "A sync is not used: its model's name is taken or is no name",
        metadata: ["integration": "\(source.integration)", "model": "\(source.model)"])
    }
    return isUsed
  }

  private func isEnabled(_ source: any SyncSource) -> Bool {
    settings[source.integration, source.model].isEnabled
  }

  /// Whether the provider can announce changes of a model.
  func isAnnounced(_ model: String, of integration: IntegrationName) -> Bool {
    integrations[integration]?.definition.syncs[model]?.push != nil
  }

  /// The source of a model, unless the deployment switched it off.
  func source(_ model: String, of integration: IntegrationName) -> (any SyncSource)? {
    guard let source = sources.withLock({ $0[model] }), source.integration == integration,
      isEnabled(source)
    else { return nil }
    return source
  }

  /// Those in use, in the order of their models.
  var activeSources: [any SyncSource] {
    sources.withLock { Array($0.values) }
      .filter(isEnabled)
      .sorted { $0.model < $1.model }
  }

  /// The models that there are sources for, in alphabetical order.
  public var models: [String] { sources.withLock { $0.keys.sorted() } }

  /// The schedule in force.
  func schedule(of source: any SyncSource) -> SyncSchedule {
    var schedule = settings[source.integration, source.model].schedule(over: source.schedule)
    if !source.isIncremental { schedule.incremental = nil }
    return schedule
  }

  // MARK: - Jobs

  /// What the job worker runs for syncs.
  var jobHandlers: [String: JobHandler] {
    let engine = engine
    return [SyncJob.kind: { try await engine.handle($0) }]
  }

  /// What the worker does in the transaction in which it gives up a sync's job by itself.
  var jobDeath: JobDeath {
    let clock = clock
    let dialect = database.dialect
    return { job, reason, sql in
      guard job.kind == SyncJob.kind, let id = SyncJob.sync(of: job),
        var row = try SyncStore.lock(id, dialect, in: sql)
      else { return }
      row.lastRun = row.run?.report(reason, at: clock.now) ?? row.lastRun
      row.run = nil
      row.runClaim = nil
      row.wanted = nil
      row.error = reason
      try SyncStore.update(row, now: clock.now, in: sql)
    }
  }

  var engine: SyncEngine {
    SyncEngine(
      database: database, queue: queue, clock: clock, random: random, logger: logger,
      source: { [self] row in
        source(row.model, of: row.integration).map {
          ConfiguredSource(base: $0, settings: settings[row.integration, row.model])
        }
      },
      context: { [self] row, source in try await context(of: row) })
  }

  private func context(of row: SyncRow) async throws -> SyncContext {
    let connection = try await connections.connection(row.connection)
    let integration = try integrations.require(row.integration)
    try Connections.requireActive(connection, in: integrations)
    let caller = SyncCaller(pipeline: pipeline, connection: connection)
    return SyncContext(
      connection: connection, integration: integration,
      params: connection.params.merging(
        settings[row.integration, row.model].params, uniquingKeysWith: { $1 }),
      send: { try await caller.send($0, host: $1) })
  }
}

/// A source with the deployment's own bounds.
private struct ConfiguredSource: SyncSource {
  let base: any SyncSource
  let settings: SyncSettings.Model

  var integration: IntegrationName { base.integration }
  var model: String { base.model }
  var schedule: SyncSchedule { base.schedule }
  var isIncremental: Bool { base.isIncremental }
  var deletionGuard: Double { settings.deletionGuard ?? base.deletionGuard }
  var confirmsDeletions: Bool { base.confirmsDeletions }

  func page(_ request: SyncPageRequest, _ context: SyncContext) async throws -> SyncPage {
    try await base.page(request, context)
  }
}
