public import Logging
public import ServiceLifecycle

/// Keeps a watch open at the provider for every model that is synced and can be announced, and knows
/// whose a notification is.
///
/// Opening, renewing and stopping are jobs, one at a time for each model whichever node runs it; this
/// service looks regularly whether one is due. Watches are lossy, so the sync's own schedule stays
/// the safety net. Thread-safe.
public final class WatchChannels: Service {
  /// Which models are to be watched, all of them or those of one connection and model.
  public typealias Wanted =
    @Sendable (ConnectionID?, String?) async throws -> [WatchedModel]
  /// How a model is watched, with values for the placeholders of its paths; `nil` for one that
  /// cannot be.
  public typealias Definition =
    @Sendable (IntegrationName, String) -> (
      push: ProviderDefinition.Push, params: [String: String]
    )?
  public typealias Caller =
    @Sendable (IntegrationName, ConnectionID, CallRequest) async throws -> CallReply
  /// Told whether changes of a model are announced from now on.
  public typealias Announced = @Sendable (ConnectionID, String, Bool) async throws -> Void
  /// Told that something changed.
  public typealias Trigger = @Sendable (ConnectionID, String) async throws -> Void

  /// How long an ended channel is remembered, so that a late message is not taken for a forged one.
  static let memory = Duration.seconds(86_400)

  let database: any Database
  let vault: Vault
  let queue: JobQueue
  let integrations: IntegrationRegistry
  let publicURL: String
  let wanted: Wanted
  let definition: Definition
  let call: Caller
  let announced: Announced
  let trigger: Trigger
  let clock: any FairleadClock
  let random: RandomSource
  let logger: Logger
  private let interval: Duration

  /// - Parameter interval: between two looks at what is due, spread by up to a quarter.
  public init(
    database: any Database, vault: Vault, queue: JobQueue, integrations: IntegrationRegistry,
    publicURL: String, wanted: @escaping Wanted, definition: @escaping Definition,
    call: @escaping Caller, announced: @escaping Announced,
    trigger: @escaping Trigger, clock: any FairleadClock, random: RandomSource = .system,
    interval: Duration = .seconds(15), logger: Logger
  ) {
    self.database = database
    self.vault = vault
    self.queue = queue
    self.integrations = integrations
    self.publicURL = publicURL
    self.wanted = wanted
    self.definition = definition
    self.call = call
    self.announced = announced
    self.trigger = trigger
    self.clock = clock
    self.random = random
    self.interval = interval
    self.logger = logger
  }

  public func run() async throws {
    do {
      try await cancelWhenGracefulShutdown { try await self.loop() }
    } catch is CancellationError {
      // Shutting down; open watches stay open for the next start.
    }
  }

  private func loop() async throws {
    while true {
      do {
        try await reconcile()
      } catch let error where !(error is CancellationError) {
        logger.error("Watches cannot be looked after", metadata: ["error": "\(error)"])
      }
      try await clock.sleep(for: interval * (1 + random.unit() / 4))
    }
  }

  /// Queues a job for every model whose watches need something. A job that is queued or running
  /// already is left alone.
  /// - Returns: how many models needed something.
  @discardableResult
  func reconcile() async throws -> Int {
    let models = try await wanted(nil, nil).filter { address(for: $0.integration) != nil }
    let now = clock.now
    let queue = queue
    return try await database.write { connection in
      try PushChannelStore.prune(before: now - Self.memory, in: connection)
      let channels = Dictionary(
        grouping: try PushChannelStore.open(in: connection), by: \.place)
      let places = Set(models.map(\.place))
      let due = places.union(channels.keys).filter { place in
        !WatchPlan.steps(channels[place] ?? [], isWanted: places.contains(place), now: now).isEmpty
      }
      try queue.enqueue(due.map { WatchJob.job(for: $0, at: now) }, in: connection)
      return due.count
    }
  }

  /// What the job worker runs for the watches.
  public var jobHandlers: [String: JobHandler] {
    let job = WatchJob(channels: self)
    return [WatchJob.kind: { try await job.handle($0) }]
  }

  /// How long a disconnect waits for its watches to be stopped.
  private static let farewell = Duration.seconds(5)

  /// Stops a connection's watches while its credential still works. Best effort and bounded: what
  /// cannot be stopped ends by itself, and its messages change nothing.
  func stopAll(of connection: ConnectionID) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        do {
          let open = try await self.database.read { try PushChannelStore.open(in: $0) }
          for channel in open where channel.place.connection == connection {
            try await WatchJob(channels: self).stop(channel)
          }
        } catch {
          self.logger.info(
            "Watches of a connection that ends could not be stopped",
            metadata: ["connection": "\(connection)", "error": "\(type(of: error))"])
        }
      }
      group.addTask { [clock] in
        // Cancelled once everything is stopped.
        try? await clock.sleep(for: Self.farewell)
      }
      await group.next()
      group.cancelAll()
    }
  }

  func address(for name: IntegrationName) -> String? {
    integrations[name].flatMap { WatchRequest.address(publicURL: publicURL, integration: $0) }
  }
}
