import Foundation
import Logging

/// The job `delivery`: one attempt at giving one event to one handler or destination.
///
/// An attempt whose result could not be recorded is made again; a destination then sees the same
/// `webhook-id`, a handler the same idempotency key.
struct DeliveryJob: Sendable {
  static let kind = "delivery"
  /// How long a delivery to a paused destination is put aside at a time.
  static let pausedWait = Duration.seconds(600)

  let database: any Database
  let handlers: HandlerRegistry
  let destinations: Destinations
  let queue: JobQueue
  let sender: DestinationSender
  let gate: DestinationGate
  let schedule: DeliverySchedule
  let clock: any FairleadClock
  let random: RandomSource
  let observer: (any WebhookObserver)?
  let logger: Logger

  static func job(for delivery: DeliveryID, at time: Timestamp) -> NewJob {
    NewJob(
      kind: kind, payload: JSONValue.object(["delivery": .string(delivery.rawValue)]).text,
      runAt: time, key: delivery.rawValue)
  }

  func handle(_ job: ClaimedJob) async throws -> JobOutcome {
    guard let id = Self.delivery(of: job) else {
      return .dead(error: "the job names no delivery")
    }
    guard let delivery = try await database.read({ try DeliveryStore.delivery(id, in: $0) }) else {
      return .done
    }
    var life = DeliveryLifecycle(
      delivery.status, attempts: delivery.attempts, crashes: delivery.crashes)
    switch life.start(crashes: job.crashes) {
    case .nothing: return .done
    case .giveUp(let reason):
      return try await settle(job, Settlement(delivery, life, status: .dead, error: reason))
    case .attempt(let number):
      switch delivery.target {
      case .handler(let name):
        return try await run(handlerNamed: name, delivery, life, number, job)
      case .destination(let destination):
        return try await forward(to: destination, delivery, life, number, job)
      }
    }
  }

  static func delivery(of job: ClaimedJob) -> DeliveryID? {
    // Unreadable and missing are the same here: the job cannot be done.
    (try? JSONValue(parsing: job.payload.utf8))?["delivery"]?.string.map {
      DeliveryID(rawValue: $0)
    }
  }

  // MARK: - Targets

  private func run(
    handlerNamed name: String, _ delivery: Delivery, _ life: DeliveryLifecycle, _ number: Int,
    _ job: ClaimedJob
  ) async throws -> JobOutcome {
    try await attempt(delivery, life, number, job) { input in
      guard let handler = handlers.handler(named: name) else {
        return AttemptResult(.failed(reason: "no handler is registered under the name \(name)"))
      }
      let context = EventContext(
        idempotencyKey: delivery.id, attempt: number, payload: input.payload,
        headers: input.headers)
      do {
        try await handler(input.event, context)
        return AttemptResult(.succeeded)
      } catch let error as EventHandlerError {
        return AttemptResult(.refused(reason: SecretRedaction.excerpt(error.reason)))
      } catch let error where !Task.isCancelled {
        return AttemptResult(.failed(reason: SecretRedaction.excerpt("\(error)")))
      }
    }
  }

  private func forward(
    to id: DestinationID, _ delivery: Delivery, _ life: DeliveryLifecycle, _ number: Int,
    _ job: ClaimedJob
  ) async throws -> JobOutcome {
    guard let route = try await destinations.route(to: id) else {
      return try await settle(
        job,
        Settlement(delivery, life, status: .cancelled, error: "The destination was deleted."))
    }
    switch route.destination.state {
    case .active: break
    case .paused:
      return .retry(at: clock.now + Self.pausedWait, error: "the destination is paused")
    case .disabled:
      let reason = route.destination.stateReason ?? "the destination is disabled"
      return try await settle(job, Settlement(delivery, life, status: .dead, error: reason))
    }
    switch gate.enter(id, uptime: clock.uptime) {
    case .later(let wait):
      return .retry(at: clock.now + wait, error: "the destination is busy with other deliveries")
    case .go: break
    }
    let start = clock.uptime
    defer { gate.leave(id, took: clock.uptime - start) }
    return try await attempt(delivery, life, number, job) { input in
      try await sender.send(input, attempt: number, over: route)
    }
  }

  // MARK: - One attempt

  /// What is delivered.
  struct Input: Sendable {
    var event: Event
    var headers: [EventHeader]
    var payload: [UInt8]
  }

  private func attempt(
    _ delivery: Delivery, _ life: DeliveryLifecycle, _ number: Int, _ job: ClaimedJob,
    _ body: (Input) async throws -> AttemptResult
  ) async throws -> JobOutcome {
    let input = try await database.read { connection -> Input? in
      guard let event = try EventStore.event(delivery.event, in: connection),
        let payload = try EventStore.payload(of: delivery.event, in: connection)
      else { return nil }
      return Input(event: event, headers: payload.headers, payload: payload.body)
    }
    guard let input else {
      return try await settle(
        job,
        Settlement(
          delivery, life, status: .dead, error: "The payload of this event is no longer kept."))
    }
    let startedAt = clock.now
    let start = clock.uptime
    let result = try await body(input)
    let duration = clock.uptime - start

    var life = life
    let finish = life.finish(
      result.outcome, at: clock.now, schedule: schedule, random: random.unit())
    var settlement = Settlement(delivery, life, finish)
    settlement.attempt = DeliveryAttempt(
      number: number, startedAt: startedAt, duration: duration,
      succeeded: result.outcome == .succeeded, status: result.status,
      error: settlement.delivery.error, response: result.response)
    settlement.disables = result.disables
    settlement.integration = input.event.integration
    return try await settle(job, settlement)
  }
}

/// How one attempt went.
struct AttemptResult: Sendable {
  var outcome: DeliveryLifecycle.Outcome
  var status: Int?
  var response: String?
  /// Set when the destination asked never to be called again.
  var disables: String?

  init(
    _ outcome: DeliveryLifecycle.Outcome, status: Int? = nil, response: String? = nil,
    disables: String? = nil
  ) {
    self.outcome = outcome
    self.status = status
    self.response = response
    self.disables = disables
  }
}
