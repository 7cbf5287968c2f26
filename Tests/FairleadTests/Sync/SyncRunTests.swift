import Testing

@testable import Fairlead

@Suite struct SyncRunTests {
  static let start = Timestamp(seconds: 1_800_000_000)

  static func run(_ kind: SyncRunKind = .full) -> SyncRun {
    SyncRun(
      SyncWish(kind, .schedule), checkpoint: kind == .full ? nil : "t1", generation: 4, now: start)
  }

  static func page(_ number: Int, next: String?, checkpoint: String? = nil) -> SyncRun.PageOutline {
    SyncRun.PageOutline(
      fingerprint: "page \(number)", records: 10, nextCursor: next, checkpoint: checkpoint)
  }

  static func goOn(_ verdict: SyncRun.Verdict) throws -> SyncRun {
    guard case .goOn(let run) = verdict else { throw Unexpected(verdict: verdict) }
    return run
  }

  struct Unexpected: Error { var verdict: SyncRun.Verdict }

  @Test func aFullRunDeletesOnlyAfterTheLastPage() throws {
    var run = Self.run()
    #expect(run.generation == 5)
    run = try Self.goOn(run.received(Self.page(1, next: "a")))
    guard case .fetch(let request) = run.step else { throw Unexpected(verdict: .goOn(run)) }
    #expect(request.cursor == "a" && request.startedAt == Self.start)
    run = try Self.goOn(run.received(Self.page(2, next: nil, checkpoint: "t2")))
    #expect(run.step == .countUnseen)
    run = try Self.goOn(run.approveSweep(unseen: 3, of: 20, ratio: 0.5))
    #expect(run.step == .sweep)
    run = run.swept()
    #expect(run.step == .finish && run.finalCheckpoint == "t2")
    #expect(run.counts.pages == 2 && run.counts.records == 20)
  }

  @Test func anIncrementalRunSweepsNothingAndKeepsItsTokenWhilePaging() throws {
    var run = Self.run(.incremental)
    run = try Self.goOn(run.received(Self.page(1, next: "a")))
    guard case .fetch(let request) = run.step else { throw Unexpected(verdict: .goOn(run)) }
    #expect(request.checkpoint == "t1" && request.cursor == "a")
    run = try Self.goOn(run.received(Self.page(2, next: nil)))
    #expect(run.step == .finish && run.finalCheckpoint == "t1" && run.generation == 4)
  }

  @Test(arguments: [
    (11, 20, false), (10, 10, true), (10, 20, true), (11, 22, true), (50, 60, false),
  ])
  func tooManyDeletionsNeedAPerson(unseen: Int, live: Int, passes: Bool) {
    var run = Self.run()
    let verdict = run.approveSweep(unseen: unseen, of: live, ratio: 0.5)
    if case .goOn = verdict { #expect(passes) } else { #expect(!passes) }
    run.force = true
    guard case .goOn = run.approveSweep(unseen: unseen, of: live, ratio: 0.5) else {
      Issue.record("force was not heard")
      return
    }
  }

  /// What was not seen may be the very thing that came without an id.
  @Test func nothingIsDeletedWhenSomethingCouldNotBeRecognised() throws {
    var run = Self.run()
    run.warnings[SyncWarning.noID] = 3
    run = try Self.goOn(run.received(Self.page(1, next: nil, checkpoint: "t2")))
    let spared = try Self.goOn(run.approveSweep(unseen: 3, of: 20, ratio: 0.5, confirms: true))
    #expect(spared.step == .finish && spared.warnings[SyncWarning.keptUnseen] == 3)
    run.force = true
    #expect(try Self.goOn(run.approveSweep(unseen: 3, of: 20, ratio: 0.5)).step == .sweep)
  }

  @Test func whatIsMissingIsLookedForOnceMoreBeforeItIsDeleted() throws {
    var run = Self.run()
    run = try Self.goOn(run.received(Self.page(1, next: "2")))
    run = try Self.goOn(run.received(Self.page(2, next: nil, checkpoint: "t2")))
    // Nothing is missing: nothing to confirm.
    #expect(
      try Self.goOn(run.approveSweep(unseen: 0, of: 20, ratio: 0.5, confirms: true)).step == .sweep)
    run = try Self.goOn(run.approveSweep(unseen: 1, of: 20, ratio: 0.5, confirms: true))
    guard case .fetch(let request) = run.step else { throw Unexpected(verdict: .goOn(run)) }
    // What either look saw carries the same mark.
    #expect(request.cursor == nil && request.startedAt == Self.start && run.generation == 5)
    run = try Self.goOn(run.received(Self.page(2, next: "2")))
    run = try Self.goOn(run.received(Self.page(3, next: nil, checkpoint: "t3")))
    #expect(run.step == .countUnseen)
    run = try Self.goOn(run.approveSweep(unseen: 1, of: 20, ratio: 0.5, confirms: true))
    #expect(run.step == .sweep && run.finalCheckpoint == "t2" && run.counts.records == 20)
  }

