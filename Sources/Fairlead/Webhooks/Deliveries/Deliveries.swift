import Logging

/// Events on their way to handlers and destinations. Thread-safe.
public final class Deliveries: Sendable {
  private let database: any Database
  private let fanOut: FanOut
  private let attempts: DeliveryJob
  private let clock: any FairleadClock
  private let random: RandomSource
  private let logger: Logger

  /// - Parameters:
  ///   - transport: for destinations alone, with its own guard against private addresses.
  ///   - connectionLookup: finds whose an event is; events have no owner without one.
  ///   - perDestination: how many deliveries to one destination run at once.
  public convenience init(
    inbox: Inbox, destinations: Destinations, transport: any Transport,
    connectionLookup: ConnectionLookup? = nil, perDestination: Int = 8
  ) {
    self.init(
      inbox: inbox, destinations: destinations, transport: transport,
      connectionLookup: connectionLookup, perDestination: perDestination, schedule: .standard)
  }

  init(
    inbox: Inbox, destinations: Destinations, transport: any Transport,
    connectionLookup: ConnectionLookup?, perDestination: Int, schedule: DeliverySchedule
  ) {
    database = inbox.database
    clock = inbox.clock
    random = inbox.random
    logger = inbox.logger
    fanOut = FanOut(
      database: inbox.database, integrations: inbox.integrations, handlers: inbox.handlers,
      queue: inbox.queue, connectionLookup: connectionLookup, clock: inbox.clock,
      random: inbox.random, observer: inbox.observer)
    attempts = DeliveryJob(
      database: inbox.database, handlers: inbox.handlers, destinations: destinations,
      queue: inbox.queue, sender: DestinationSender(transport: transport, clock: inbox.clock),
      gate: DestinationGate(limit: perDestination), schedule: schedule, clock: inbox.clock,
      random: inbox.random, observer: inbox.observer, logger: inbox.logger)
  }

  /// What the job worker runs for the inbox.
  public var jobHandlers: [String: JobHandler] {
    let fanOut = fanOut
    let attempts = attempts
    return [
      FanOut.kind: surviving { try await fanOut.handle($0) },
      DeliveryJob.kind: surviving { try await attempts.handle($0) },
    ]
  }

  /// What the job worker does in the transaction in which it gives up one of these jobs by itself
  /// (its process ended too often): the event or delivery is marked `dead`. Pass it to the worker's
  /// `JobPolicy`; it ignores jobs of other kinds.
  public var jobDeath: JobDeath {
    let fanOut = fanOut
    let attempts = attempts
    return { job, reason, connection in
      switch job.kind {
      case FanOut.kind: try fanOut.giveUp(job, reason: reason, in: connection)
      case DeliveryJob.kind: try attempts.giveUp(job, reason: reason, in: connection)
      default: break
      }
    }
  }

  /// A storage that cannot be used now never uses up a job: what is in the inbox stays there until
  /// it can be worked on. Anything else that fails here goes by the worker's own bounds.
  private func surviving(_ handler: @escaping JobHandler) -> JobHandler {
    let clock = clock
    let random = random
    let logger = logger
    return { job in
      do {
        return try await handler(job)
      } catch let error where Self.isPassing(error) && !Task.isCancelled {
        logger.error(
          "An event could not be worked on", metadata: ["job": "\(job.id)", "error": "\(error)"])
        let wait = 2 + 8 * random.unit()
        return .retry(at: clock.now + .milliseconds(Int64(wait * 1_000)), error: "storage failed")
      }
    }
  }

  /// Whether an error says that storage cannot be used, and nothing about the job.
  static func isPassing(_ error: any Error) -> Bool {
    switch error {
    case StorageError.unavailable, StorageError.overloaded, StorageError.outcomeUnknown: true
    case let error as FairleadError: error.code == .serviceUnavailable
    default: false
    }
  }

  /// Deliveries with their attempts, newest first.
  /// - Throws: `FairleadError` (`serviceUnavailable`).
  public func list(
    _ filter: DeliveryFilter = DeliveryFilter(), page: PageRequest = PageRequest()
  ) async throws -> Page<Delivery> {
    try await mappingStorageErrors {
      try await self.database.read { try DeliveryStore.page(filter, page, in: $0) }
    }
  }
}
