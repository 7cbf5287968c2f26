import Logging

/// Performs runs: asks their state machine what comes next, does it, stores what came of it.
///
/// A page's records and the run that has seen it are one transaction; so a process may be killed
/// anywhere, and the next one goes on behind the last stored page.
struct SyncEngine: Sendable {
  /// Makes the context that a source works with.
  typealias ContextMaker = @Sendable (SyncRow, any SyncSource) async throws -> SyncContext

  let database: any Database
  let queue: JobQueue
  let clock: any FairleadClock
  let random: RandomSource
  let logger: Logger
  let source: @Sendable (SyncRow) -> (any SyncSource)?
  let context: ContextMaker

  func handle(_ job: ClaimedJob) async throws -> JobOutcome {
    guard let id = SyncJob.sync(of: job) else { return .dead(error: "the job names no sync") }
    do {
      guard var work = try await begin(id, job) else { return .settled }
      while try await advance(&work, job) {}
    } catch is SyncClaimLost {
      try await release(id, job)
    }
    return .settled
  }

  /// A run under way.
  private struct Work: Sendable {
    var row: SyncRow
    var run: SyncRun
    /// `nil` while a connection that is gone is cleared away.
    var source: (any SyncSource)?
    var context: SyncContext?
  }

  // MARK: - Beginning and ending

  /// Takes up the run that was broken off, or makes the one that is wanted.
  private func begin(_ id: SyncID, _ job: ClaimedJob) async throws -> Work? {
    let now = clock.now
    let begun = try await database.write(.locking) { sql -> (SyncRow, SyncRun)? in
      guard var row = try SyncStore.lock(id, database.dialect, in: sql) else {
        try SyncJob.end(job, of: nil, queue, at: now, in: sql)
        return nil
      }
      let isBrokenOff = row.run.map { !$0.isStale(at: now) } ?? false
      if row.state == .active, isBrokenOff {
        // It goes on. What was asked for since is not served by it and stays wanted.
      } else if row.state == .active, let wish = Self.wish(of: row) {
        row.run = SyncRun(
          wish, checkpoint: row.checkpoint, generation: row.generation, now: now)
        row.wanted = nil
      } else if row.state == .removed {
        row.run = SyncRun(
          SyncWish(.full, .schedule, clear: true), checkpoint: nil, generation: row.generation,
          now: now)
      } else {
        row.wanted = nil
        row.run = nil
        row.runClaim = nil
        try SyncStore.update(row, now: now, in: sql)
        try SyncJob.end(job, of: row, queue, at: now, in: sql)
        return nil
      }
      guard let run = row.run else { return nil }
      row.runClaim = job.claim
      row.generation = run.generation
      try SyncStore.update(row, now: now, in: sql)
      return (row, run)
    }
    return begun.map { Work(row: $0.0, run: $0.1, source: source($0.0)) }
  }

  /// What is asked for, a run that stood still for too long included.
  private static func wish(of row: SyncRow) -> SyncWish? {
    guard let stale = row.run else { return row.wanted }
    let again = SyncWish(
      stale.kind, stale.trigger, force: stale.force, clear: stale.phase == .clearing)
    return row.wanted.map { again.merged(with: $0) } ?? again
  }

  /// Ends the run and the job.
  private func finish(
    _ work: Work, _ job: ClaimedJob, error: String?, block: Bool = false
  ) async throws {
    let now = clock.now
    try await database.write(.locking) { sql in
      guard var row = try SyncStore.lock(work.row.id, database.dialect, in: sql),
        row.runClaim == job.claim
      else { throw SyncClaimLost() }
      if row.state == .removed {
        try SyncStore.delete(row.id, in: sql)
        try SyncJob.end(job, of: nil, queue, at: now, in: sql)
        return
      }
      row.run = nil
      row.runClaim = nil
      row.error = error
      row.lastRun = work.run.report(error, at: now)
      if error == nil {
        row.checkpoint = work.run.finalCheckpoint
        row.lastSyncedAt = now
      } else if work.run.kind == .full, work.run.trigger == .fallback {
        // The old one has expired: asking from it again would only fail again.
        row.checkpoint = nil
      }
      if block {
        row.state = .blocked
        row.wanted = nil
      }
      try SyncStore.update(row, now: now, in: sql)
      try SyncJob.end(job, of: row, queue, at: now, in: sql)
    }
    if let error {
      logger.error(
        "A sync failed",
        metadata: [
          "sync": "\(work.row.id)", "integration": "\(work.row.integration)",
          "model": "\(work.row.model)", "reason": "\(error)",
        ])
    }
  }