  @Test func aListReadAnewIsLookedAtTwiceAnew() throws {
    var run = Self.run()
    run = try Self.goOn(run.received(Self.page(1, next: nil)))
    run = try Self.goOn(run.approveSweep(unseen: 1, of: 20, ratio: 0.5, confirms: true))
    run = try Self.goOn(run.failed(.shifted, at: Self.start, jitter: 0))
    run = try Self.goOn(run.received(Self.page(1, next: nil)))
    run = try Self.goOn(run.approveSweep(unseen: 1, of: 20, ratio: 0.5, confirms: true))
    guard case .fetch = run.step else { throw Unexpected(verdict: .goOn(run)) }
  }

  @Test func anExpiredPlaceStartsAFullRunABoundedNumberOfTimes() throws {
    var run = Self.run(.incremental)
    run = try Self.goOn(run.failed(.expired, at: Self.start + .seconds(5), jitter: 0))
    #expect(run.kind == .full && run.trigger == .fallback && run.generation == 5)
    #expect(run.startedAt == Self.start + .seconds(5) && run.base == nil)
    #expect(
      run.failed(.expired, at: Self.start, jitter: 0)
        == .fail("The provider says that our position in its list has expired, before we had one."))
    for generation in 6...7 {
      run = try Self.goOn(run.received(Self.page(1, next: "a")))
      run = try Self.goOn(run.failed(.expired, at: Self.start, jitter: 0))
      #expect(run.generation == generation && run.cursor == nil && run.counts.pages == 0)
    }
    run = try Self.goOn(run.received(Self.page(1, next: "a")))
    guard case .fail = run.failed(.expired, at: Self.start, jitter: 0) else {
      Issue.record("it restarts for ever")
      return
    }
  }

  @Test func aPassingFailureIsTriedAgainLaterAndThenGivenUp() throws {
    var run = Self.run()
    var waits: [Duration] = []
    for _ in 1..<SyncRun.maximumFailures {
      guard
        case .retry(let next, let wait) = run.failed(
          .passing("busy", retryAfter: .seconds(20)), at: Self.start, jitter: 0.999)
      else { throw Unexpected(verdict: .goOn(run)) }
      run = next
      waits.append(wait)
    }
    #expect(waits[0] == .seconds(20) && zip(waits, waits.dropFirst()).allSatisfy { $0 < $1 })
    #expect(
      run.failed(.passing("busy", retryAfter: nil), at: Self.start, jitter: 0) == .fail("busy"))
    run = try Self.goOn(run.received(Self.page(1, next: "a")))
    #expect(run.failures == 0)
  }

  @Test func aRefusedCursorIsTheCursorsFault() throws {
    var run = Self.run()
    #expect(run.failed(.rejected("no"), at: Self.start, jitter: 0) == .fail("no"))
    run = try Self.goOn(run.received(Self.page(1, next: "a")))
    run = try Self.goOn(run.failed(.rejected("no"), at: Self.start, jitter: 0))
    #expect(run.cursor == nil && run.restarts == 1)
  }

  @Test func emptyPagesGoOn() throws {
    var run = Self.run()
    for number in 0..<50 {
      run = try Self.goOn(
        run.received(
          SyncRun.PageOutline(fingerprint: nil, records: 0, nextCursor: "c\(number)")))
    }
    #expect(run.counts.pages == 50)
  }

  /// However cursors lead into a circle, the run ends, and never with a sweep.
  @Test func everyListThatHasNoEndIsNoticed() throws {
    let random = RandomSource(seed: 5)
    for _ in 0..<500 {
      let tail = Int(random.next() % 20)
      let circle = 1 + Int(random.next() % 20)
      var run = Self.run()
      var pages = 0
      var place = 0
      while true {
        let next = place + 1 < tail + circle ? place + 1 : tail
        // Pages differ, so only the cursors can tell.
        let verdict = run.received(Self.page(pages, next: "cursor \(next)"))
        pages += 1
        place = next
        guard case .goOn(let after) = verdict else { break }
        run = after
        #expect(run.step != .countUnseen)
        try #require(pages <= 3 * (tail + circle) + 3)
      }
    }
  }

  @Test func thePageBeforeAgainEndsTheRun() throws {
    var run = Self.run()
    run = try Self.goOn(run.received(Self.page(1, next: "1")))
    guard case .fail = run.received(Self.page(1, next: "2")) else {
      Issue.record("the same page was taken twice")
      return
    }
    guard case .fail = run.received(Self.page(2, next: "1")) else {
      Issue.record("the same cursor was taken twice")
      return
    }
  }

  @Test func wishesMergeIntoOneRunThatServesAll() {
    let all = [
      SyncWish(nil, .push), SyncWish(.incremental, .schedule), SyncWish(.full, .schedule),
      SyncWish(.full, .manual, force: true), SyncWish(.full, .manual, clear: true),
    ]
    for first in all {
      for second in all {
        let merged = first.merged(with: second)
        #expect((merged.kind == .full) == (first.kind == .full || second.kind == .full))
        #expect(merged.force == (first.force || second.force))
        #expect(merged.clear == (first.clear || second.clear))
      }
    }
  }
}
