public import Logging
public import ServiceLifecycle

/// Everything Fairlead does, in one object: connections, calls, webhooks and how they are doing.
///
/// It is a `Service`: add it to your service group. Calls and connections work as soon as it is
/// made; webhooks are stored and what waits in the background (deliveries, refreshes, the call log)
/// moves while `run()` runs. Safe to use from any task.
public final class Fairlead: Service {
  public let settings: Settings
  public let integrations: IntegrationRegistry
  public let database: any Database
  public let connections: Connections
  public let connect: ConnectFlow
  public let keys: APIKeys
  /// Who an end user is, by a session token.
  public let endUsers: JWTVerifier
  public let pipeline: RequestPipeline
  public let inbox: Inbox
  public let destinations: Destinations
  public let deliveries: Deliveries
  public let syncs: Syncs
  /// Watches at providers that announce changes.
  public let watches: WatchChannels
  public let callLog: CallLog
  public let health: Health
  public let alerts: Alerts
  public let live: LiveUpdates
  public let metrics: MetricsRegistry
  public let clock: any FairleadClock
  public let random: RandomSource
  public let logger: Logger

  let queue: JobQueue
  /// Anyone may ask whether storage can be written; it is tried once a second at most.
  private let readiness: BriefCache<Int, Int>
  private let ownedTransports: [HTTPClientTransport]

  /// Opens storage, brings its tables up to date and checks that the vault keys are those it was
  /// filled with.
  /// - Parameter transport: replaces the HTTP client, in tests of your own.
  /// - Throws: `FairleadError` with one line that says what to do.
  public convenience init(
    database: DatabaseSource, vault: VaultSource, integrations: [Integration],
    settings: Settings = Settings(), transport: (any Transport)? = nil,
    clock: any FairleadClock = SystemClock(), random: RandomSource = .system,
    logger: Logger = Logger(label: "fairlead")
  ) async throws {
    try settings.alerts.validate()
    // The keys come first: without them nothing is opened, let alone written.
    let keyRing = try vault.keyRing()
    let database = try await database.open()
    do {
      let vault = Vault(keyRing: keyRing, random: random)
      try await VaultCheck.verify(vault, in: database)
      try await Migrator.apply(Self.migrations, to: database, clock: clock)
      try await VaultCheck.enroll(vault, in: database, clock: clock)
      self.init(
        opened: database, vault: vault, integrations: IntegrationRegistry(integrations),
        settings: settings, transport: transport, clock: clock, random: random, logger: logger)
    } catch {
      // The first error is the one to tell; closing a database that failed may fail as well.
      try? await database.close()
      throw error
    }
  }

  private init(
    opened database: any Database, vault: Vault, integrations: IntegrationRegistry,
    settings: Settings, transport: (any Transport)?, clock: any FairleadClock,
    random: RandomSource, logger: Logger
  ) {
    self.settings = settings
    self.integrations = integrations
    self.database = database
    self.clock = clock
    self.random = random
    self.logger = logger

    let providers = HTTPClientTransport(allowPrivateNetworks: settings.allowPrivateNetworks)
    // Destinations have connections of their own, so that a slow one holds no provider's call up.
    let outward = HTTPClientTransport(allowPrivateNetworks: settings.allowPrivateNetworks)
    ownedTransports = [providers, outward]

    readiness = BriefCache(lifetime: .seconds(1), capacity: 1, clock: clock)
    live = LiveUpdates()
    metrics = MetricsRegistry()
    callLog = CallLog(
      database: database, clock: clock, live: live, retention: settings.requestRetention,
      random: random, logger: logger)
    let monitor = Monitor(callLog: callLog, live: live)

    connections = Connections(
      database: database, vault: vault, integrations: integrations,
      transport: transport ?? providers, clock: clock, random: random, logger: logger)
    connect = ConnectFlow(
      connections: connections, database: database, vault: vault, integrations: integrations,
      transport: transport ?? providers, clock: clock, random: random,
      publicURL: settings.publicURL, redirectOrigins: settings.connectRedirectOrigins,
      logger: logger)
    keys = APIKeys(
      database: database, adminKey: settings.adminKey, clock: clock, random: random)
    endUsers = JWTVerifier(
      issuers: settings.tokenIssuers, transport: transport ?? providers, clock: clock,
      logger: logger)
    let pipeline = RequestPipeline(
      integrations: integrations, credentials: connections, transport: transport ?? providers,
      clock: clock, random: random, observer: monitor, logger: logger)
    self.pipeline = pipeline
    connections.changes.observe { pipeline.forgetAnswers(of: $0) }
    health = Health(
      callLog: callLog, integrations: integrations, breaker: { pipeline.breaker(of: $0) })

    queue = JobQueue(database: database, clock: clock, random: random)
    let channels = ChannelVerifier(database: database, vault: vault)
    inbox = Inbox(
      database: database, integrations: integrations, queue: queue, clock: clock, random: random,
      observer: monitor, channelCheck: { try await channels.accepts($0, of: $1) },
      logger: logger)
    destinations = Destinations(
      database: database, vault: vault, clock: clock, random: random, logger: logger)
    let lookup = connections
    deliveries = Deliveries(
      inbox: inbox, destinations: destinations, transport: transport ?? outward,
      connectionLookup: { integration, field, value in
        field == ChannelVerifier.connectionField
          ? try await channels.matches(integration, channel: value)
          : try await lookup.matches(integration, field: field, value: value)
      })

    syncs = Syncs(
      database: database, queue: queue, connections: connections, integrations: integrations,
      pipeline: pipeline, inbox: inbox, settings: settings.syncs, live: live, clock: clock,
      random: random, logger: logger)
    let watches = Self.watches(syncs, vault: vault, pipeline: pipeline, settings: settings)
    self.watches = watches
    connections.changes.beforeEnd { await watches.stopAll(of: $0) }
    alerts = Alerts(
      settings.alerts, callLog: callLog, integrations: integrations, queue: queue,
      transport: transport ?? outward, live: live, clock: clock, random: random, logger: logger)
    handleDeletedOwners()

    let process = ProcessMetrics(startedAt: clock.now)
    let calls = callLog
    metrics.collect { calls.metricFamilies() }
    metrics.collect { process.families() }
    let alerts = alerts
    metrics.collect { alerts.metricFamilies() }
    metrics.collect { pipeline.breakerFamilies() }
  }

