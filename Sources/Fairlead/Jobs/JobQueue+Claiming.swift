extension JobQueue {
  /// The kinds with unfinished jobs, and when the first job of each can be claimed.
  struct Outlook: Sendable, Equatable {
    var kind: String
    var dueAt: Timestamp
  }

  /// What one claim asks for.
  struct ClaimOrder: Sendable {
    /// The kinds that were seen to be due.
    var kinds: [String]
    /// Those that have a handler; jobs of others are given up.
    var handled: Set<String>
    /// How many jobs can be taken.
    var slots: Int
    /// How many of each kind run here already.
    var running: [String: Int] = [:]
    /// How many of a kind may run here; others have no limit of their own.
    var limits: [String: Int] = [:]
    /// Turns the order of the kinds.
    var turn = 0
    var lease: Duration
    var maximumCrashes: Int
    /// Called in the transaction that gives up a job.
    var onDeath: JobDeath = { _, _, _ in }
  }

  /// What may be claimed when. A read: an idle worker takes no write lock.
  /// - Throws: `StorageError`.
  func outlook() async throws -> [Outlook] {
    try await database.read { connection in
      var kinds: [Outlook] = []
      var last = ""
      // One step per kind along the index, however many jobs there are.
      while let row = try connection.first(
        """
        SELECT kind, due_at FROM jobs WHERE state <> 'dead' AND kind > $1
        ORDER BY kind, due_at LIMIT 1
        """, [.text(last)])
      {
        last = try row.text(0)
        kinds.append(Outlook(kind: last, dueAt: try row.timestamp(1)))
      }
      return kinds
    }
  }

  /// Takes due jobs under a lease, those whose lease ran out among them.
  /// - Throws: `StorageError`.
  func claim(_ order: ClaimOrder) async throws -> [ClaimedJob] {
    let claim = random.token(bytes: 12)
    return try await database.write(.locking) { connection in
      var claimed: [ClaimedJob] = []
      for kind in order.kinds where !order.handled.contains(kind) {
        for job in try self.take(100, of: kind, order, claim, in: connection) {
          try self.bury(job, "No handler for jobs of the kind \(kind).", order, in: connection)
        }
      }
      var round = ClaimRound(
        kinds: order.kinds.filter(order.handled.contains), running: order.running,
        limits: order.limits, slots: order.slots, turn: order.turn)
      while let (kind, limit) = round.next() {
        let jobs = try self.take(limit, of: kind, order, claim, in: connection)
        var kept = 0
        for job in jobs {
          if job.crashes >= order.maximumCrashes {
            try self.bury(
              job, "Given up after \(job.crashes) crashes: its lease ran out each time.", order,
              in: connection)
          } else {
            claimed.append(job)
            kept += 1
          }
        }
        round.took(kept, of: kind, isExhausted: jobs.count < limit)
      }
      return claimed
    }
  }

  /// Extends the leases of jobs.
  /// - Returns: those whose claim was lost.
  /// - Throws: `StorageError`.
  func extendLeases(of jobs: [ClaimedJob], by lease: Duration) async throws -> [ClaimedJob] {
    let end = clock.now + lease
    return try await database.write(.locking) { connection in
      try jobs.filter { job in
        try connection.execute(
          "UPDATE jobs SET due_at = $3 WHERE id = $1 AND claim = $2",
          [SQLValue(job.id), .text(job.claim), SQLValue(end)]) == 0
      }
    }
  }

  /// Gives jobs back as they were before they were claimed: no attempt, no crash is counted.
  /// - Throws: `StorageError`.
  func release(_ jobs: [ClaimedJob]) async throws {
    let now = clock.now
    try await database.write(.locking) { connection in
      for job in jobs {
        let changed = try connection.execute(
          """
          UPDATE jobs SET state = 'pending', claim = NULL, due_at = $3, updated_at = $3
          WHERE id = $1 AND claim = $2
          """, [SQLValue(job.id), .text(job.claim), SQLValue(now)])
        if changed > 0 { try connection.notify(Self.channel, job.kind) }
      }
    }
  }

  // MARK: - Inside a claim

  private func take(
    _ limit: Int, of kind: String, _ order: ClaimOrder, _ claim: String,
    in connection: any SQLConnection
  ) throws -> [ClaimedJob] {
    let now = clock.now
    // Materialized: PostgreSQL may otherwise choose more than once, and so more than the limit.
    return try connection.query(
      """
      WITH claimable AS MATERIALIZED (
        SELECT id FROM jobs WHERE state <> 'dead' AND kind = $4 AND due_at <= $3
        ORDER BY due_at, id LIMIT $5 \(database.dialect.skipLocked)
      )
      UPDATE jobs SET state = 'running', claim = $1, due_at = $2, updated_at = $3,
        crashes = crashes + CASE WHEN state = 'running' THEN 1 ELSE 0 END
      WHERE id IN (SELECT id FROM claimable)
      RETURNING id, payload, errors, crashes
      """,
      [.text(claim), SQLValue(now + order.lease), SQLValue(now), .text(kind), SQLValue(limit)]
    ).map { row in
      ClaimedJob(
        id: try row.id(0), kind: kind, payload: try row.text(1),
        attempt: Int(clamping: try row.int(2)) &+ 1, crashes: Int(clamping: try row.int(3)),
        claim: claim)
    }.sorted { $0.id < $1.id }
  }

  private func bury(
    _ job: ClaimedJob, _ reason: String, _ order: ClaimOrder, in connection: any SQLConnection
  ) throws {
    _ = try settle(job, .dead(error: reason), in: connection)
    try order.onDeath(job, reason, connection)
  }
}
