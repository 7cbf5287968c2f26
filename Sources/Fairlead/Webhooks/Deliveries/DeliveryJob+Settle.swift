import Logging

extension DeliveryJob {
  /// What one transaction writes about a delivery.
  struct Settlement: Sendable {
    var delivery: Delivery
    var attempt: DeliveryAttempt?
    var disables: String?
    var integration: IntegrationName?

    /// Without an attempt of its own.
    init(_ delivery: Delivery, _ life: DeliveryLifecycle, status: Delivery.Status, error: String) {
      self.delivery = delivery
      self.delivery.status = status
      self.delivery.error = error
      self.delivery.nextAttemptAt = nil
      self.delivery.attempts = life.attempts
      self.delivery.crashes = life.crashes
    }

    init(_ delivery: Delivery, _ life: DeliveryLifecycle, _ finish: DeliveryLifecycle.Finish) {
      self.delivery = delivery
      self.delivery.attempts = life.attempts
      self.delivery.crashes = life.crashes
      self.delivery.nextAttemptAt = nil
      switch finish {
      case .succeeded:
        self.delivery.status = .succeeded
        self.delivery.error = nil
      case .dead(let reason):
        self.delivery.status = .dead
        self.delivery.error = reason
      case .retry(let time, let reason):
        self.delivery.status = .waiting
        self.delivery.error = reason
        self.delivery.nextAttemptAt = time
      }
    }

    /// The delivery's dead letter is the delivery itself: for the queue the job is done.
    var jobOutcome: JobOutcome {
      guard let next = delivery.nextAttemptAt else { return .done }
      return .retry(at: next, error: delivery.error ?? "failed")
    }
  }

  /// Records the result, the event's new status and the job's outcome together. When the claim was
  /// lost meanwhile, another worker has the delivery and nothing is recorded.
  func settle(_ job: ClaimedJob, _ settlement: Settlement) async throws -> JobOutcome {
    let now = clock.now
    let dialect = database.dialect
    let status = try await database.write(.locking) { connection -> Event.Status? in
      try record(job, settlement, at: now, dialect, in: connection)
    }
    report(settlement, status)
    return .settled
  }

  /// - Returns: the event's status when this changed it.
  private func record(
    _ job: ClaimedJob, _ settlement: Settlement, at now: Timestamp, _ dialect: Dialect,
    in connection: any SQLConnection
  ) throws -> Event.Status? {
    var delivery = settlement.delivery
    delivery.updatedAt = now
    // A replay may have cancelled it while the attempt ran. Then only a success still counts.
    let event = try EventStore.lock(delivery.event, dialect, in: connection)
    let isCancelled =
      try DeliveryStore.delivery(delivery.id, in: connection)?.status == .cancelled
    if isCancelled, delivery.status != .succeeded {
      delivery.status = .cancelled
      delivery.nextAttemptAt = nil
    }
    let outcome = isCancelled ? .done : settlement.jobOutcome
    guard try queue.settle(job, outcome, in: connection) else { return nil }
    if let attempt = settlement.attempt {
      try DeliveryStore.insert(attempt, of: delivery.id, in: connection)
    }
    try DeliveryStore.update(delivery, in: connection)
    if let reason = settlement.disables, case .destination(let id) = delivery.target {
      try destinations.disable(id, reason: reason, in: connection)
    }
    return try follow(
      delivery, attempts: settlement.attempt == nil ? 0 : 1, event, in: connection)
  }

  /// Marks the delivery of a job that the worker gave up.
  func giveUp(_ job: ClaimedJob, reason: String, in connection: any SQLConnection) throws {
    guard let id = Self.delivery(of: job),
      let event = try DeliveryStore.delivery(id, in: connection)?.event
    else { return }
    let locked = try EventStore.lock(event, database.dialect, in: connection)
    // Read once more under the lock: a replay may have cancelled it.
    guard var delivery = try DeliveryStore.delivery(id, in: connection), delivery.status.isOpen
    else { return }
    delivery.status = .dead
    delivery.error = reason
    delivery.crashes = max(delivery.crashes, job.crashes)
    delivery.nextAttemptAt = nil
    delivery.updatedAt = clock.now
    try DeliveryStore.update(delivery, in: connection)
    _ = try follow(delivery, attempts: 0, locked, in: connection)
  }

  /// Brings the event's status after a change of one of its deliveries.
  /// - Returns: the new status when it is another one.
  private func follow(
    _ delivery: Delivery, attempts: Int, _ event: EventStore.Locked?,
    in connection: any SQLConnection
  ) throws -> Event.Status? {
    guard let event else { return nil }
    let generation = try DeliveryStore.generation(of: delivery.id, in: connection)
    guard generation == event.generation, event.status != .received else {
      try EventStore.addAttempts(attempts, to: delivery.event, in: connection)
      return nil
    }
    let status = Event.Status(
      of: try DeliveryStore.statuses(of: delivery.event, generation: generation, in: connection))
    let error =
      status == .failed || status == .dead
      ? try DeliveryStore.latestError(
        of: delivery.event, generation: generation, in: connection) : nil
    try EventStore.setStatus(
      status, error: error, addingAttempts: attempts, of: delivery.event, in: connection)
    return status == event.status ? nil : status
  }

  private func report(_ settlement: Settlement, _ status: Event.Status?) {
    let delivery = settlement.delivery
    if let error = delivery.error {
      logger.warning(
        "Delivery did not succeed",
        metadata: [
          "delivery": "\(delivery.id)", "event": "\(delivery.event)",
          "target": "\(delivery.target.name)", "status": "\(delivery.status.rawValue)",
          "attempts": "\(delivery.attempts)", "error": "\(error)",
        ])
    }
    guard let integration = settlement.integration else { return }
    if delivery.status == .waiting { observer?.observe(.attemptFailed, integration: integration) }
    if delivery.status == .dead { observer?.observe(.dead, integration: integration) }
    if status == .processed { observer?.observe(.processed, integration: integration) }
  }
}