  /// Gives up a job whose run was taken away: paused, reset, or another worker's.
  private func release(_ id: SyncID, _ job: ClaimedJob) async throws {
    let now = clock.now
    do {
      try await database.write(.locking) { sql in
        let row = try SyncStore.lock(id, database.dialect, in: sql)
        try SyncJob.end(job, of: row, queue, at: now, in: sql)
      }
    } catch is SyncClaimLost {
      logger.warning("A sync's job was another worker's by now", metadata: ["sync": "\(id)"])
    }
  }

  // MARK: - One step

  /// - Returns: whether there is more to do in this job.
  private func advance(_ work: inout Work, _ job: ClaimedJob) async throws -> Bool {
    try Task.checkCancellation()
    switch work.run.step {
    case .clear:
      let count = try await clear(work, job)
      if count < RecordStore.slice {
        guard work.row.state != .removed else {
          try await finish(work, job, error: nil)
          return false
        }
        work.run = work.run.cleared()
        try await save(work, job)
      }
      return true
    case .fetch(let request): return try await fetch(request, &work, job)
    case .countUnseen:
      let run = work.run
      let store = work.row.records
      let count = try await database.read {
        try store.sweepCount(generation: run.generation, startedAt: run.startedAt, in: $0)
      }
      let ratio = work.source?.deletionGuard ?? 0.5
      return try await follow(
        run.approveSweep(
          unseen: count.unseen, of: count.live, ratio: ratio,
          // Of a source that is gone nothing is known.
          confirms: work.source?.confirmsDeletions ?? true), &work, job)
    case .sweep:
      let (run, isLast) = try await sweep(work, job)
      work.run = isLast ? run.swept() : run
      return true
    case .finish:
      try await finish(work, job, error: nil)
      return false
    }
  }

  private func follow(
    _ verdict: SyncRun.Verdict, _ work: inout Work, _ job: ClaimedJob
  ) async throws -> Bool {
    switch verdict {
    case .goOn(let run):
      work.run = run
      try await save(work, job)
      return true
    case .retry(let run, let wait):
      work.run = run
      try await postpone(work, job, by: wait)
      return false
    case .fail(let reason):
      try await finish(work, job, error: reason)
      return false
    case .block(let reason):
      // The deployment's own has no owner who could connect it again; a restart may bring a new key.
      let hasOwner = work.row.connection != Connection.defaultID(for: work.row.integration)
      try await finish(work, job, error: reason, block: hasOwner)
      return false
    }
  }

  private func save(_ work: Work, _ job: ClaimedJob) async throws {
    let now = clock.now
    try await database.write(.locking) { sql in
      try Self.save(work.run, of: work.row, job, now: now, in: sql)
    }
  }

  private static func save(
    _ run: SyncRun, of row: SyncRow, _ job: ClaimedJob, error: String? = nil, growth: Int = 0,
    now: Timestamp, in sql: any SQLConnection
  ) throws {
    let kept = try SyncStore.saveRun(
      run, of: row.id, claim: job.claim, error: error, growth: growth, now: now, in: sql)
    guard kept else { throw SyncClaimLost() }
  }

  /// Puts the rest of the run off.
  private func postpone(_ work: Work, _ job: ClaimedJob, by wait: Duration) async throws {
    let now = clock.now
    let run = work.run
    try await database.write(.locking) { sql in
      guard let row = try SyncStore.lock(work.row.id, database.dialect, in: sql) else {
        throw SyncClaimLost()
      }
      try Self.save(
        run, of: work.row, job,
        error: "A page could not be read; it is tried again (\(run.failures)).", now: now, in: sql)
      // A wish that came meanwhile does not wait for the backoff.
      let time = row.wanted == nil ? now + wait : now + min(wait, .seconds(15))
      try SyncJob.postpone(job, to: time, queue, in: sql)
    }
  }
}