  /// Every table Fairlead has, in the order they are made.
  public static var migrations: [Migration] {
    Migration.vault + Migration.connections + Migration.jobs + Migration.webhooks
      + Migration.monitoring + Migration.sync + Migration.channels + Migration.alerts
  }
}

// MARK: - Running

extension Fairlead {
  /// Runs everything that goes on in the background until graceful shutdown, then finishes what is
  /// under way. Call it once.
  public func run() async throws {
    let worker = JobWorker(
      queue: queue,
      handlers: deliveries.jobHandlers.merging(syncs.jobHandlers, uniquingKeysWith: { $1 })
        .merging(watches.jobHandlers, uniquingKeysWith: { $1 })
        .merging(alerts.jobHandlers, uniquingKeysWith: { $1 }),
      limits: [SyncJob.kind: Syncs.concurrency],
      policy: JobPolicy(onDeath: jobDeath), clock: clock, random: random, logger: logger)
    let retention = EventRetention(
      database: database,
      periods: .init(payloads: settings.eventPayloadRetention, ids: settings.eventIDRetention),
      clock: clock, logger: logger)
    let refreshes = RefreshScheduler(connections: connections, logger: logger)
    // Stopped in the reverse order: what counts outlives what is counted.
    let group = ServiceGroup(
      services: [callLog, inbox, retention, refreshes] + syncServices + [watches, alerts, worker],
      logger: logger)
    try await withGracefulShutdownHandler {
      try await group.run()
    } onGracefulShutdown: { [live] in
      live.finish()
    }
  }

  /// Closes connections and storage. Call it after `run()` has returned; nothing works afterwards.
  public func close() async throws {
    await endUsers.drain()
    var failure: (any Error)?
    for transport in ownedTransports {
      do { try await transport.shutdown() } catch { failure = failure ?? error }
    }
    try await database.close()
    if let failure { throw failure }
  }

  /// Whether storage can be written now, found out by writing.
  /// - Throws: `FairleadError` (`serviceUnavailable`) when it cannot.
  public func checkReadiness() async throws {
    do {
      _ = try await readiness.value(0) { [database] in
        try await database.write(.locking) { connection in
          try connection.execute(
            """
            UPDATE fairlead_migrations SET applied_at = applied_at
            WHERE name = (SELECT MIN(name) FROM fairlead_migrations)
            """)
        }
      }
    } catch {
      throw FairleadError(
        .serviceUnavailable, "Storage cannot be written, so no work can be taken.",
        retryAfter: .seconds(5), detail: "\(error)")
    }
  }

  /// Jobs by what becomes of them.
  public func jobCounts() async throws -> JobCounts { try await queue.counts() }

  /// The metrics in Prometheus' text format.
  public func renderMetrics() async throws -> String {
    let jobs = try await queue.counts()
    let gauge = metrics.gauge("fairlead_jobs", help: "Jobs by state.", labels: ["state"])
    gauge.set(Double(jobs.pending), "pending")
    gauge.set(Double(jobs.running), "running")
    gauge.set(Double(jobs.dead), "dead")
    return metrics.render()
  }

  /// Whether calls to an integration are expected to work, for an application that would rather say
  /// "payments are temporarily unavailable" than try.
  public func isHealthy(_ integration: IntegrationName) async -> Bool {
    await health.isHealthy(integration)
  }
}
