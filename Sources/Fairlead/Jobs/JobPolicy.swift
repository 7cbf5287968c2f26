/// Called in the transaction in which a worker gives up a job by itself (too many crashes or errors,
/// no handler), so that what the job stood for can be marked as well. A throw undoes the death.
public typealias JobDeath = @Sendable (ClaimedJob, String, any SQLConnection) throws -> Void

/// What a worker does about jobs that do not end as their handlers say.
public struct JobPolicy: Sendable {
  /// How often a lease may run out before the job is given up.
  public var maximumCrashes: Int
  /// How often a handler may throw before the job is given up.
  public var maximumAttempts: Int
  /// The wait after the first thrown error; doubled after each further one, up to `backoffCap`.
  public var backoffBase: Duration
  public var backoffCap: Duration
  /// How often the table is looked at without a notification.
  public var poll: Duration
  /// How long running handlers may take to finish on graceful shutdown before they are cancelled.
  public var shutdownGrace: Duration
  public var onDeath: JobDeath

  public init(
    maximumCrashes: Int = 20, maximumAttempts: Int = 20, backoffBase: Duration = .seconds(2),
    backoffCap: Duration = .seconds(900), poll: Duration = .seconds(5),
    shutdownGrace: Duration = .seconds(20), onDeath: @escaping JobDeath = { _, _, _ in }
  ) {
    self.maximumCrashes = maximumCrashes
    self.maximumAttempts = maximumAttempts
    self.backoffBase = backoffBase
    self.backoffCap = backoffCap
    self.poll = poll
    self.shutdownGrace = shutdownGrace
    self.onDeath = onDeath
  }

  /// What becomes of a job whose handler threw.
  /// - Parameter jitter: `0..<1`; the wait is between half of the backoff and all of it.
  func outcome(
    ofThrown error: any Error, attempt: Int, now: Timestamp, jitter: Double
  ) -> JobOutcome {
    let text = Self.text(of: error)
    guard attempt < maximumAttempts else { return .dead(error: text) }
    // Doubling past 2^32 would only overflow; the cap is reached long before.
    let exponent = min(max(attempt - 1, 0), 32)
    let backoff = min(
      backoffBase.inSeconds * Double(UInt64(1) << UInt64(exponent)), backoffCap.inSeconds)
    return .retry(at: now + .seconds(backoff * (0.5 + jitter / 2)), error: text)
  }

  /// Only errors that are known to hold no secret are put into words; of others the type is told.
  static func text(of error: any Error) -> String {
    switch error {
    case let error as FairleadError: error.description
    case let error as StorageError: "storage: \(error)"
    case let error as VaultError: error.description
    default: "the handler threw \(type(of: error))"
    }
  }
}