// MARK: - Pages

extension SyncEngine {
  private func fetch(
    _ request: SyncPageRequest, _ work: inout Work, _ job: ClaimedJob
  ) async throws -> Bool {
    guard let source = work.source else {
      try await finish(work, job, error: "This model is not configured here any more.")
      return false
    }
    let fetchedAt = clock.now
    let page: SyncPage
    do {
      if work.context == nil { work.context = try await context(work.row, source) }
      guard let context = work.context else { return false }
      page = try await source.page(request, context)
    } catch let error where !(error is CancellationError) && !Task.isCancelled {
      let failure = SyncFailure.reading(error, of: work.row.integration)
      return try await follow(
        work.run.failed(failure, at: clock.now, jitter: random.unit()), &work, job)
    }
    let batch = SyncBatch(page)
    switch work.run.received(batch.outline) {
    case .goOn(let next):
      work.run = try await store(batch, fetchedAt: fetchedAt, then: next, work, job)
      return true
    case let verdict: return try await follow(verdict, &work, job)
    }
  }

  /// Writes a page in slices; the run that has seen it is part of the last one.
  private func store(
    _ batch: SyncBatch, fetchedAt: Timestamp, then next: SyncRun, _ work: Work, _ job: ClaimedJob
  ) async throws -> SyncRun {
    var run = work.run
    var rest = batch.changes[...]
    let generation = run.generation
    repeat {
      let slice = Array(rest.prefix(RecordStore.slice))
      rest = rest.dropFirst(RecordStore.slice)
      var after = run
      after.counts.records = min(
        run.recordsBefore + batch.changes.count - rest.count, next.counts.records)
      if rest.isEmpty {
        let counts = run.counts
        after = next
        after.counts.added = counts.added
        after.counts.updated = counts.updated
        after.counts.deleted = counts.deleted
      }
      run = try await write(after, work, job) { now, sql in
        try work.row.records.apply(
          slice, from: .page(fetchedAt: fetchedAt), generation: generation, now: now, in: sql)
      }
    } while !rest.isEmpty
    return run
  }

  /// One transaction: records, and the run with what became of them.
  private func write(
    _ run: SyncRun, _ work: Work, _ job: ClaimedJob,
    _ body: @escaping @Sendable (Timestamp, any SQLConnection) throws -> RecordTally
  ) async throws -> SyncRun {
    let now = clock.now
    return try await database.write(.locking) { sql in
      let tally = try body(now, sql)
      var run = run
      run.counts.added += tally.added
      run.counts.updated += tally.updated
      run.counts.deleted += tally.deleted
      try Self.save(run, of: work.row, job, growth: tally.growth, now: now, in: sql)
      if tally.total > 0 {
        try RecordStore.announce(work.row.model, of: work.row.integration, in: sql)
      }
      return run
    }
  }

  private func sweep(_ work: Work, _ job: ClaimedJob) async throws -> (SyncRun, isLast: Bool) {
    let run = work.run
    let store = work.row.records
    let after = try await write(run, work, job) { now, sql in
      RecordTally(
        deleted: try store.sweep(
          generation: run.generation, startedAt: run.startedAt, now: now, in: sql))
    }
    return (after, after.counts.deleted - run.counts.deleted < RecordStore.slice)
  }

  private func clear(_ work: Work, _ job: ClaimedJob) async throws -> Int {
    let store = work.row.records
    let now = clock.now
    return try await database.write(.locking) { sql in
      let count = try store.clear(now: now, in: sql)
      try Self.save(work.run, of: work.row, job, growth: -count, now: now, in: sql)
      if count > 0 {
        try RecordStore.announce(work.row.model, of: work.row.integration, in: sql)
      }
      return count
    }
  }
}
