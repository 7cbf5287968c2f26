/// The durable queue of background work. Every transition of a claimed job checks its claim, so that
/// a worker which lost its lease changes nothing. Thread-safe.
public final class JobQueue: Sendable {
  /// Where new work is announced.
  static let channel = Channel("fairlead_jobs")

  let database: any Database
  let clock: any FairleadClock
  let random: RandomSource

  public init(database: any Database, clock: any FairleadClock, random: RandomSource = .system) {
    self.database = database
    self.clock = clock
    self.random = random
  }

  /// Adds jobs inside the caller's transaction; workers wake once it has committed.
  /// - Throws: `StorageError`.
  public func enqueue(_ jobs: [NewJob], in connection: any SQLConnection) throws {
    let now = clock.now
    var kinds: Set<String> = []
    for job in jobs {
      let isNew =
        try connection.execute(
          """
          INSERT INTO jobs
            (id, kind, job_key, payload, state, due_at, errors, crashes, created_at, updated_at)
          VALUES ($1, $2, $3, $4, 'pending', $5, 0, 0, $6, $6)
          ON CONFLICT DO NOTHING
          """,
          [
            SQLValue(JobID(at: now, random: random)), .text(job.kind), SQLValue(job.key),
            .text(job.payload), SQLValue(job.runAt), SQLValue(now),
          ]) > 0
      if isNew { kinds.insert(job.kind) }
    }
    for kind in kinds { try connection.notify(Self.channel, kind) }
  }

  /// Adds jobs in a transaction of their own.
  /// - Throws: `StorageError`.
  public func enqueue(_ jobs: [NewJob]) async throws {
    try await database.write(.locking) { try self.enqueue(jobs, in: $0) }
  }

  /// Ends a run inside the caller's transaction.
  /// - Returns: `false` when the claim was lost: nothing changed, and the caller should throw, so
  ///   that what it did alongside is undone.
  /// - Throws: `StorageError`.
  public func settle(
    _ job: ClaimedJob, _ outcome: JobOutcome, in connection: any SQLConnection
  ) throws -> Bool {
    let now = clock.now
    let changed =
      switch outcome {
      case .settled: 1
      case .done:
        try connection.execute(
          "DELETE FROM jobs WHERE id = $1 AND claim = $2", [SQLValue(job.id), .text(job.claim)])
      case .retry(let at, let error):
        try connection.execute(
          """
          UPDATE jobs SET state = 'pending', claim = NULL, due_at = $3, errors = errors + 1,
            error = $4, updated_at = $5
          WHERE id = $1 AND claim = $2
          """,
          [SQLValue(job.id), .text(job.claim), SQLValue(at), .text(error.storable), SQLValue(now)])
      case .dead(let error):
        try connection.execute(
          """
          UPDATE jobs SET state = 'dead', claim = NULL, error = $3, updated_at = $4
          WHERE id = $1 AND claim = $2
          """,
          [SQLValue(job.id), .text(job.claim), .text(error.storable), SQLValue(now)])
      }
    return changed > 0
  }

  /// - Throws: `StorageError`.
  public func counts() async throws -> JobCounts {
    try await database.read { connection in
      func count(_ condition: String) throws -> Int {
        let row = try connection.first("SELECT COUNT(*) FROM jobs WHERE \(condition)")
        return Int(clamping: try row?.int(0) ?? 0)
      }
      let running = try count("state = 'running'")
      return JobCounts(
        pending: try count("state <> 'dead'") - running, running: running,
        dead: try count("state = 'dead'"))
    }
  }
}

extension String {
  /// Fit for the error column: bounded, and without the one character that text columns refuse.
  fileprivate var storable: String { String(prefix(1_000)).replacing("\u{0}", with: " ") }
}
