/// The job `sync`: whatever a sync has to do. There is one at most for each sync, so one run at a
/// time on all nodes; what is asked for meanwhile waits in the sync's row and makes one more job.
enum SyncJob {
  static let kind = "sync"

  static func job(for sync: SyncID, at time: Timestamp) -> NewJob {
    NewJob(
      kind: kind, payload: JSONValue.object(["sync": .string(sync.rawValue)]).text, runAt: time,
      key: sync.rawValue)
  }

  static func sync(of job: ClaimedJob) -> SyncID? {
    // Unreadable and missing are the same here: the job cannot be done.
    (try? JSONValue(parsing: job.payload.utf8))?["sync"]?.string.map { SyncID(rawValue: $0) }
  }

  /// Adds the job, or brings one that waits forward.
  static func enqueue(
    _ id: SyncID, _ queue: JobQueue, at now: Timestamp, in sql: any SQLConnection
  ) throws {
    try queue.enqueue([job(for: id, at: now)], in: sql)
    let changed = try sql.execute(
      """
      UPDATE jobs SET due_at = $3 WHERE kind = $1 AND job_key = $2 AND state = 'pending'
        AND due_at > $3
      """, [.text(kind), SQLValue(id), SQLValue(now)])
    if changed > 0 { try sql.notify(JobQueue.channel, kind) }
  }

  /// Puts the rest of a job off. A run counts what goes wrong with the provider itself, so this is no
  /// error of the job; and storing it ends a row of errors of storage.
  /// - Throws: `SyncClaimLost` when the job is another worker's by now.
  static func postpone(
    _ job: ClaimedJob, to time: Timestamp, _ queue: JobQueue, in sql: any SQLConnection
  ) throws {
    guard try queue.settle(job, .retry(at: time, error: "a page could not be read"), in: sql) else {
      throw SyncClaimLost()
    }
    try sql.execute("UPDATE jobs SET errors = 0 WHERE id = $1", [SQLValue(job.id)])
  }

  /// Ends a job; when something was asked for while it ran, the next one follows.
  /// - Throws: `SyncClaimLost` when the job is another worker's by now.
  static func end(
    _ job: ClaimedJob, of row: SyncRow?, _ queue: JobQueue, at now: Timestamp,
    in sql: any SQLConnection
  ) throws {
    guard try queue.settle(job, .done, in: sql) else { throw SyncClaimLost() }
    guard let row else { return }
    let hasMore = row.state == .removed || (row.state == .active && row.wanted != nil)
    if hasMore { try queue.enqueue([Self.job(for: row.id, at: now)], in: sql) }
  }
}

/// The run is another worker's, or nobody's, by now: whatever was about to be written is not.
struct SyncClaimLost: Error {}
