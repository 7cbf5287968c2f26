/// Background work to be done at least once.
public struct NewJob: Sendable, Hashable {
  /// Which handler it is for.
  public var kind: String
  /// JSON that the handler understands. No secrets: it is stored in plain text.
  public var payload: String
  /// Not before this time.
  public var runAt: Timestamp
  /// Unique among the unfinished jobs of the kind; a second one is ignored.
  public var key: String?

  public init(kind: String, payload: String, runAt: Timestamp, key: String? = nil) {
    self.kind = kind
    self.payload = payload
    self.runAt = runAt
    self.key = key
  }
}

/// A job under a lease. Whoever holds it must settle it, and may find that the claim was lost.
public struct ClaimedJob: Sendable, Hashable {
  public let id: JobID
  public let kind: String
  public let payload: String
  /// 1 for the first run; grows with every run that ended in an error, not with crashes.
  public let attempt: Int
  /// How often a lease ran out: the process ended, or could not reach storage, while it ran.
  public let crashes: Int
  /// Names this very claim; a later one of the same job has another.
  public let claim: String

  public init(
    id: JobID, kind: String, payload: String, attempt: Int, crashes: Int, claim: String
  ) {
    self.id = id
    self.kind = kind
    self.payload = payload
    self.attempt = attempt
    self.crashes = crashes
    self.claim = claim
  }
}

/// What becomes of a job after a run. `error` is stored and shown: no secrets in it.
public enum JobOutcome: Sendable, Equatable {
  /// Finished; the job is removed.
  case done
  /// Run again, not before `at`.
  case retry(at: Timestamp, error: String)
  /// Given up; kept for people to look at.
  case dead(error: String)
  /// The handler settled it in a transaction of its own.
  case settled
}

/// Runs one job. It may be called again for a job that ran already (after a crash, or a lost lease),
/// so what it does must bear repetition. It is cancelled when its claim is lost and on shutdown.
public typealias JobHandler = @Sendable (ClaimedJob) async throws -> JobOutcome

/// How many jobs there are, for health.
public struct JobCounts: Sendable, Hashable {
  /// Waiting for their time or for a worker.
  public var pending: Int
  public var running: Int
  /// Given up.
  public var dead: Int

  public init(pending: Int, running: Int, dead: Int) {
    self.pending = pending
    self.running = running
    self.dead = dead
  }
}
