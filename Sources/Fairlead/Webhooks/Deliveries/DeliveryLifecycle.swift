/// The life of one delivery: pending, running, then succeeded, waiting or dead. Pure: each step takes
/// what happened and returns what to do.
struct DeliveryLifecycle: Sendable, Equatable {
  enum State: Sendable, Equatable {
    case pending
    case running
    case waiting
    case succeeded
    case dead
    case cancelled
  }

  /// A delivery whose attempts end the process this often is given up: it would take every other
  /// delivery of this process down with it.
  static let maximumCrashes = 10

  private(set) var state: State
  /// Attempts that ended.
  private(set) var attempts: Int
  /// Attempts during which the process ended.
  private(set) var crashes: Int

  init(_ status: Delivery.Status, attempts: Int, crashes: Int) {
    self.attempts = attempts
    self.crashes = crashes
    state =
      switch status {
      case .pending: .pending
      case .waiting: .waiting
      case .succeeded: .succeeded
      case .dead: .dead
      case .cancelled: .cancelled
      }
  }

  // MARK: Start

  enum Start: Sendable, Equatable {
    /// Make the attempt of this number; attempts that a crash cut short count, so that a receiver
    /// sees that it may have had this one before.
    case attempt(Int)
    case giveUp(reason: String)
    /// It is settled already.
    case nothing
  }

  /// - Parameter crashes: how often the process ended during this delivery so far.
  mutating func start(crashes: Int) -> Start {
    guard state == .pending || state == .waiting else { return .nothing }
    self.crashes = max(self.crashes, crashes)
    guard self.crashes < Self.maximumCrashes else {
      state = .dead
      return .giveUp(reason: "the process ended \(self.crashes) times during this delivery")
    }
    state = .running
    return .attempt(attempts + self.crashes + 1)
  }

  // MARK: Finish

  enum Outcome: Sendable, Equatable {
    case succeeded
    /// It may work later, not before `retryAfter`.
    case failed(reason: String, retryAfter: Duration? = nil)
    /// It will never work.
    case refused(reason: String)
  }

  enum Finish: Sendable, Equatable {
    case succeeded
    case retry(at: Timestamp, reason: String)
    case dead(reason: String)
  }

  mutating func finish(
    _ outcome: Outcome, at now: Timestamp, schedule: DeliverySchedule, random: Double
  ) -> Finish {
    attempts += 1
    switch outcome {
    case .succeeded:
      state = .succeeded
      return .succeeded
    case .refused(let reason):
      state = .dead
      return .dead(reason: reason)
    case .failed(let reason, let retryAfter):
      guard let wait = schedule.wait(after: attempts, floor: retryAfter, random: random) else {
        state = .dead
        return .dead(reason: reason)
      }
      state = .waiting
      return .retry(at: now + wait, reason: reason)
    }
  }
}

extension Event.Status {
  /// What an event's status is, given its deliveries of the current generation.
  init(of deliveries: [Delivery.Status]) {
    if deliveries.contains(.waiting) {
      self = .failed
    } else if deliveries.contains(.pending) {
      self = .processing
    } else if deliveries.contains(.dead) {
      self = .dead
    } else {
      self = .processed
    }
  }
}
