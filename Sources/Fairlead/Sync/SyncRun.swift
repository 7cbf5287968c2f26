/// A run of a sync as a state machine: what it has done, and what comes next. Pure; it is stored with
/// every page, so that another process can go on where this one was killed.
struct SyncRun: Sendable, Hashable, Codable {
  enum Phase: String, Sendable, Hashable, Codable {
    /// What is stored is being deleted, before a sync starts over.
    case clearing
    case paging
    /// A full run has seen everything; what it did not see is being deleted.
    case sweeping
    case done
  }

  /// What has to be done next.
  enum Step: Sendable, Hashable {
    case clear
    case fetch(SyncPageRequest)
    /// Count what was not seen, then tell `approveSweep`.
    case countUnseen
    case sweep
    case finish
  }

  /// What became of a page or a failure.
  enum Verdict: Sendable, Hashable {
    case goOn(SyncRun)
    case retry(SyncRun, after: Duration)
    case fail(String)
    /// The connection needs its owner.
    case block(String)
  }

  /// How often a run may begin again.
  static let maximumRestarts = 3
  /// How often in a row a page may fail before the run is given up.
  static let maximumFailures = 6
  static let maximumPages = 100_000
  static let maximumCursorLength = 8_192
  /// A run that stood still this long begins again: cursors do not live for ever.
  static let maximumAge = Duration.seconds(24 * 3_600)

  var kind: SyncRunKind
  var trigger: SyncTrigger
  /// When it was begun, for people.
  var begunAt: Timestamp
  /// Taken before the first page was fetched.
  var startedAt: Timestamp
  /// What a full run marks its records with.
  var generation: Int64
  var phase: Phase
  /// The page to fetch; `nil` for the first.
  var cursor: String?
  /// The checkpoint it started from.
  var base: String?
  /// The checkpoint it found.
  var checkpoint: String?
  var counts = SyncCounts()
  /// What was counted before the page under way, which may have to be read again.
  var recordsBefore = 0
  var warnings: [String: Int] = [:]
  var force: Bool
  var maySweep = false
  /// The list is read once more, for what was not seen the first time.
  var isSecondLook = false
  var restarts = 0
  var failures = 0
  /// What the last page held, to notice one that repeats.
  var lastPage: String?
  var trail = CursorTrail()

  init(_ wish: SyncWish, checkpoint: String?, generation: Int64, now: Timestamp) {
    let kind = checkpoint == nil ? .full : wish.kind ?? .incremental
    self.kind = kind
    trigger = wish.trigger
    begunAt = now
    startedAt = now
    self.generation = kind == .full ? generation + 1 : generation
    phase = wish.clear ? .clearing : .paging
    base = kind == .full ? nil : checkpoint
    force = wish.force
  }

  var step: Step {
    switch phase {
    case .clearing: .clear
    case .paging:
      .fetch(
        SyncPageRequest(kind: kind, cursor: cursor, checkpoint: base, startedAt: startedAt))
    case .sweeping: maySweep ? .sweep : .countUnseen
    case .done: .finish
    }
  }

  /// The checkpoint after a run that succeeded.
  var finalCheckpoint: String? { checkpoint ?? (kind == .incremental ? base : nil) }

  func isStale(at now: Timestamp) -> Bool { now - startedAt > Self.maximumAge }
}

// MARK: - Pages

extension SyncRun {
  /// A page, as far as the run depends on it.
  struct PageOutline: Sendable, Hashable {
    /// Of what it holds; `nil` for an empty one.
    var fingerprint: String?
    var records: Int
    var nextCursor: String?
    var checkpoint: String?
    var warnings: [String: Int] = [:]
  }

  /// The run after a page has been stored, or why it ends.
  func received(_ page: PageOutline) -> Verdict {
    var run = self
    if let fingerprint = page.fingerprint, fingerprint == lastPage { return .fail(Self.repeats) }
    if let next = page.nextCursor {
      guard next.utf8.count <= Self.maximumCursorLength else {
        return .fail("The provider's cursor is longer than \(Self.maximumCursorLength) bytes.")
      }
      guard next != cursor, run.trail.add(next) else { return .fail(Self.repeats) }
      guard counts.pages < Self.maximumPages else {
        return .fail("The list has more than \(Self.maximumPages) pages.")
      }
    }
    run.cursor = page.nextCursor
    run.counts.pages += 1
    run.counts.records = recordsBefore + page.records
    run.recordsBefore = run.counts.records
    // A second look takes the first one's: what changed between the two must not be missed.
    run.checkpoint =
      isSecondLook ? checkpoint ?? page.checkpoint : page.checkpoint ?? checkpoint
    run.warnings.merge(page.warnings, uniquingKeysWith: +)
    run.lastPage = page.fingerprint ?? lastPage
    run.failures = 0
    if page.nextCursor == nil { run.phase = kind == .full ? .sweeping : .done }
    return .goOn(run)
  }

