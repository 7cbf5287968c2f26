import Foundation

/// Which connection an event belongs to.
public struct ConnectionMatch: Sendable, Hashable {
  public var connection: ConnectionID
  public var owner: Owner?

  public init(connection: ConnectionID, owner: Owner?) {
    self.connection = connection
    self.owner = owner
  }
}

/// Finds the connections of an integration whose `field` (`identity.id`, `params.shop`) equals
/// `value`; at most two are needed, as only a single match is used.
public typealias ConnectionLookup =
  @Sendable (_ integration: IntegrationName, _ field: String, _ value: String) async throws
  -> [ConnectionMatch]

/// The job `event`: gives one event to every handler and destination that wants it. Deliveries, their
/// jobs and the event's new status are one transaction.
struct FanOut: Sendable {
  static let kind = "event"

  let database: any Database
  let integrations: IntegrationRegistry
  let handlers: HandlerRegistry
  let queue: JobQueue
  let connectionLookup: ConnectionLookup?
  let clock: any FairleadClock
  let random: RandomSource
  let observer: (any WebhookObserver)?

  static func job(for event: EventID, at time: Timestamp) -> NewJob {
    NewJob(
      kind: kind, payload: JSONValue.object(["event": .string(event.rawValue)]).text, runAt: time,
      key: event.rawValue)
  }

  func handle(_ job: ClaimedJob) async throws -> JobOutcome {
    guard let id = Self.event(of: job) else { return .dead(error: "the job names no event") }
    let match = try await match(of: id)
    let now = clock.now
    let done = try await database.write(.locking) { connection in
      try fanOut(id, match, job, at: now, in: connection)
    }
    if let done, done.status == .processed {
      observer?.observe(.processed, integration: done.integration)
    }
    return .settled
  }

  private static func event(of job: ClaimedJob) -> EventID? {
    // Unreadable and missing are the same here: the job cannot be done.
    (try? JSONValue(parsing: job.payload.utf8))?["event"]?.string.map { EventID(rawValue: $0) }
  }

  /// Marks the event of a job that the worker gave up.
  func giveUp(_ job: ClaimedJob, reason: String, in connection: any SQLConnection) throws {
    guard let id = Self.event(of: job),
      try EventStore.lock(id, database.dialect, in: connection)?.status == .received
    else { return }
    try EventStore.setStatus(.dead, error: reason, of: id, in: connection)
  }

  /// The one connection that the event's own value names; `nil` when there is none or several.
  private func match(of id: EventID) async throws -> ConnectionMatch? {
    guard let connectionLookup else { return nil }
    let found = try await database.read { connection in
      try connection.first(
        "SELECT integration, connection_value FROM events WHERE id = $1", [SQLValue(id)]
      ).map { (IntegrationName(try $0.text(0)), try $0.optionalText(1)) }
    }
    guard let (integration, value) = found, let value,
      let field = integrations[integration]?.definition.webhook?.connectionMatches
    else { return nil }
    let matches = try await connectionLookup(integration, field, value)
    return matches.count == 1 ? matches[0] : nil
  }

  private func fanOut(
    _ id: EventID, _ match: ConnectionMatch?, _ job: ClaimedJob, at now: Timestamp,
    in connection: any SQLConnection
  ) throws -> (integration: IntegrationName, status: Event.Status)? {
    // The event's row before the job's, in every transaction: no two can wait for each other.
    let event = try EventStore.lock(id, database.dialect, in: connection)
    guard try queue.settle(job, .done, in: connection), let event, event.status == .received else {
      return nil
    }
    var owner = event.owner
    if let match {
      try EventStore.setConnection(match, of: id, in: connection)
      owner = match.owner
    }
    var targets: [Delivery.Target] = handlers.names(for: event.type, from: event.integration)
      .map { .handler($0) }
    for destination in try DestinationStore.all(in: connection)
    where destination.wants(event.type, from: event.integration, owner: owner) {
      targets.append(.destination(destination.id))
    }
    var jobs: [NewJob] = []
    for target in targets {
      let delivery = Delivery(
        id: DeliveryID(at: now, random: random), event: id, target: target, status: .pending,
        attempts: 0, crashes: 0, createdAt: now, updatedAt: now, nextAttemptAt: now)
      if try DeliveryStore.insert(delivery, generation: event.generation, in: connection) {
        jobs.append(DeliveryJob.job(for: delivery.id, at: now))
      }
    }
    try queue.enqueue(jobs, in: connection)
    let status = Event.Status(of: targets.map { _ in .pending })
    try EventStore.setStatus(status, error: nil, of: id, in: connection)
    return (event.integration, status)
  }
}