  private static let repeats =
    "The provider sent the same page again, so the list has no end. Nothing was deleted."

  /// The run once everything stored is deleted.
  func cleared() -> SyncRun {
    var run = self
    run.phase = .paging
    return run
  }

  // MARK: - Deletions

  /// Decides whether what a full run did not see may be deleted.
  /// - Parameters:
  ///   - ratio: the share of the records that may go.
  ///   - confirms: whether only what a second look does not see either is taken for deleted.
  func approveSweep(
    unseen: Int, of live: Int, ratio: Double, confirms: Bool = false
  ) -> Verdict {
    let unrecognised = (warnings[SyncWarning.noID] ?? 0) + (warnings[SyncWarning.longID] ?? 0)
    if unseen > 0, unrecognised > 0, !force {
      // The ones that were not seen may be the very ones that could not be recognised.
      var run = swept()
      run.warnings[SyncWarning.keptUnseen] = unseen
      return .goOn(run)
    }
    if confirms, unseen > 0, !isSecondLook {
      // Of the same generation: what either look sees stays.
      var run = self
      run.rewind()
      run.isSecondLook = true
      return .goOn(run)
    }
    guard force || unseen <= 10 || Double(unseen) <= ratio * Double(live) else {
      return .fail(
        "The provider listed \(live - unseen) of \(live) records, so \(unseen) would be deleted. "
          + "That is more than this sync may delete at once, and nothing was deleted. If it is right, "
          + "run it with kind full and force.")
    }
    var run = self
    run.maySweep = true
    return .goOn(run)
  }

  func swept() -> SyncRun {
    var run = self
    run.phase = .done
    return run
  }

  // MARK: - Failures

  /// Why a page could not be had.
  enum Failure: Sendable, Hashable {
    case expired
    case shifted
    /// The provider did not accept the request; the cursor may be at fault.
    case rejected(String)
    case passing(String, retryAfter: Duration?)
    case needsReauth(String)
    case permanent(String)
  }

  /// - Parameter jitter: in `0..<1`.
  func failed(_ failure: Failure, at now: Timestamp, jitter: Double) -> Verdict {
    switch failure {
    case .expired:
      guard kind == .incremental || cursor != nil else {
        return .fail(
          "The provider says that our position in its list has expired, before we had one.")
      }
      return restarted(as: .full, at: now)
    case .shifted: return restarted(as: kind, at: now)
    case .rejected(let reason):
      // A cursor may have ended its life while we were away.
      return cursor == nil ? .fail(reason) : restarted(as: kind, at: now, reason)
    case .permanent(let reason): return .fail(reason)
    case .needsReauth(let reason): return .block(reason)
    case .passing(let reason, let retryAfter):
      var run = self
      run.failures += 1
      guard run.failures < Self.maximumFailures else { return .fail(reason) }
      // 15 s, 30 s, 1 min, … with jitter between half and all of it.
      let wait = 15 * Double(1 << min(failures, 10)) * (0.5 + jitter / 2)
      return .retry(run, after: max(.seconds(wait), retryAfter ?? .zero))
    }
  }

  private func restarted(
    as kind: SyncRunKind, at now: Timestamp, _ reason: String? = nil
  ) -> Verdict {
    guard restarts < Self.maximumRestarts else {
      return .fail(
        reason ?? "The list changed or expired each time it was read. It will be tried again later."
      )
    }
    var run = self
    if kind == .full {
      if self.kind == .incremental { run.trigger = .fallback }
      // What an earlier attempt saw may be gone by now.
      run.generation += 1
      run.base = nil
    }
    run.kind = kind
    run.startedAt = now
    run.checkpoint = nil
    run.restarts += 1
    run.isSecondLook = false
    run.rewind()
    return .goOn(run)
  }

  /// Back to the first page.
  private mutating func rewind() {
    phase = .paging
    cursor = nil
    counts.pages = 0
    counts.records = 0
    recordsBefore = 0
    warnings = [:]
    lastPage = nil
    trail = CursorTrail()
  }
}

// MARK: - Reports

extension SyncRun {
  var progress: SyncProgress {
    SyncProgress(kind: kind, trigger: trigger, startedAt: begunAt, counts: counts)
  }

  func report(_ error: String?, at now: Timestamp) -> SyncReport {
    SyncReport(
      kind: kind, trigger: trigger, status: error == nil ? .succeeded : .failed,
      startedAt: begunAt, finishedAt: now, counts: counts, error: error,
      warnings: warnings.sorted { $0.key < $1.key }.prefix(20).map { "\($0.key) (\($0.value))" })
  }
}
