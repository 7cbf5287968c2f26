import FairleadTesting
import Testing

@testable import Fairlead

@Suite struct JobQueueTests {
  private struct Fixture {
    let database: any Database
    let clock: ManualClock
    let queue: JobQueue

    func claim(
      _ slots: Int = 10, kinds: [String] = ["k"], maximumCrashes: Int = 20,
      onDeath: @escaping JobDeath = { _, _, _ in }
    ) async throws -> [ClaimedJob] {
      try await queue.claim(
        JobQueue.ClaimOrder(
          kinds: kinds, handled: ["k", "l"], slots: slots, lease: .seconds(30),
          maximumCrashes: maximumCrashes, onDeath: onDeath))
    }

    func enqueue(_ payload: String, in delay: Duration = .zero, key: String? = nil) async throws {
      try await queue.enqueue([
        NewJob(kind: "k", payload: payload, runAt: clock.now + delay, key: key)
      ])
    }

    func settle(_ job: ClaimedJob, _ outcome: JobOutcome) async throws -> Bool {
      try await database.write { [queue] in try queue.settle(job, outcome, in: $0) }
    }
  }

  private func withQueue(
    _ engine: TestEngine, _ body: (Fixture) async throws -> Void
  ) async throws {
    let clock = ManualClock()
    try await engine.withDatabase(migrations: Migration.jobs, clock: clock) { database in
      try await body(
        Fixture(
          database: database, clock: clock,
          queue: JobQueue(database: database, clock: clock, random: RandomSource(seed: 1))))
    }
  }

  @Test(arguments: TestEngine.all)
  func aJobOfARolledBackTransactionIsNeverSeen(engine: TestEngine) async throws {
    struct Stop: Error {}
    try await withQueue(engine) { fixture in
      await #expect(throws: Stop.self) {
        try await fixture.database.write { connection in
          try fixture.queue.enqueue(
            [NewJob(kind: "k", payload: "{}", runAt: fixture.clock.now)], in: connection)
          throw Stop()
        }
      }
      let counts = try await fixture.queue.counts()
      #expect(counts == JobCounts(pending: 0, running: 0, dead: 0))
    }
  }

  @Test(arguments: TestEngine.all)
  func claimsWhatIsDueInTheOrderOfTheirTimes(engine: TestEngine) async throws {
    try await withQueue(engine) { fixture in
      try await fixture.enqueue("late", in: .seconds(20))
      try await fixture.enqueue("soon", in: .seconds(10))
      try await fixture.enqueue("now")
      #expect(try await fixture.claim().map(\.payload) == ["now"])
      #expect(try await fixture.claim().isEmpty)
      #expect(
        try await fixture.queue.outlook()
          == [.init(kind: "k", dueAt: fixture.clock.now + .seconds(10))])
      fixture.clock.advance(by: .seconds(20))
      #expect(try await fixture.claim(1).map(\.payload) == ["soon"])
      #expect(try await fixture.claim(1).map(\.payload) == ["late"])
      #expect(try await fixture.queue.counts() == JobCounts(pending: 0, running: 3, dead: 0))
    }
  }

  @Test(arguments: TestEngine.all)
  func aKeyIsUniqueAmongUnfinishedJobsOfAKind(engine: TestEngine) async throws {
    try await withQueue(engine) { fixture in
      try await fixture.enqueue("first", key: "x")
      try await fixture.enqueue("ignored", key: "x")
      try await fixture.enqueue("other", key: "y")
      try await fixture.queue.enqueue([
        NewJob(kind: "l", payload: "of another kind", runAt: fixture.clock.now, key: "x")
      ])
      let claimed = try await fixture.claim()
      #expect(claimed.map(\.payload).sorted() == ["first", "other"])
      try await fixture.enqueue("ignored while it runs", key: "x")
      #expect(try await fixture.claim().isEmpty)

      for job in claimed where job.payload == "first" {
        #expect(try await fixture.settle(job, .done))
      }
      try await fixture.enqueue("second", key: "x")
      let second = try await fixture.claim()
      #expect(second.map(\.payload) == ["second"])
      #expect(try await fixture.settle(second[0], .dead(error: "no")))
      try await fixture.enqueue("third", key: "x")
      #expect(try await fixture.claim().map(\.payload) == ["third"])
    }
  }

  @Test(arguments: TestEngine.all)
  func aLeaseThatRanOutIsClaimedAgainAsACrashAndTheOldClaimIsVoid(
    engine: TestEngine
  ) async throws {
    try await withQueue(engine) { fixture in
      try await fixture.enqueue("a")
      let old = try await fixture.claim()[0]
      #expect((old.attempt, old.crashes) == (1, 0))
      fixture.clock.advance(by: .seconds(29))
      #expect(try await fixture.claim().isEmpty)
      fixture.clock.advance(by: .seconds(1))
      let new = try await fixture.claim()[0]
      #expect(new.id == old.id)
      #expect((new.attempt, new.crashes) == (1, 1))
      #expect(new.claim != old.claim)

      for outcome in [
        JobOutcome.done, .retry(at: fixture.clock.now, error: "e"), .dead(error: "e"),
      ] {
        #expect(try await fixture.settle(old, outcome) == false)
      }
      #expect(try await fixture.queue.extendLeases(of: [old, new], by: .seconds(30)) == [old])
      try await fixture.queue.release([old])
      #expect(try await fixture.queue.counts() == JobCounts(pending: 0, running: 1, dead: 0))
      #expect(try await fixture.settle(new, .done))
      #expect(try await fixture.settle(new, .done) == false)
      #expect(try await fixture.queue.counts() == JobCounts(pending: 0, running: 0, dead: 0))
    }
  }

  @Test(arguments: TestEngine.all)
  func aSignOfLifeKeepsTheLease(engine: TestEngine) async throws {
    try await withQueue(engine) { fixture in
      try await fixture.enqueue("a")
      let job = try await fixture.claim()[0]
      for _ in 0..<5 {
        fixture.clock.advance(by: .seconds(20))
        #expect(try await fixture.queue.extendLeases(of: [job], by: .seconds(30)).isEmpty)
        #expect(try await fixture.claim().isEmpty)
      }
      #expect(try await fixture.settle(job, .done))
    }
  }

  @Test(arguments: TestEngine.all)
  func aRetryCountsAnErrorAndWaitsForItsTime(engine: TestEngine) async throws {
    try await withQueue(engine) { fixture in
      try await fixture.enqueue("a")
      let first = try await fixture.claim()[0]
      let at = fixture.clock.now + .seconds(5)
      // The text is hostile: longer than the column's bound and with a NUL.
      let text = "x\u{0}" + String(repeating: "y", count: 5_000)
      #expect(try await fixture.settle(first, .retry(at: at, error: text)))
      #expect(try await fixture.claim().isEmpty)
      fixture.clock.advance(by: .seconds(5))
      let second = try await fixture.claim()[0]
      #expect((second.attempt, second.crashes) == (2, 0))
      #expect(second.payload == "a")
    }
  }

  @Test(arguments: TestEngine.all)
  func aReleasedJobIsAsItWas(engine: TestEngine) async throws {
    try await withQueue(engine) { fixture in
      try await fixture.enqueue("a")
      let first = try await fixture.claim()[0]
      try await fixture.queue.release([first])
      let second = try await fixture.claim()[0]
      #expect((second.id, second.attempt, second.crashes) == (first.id, 1, 0))
    }
  }

  @Test(arguments: TestEngine.all)
  func isGivenUpAfterTooManyCrashesInTheTransactionThatSaysSo(engine: TestEngine) async throws {
    struct Stop: Error {}
    try await withQueue(engine) { fixture in
      try await fixture.enqueue("a")
      for crash in 0..<3 {
        let jobs = try await fixture.claim(maximumCrashes: 3)
        #expect(jobs.map(\.crashes) == [crash])
        fixture.clock.advance(by: .seconds(30))
      }
      await #expect(throws: Stop.self) {
        _ = try await fixture.claim(maximumCrashes: 3) { _, _, _ in throw Stop() }
      }
      #expect(try await fixture.queue.counts().dead == 0)
      let jobs = try await fixture.claim(maximumCrashes: 3) { job, reason, connection in
        try connection.execute(
          "INSERT INTO jobs SELECT 'grave', $1, NULL, $2, 'dead', 0, 0, 0, NULL, NULL, 0, 0",
          [.text(job.payload), .text(reason)])
      }
      #expect(jobs.isEmpty)
      let row = try await fixture.database.read {
        try $0.first("SELECT kind, payload FROM jobs WHERE id = 'grave'")
      }
      #expect(try row?.text(0) == "a")
      #expect(try row?.text(1).contains("3 crashes") == true)
      #expect(try await fixture.queue.counts() == JobCounts(pending: 0, running: 0, dead: 2))
    }
  }

  @Test(arguments: TestEngine.all)
  func aJobWithoutAHandlerIsGivenUpWithTheReason(engine: TestEngine) async throws {
    try await withQueue(engine) { fixture in
      try await fixture.queue.enqueue([
        NewJob(kind: "unheard-of", payload: "{}", runAt: fixture.clock.now)
      ])
      try await fixture.enqueue("a")
      let jobs = try await fixture.claim(kinds: ["unheard-of", "k"])
      #expect(jobs.map(\.payload) == ["a"])
      let error = try await fixture.database.read {
        try $0.first("SELECT error FROM jobs WHERE state = 'dead'")?.text(0)
      }
      #expect(error?.contains("unheard-of") == true)
    }
  }

  @Test(arguments: TestEngine.all)
  func workersAtOnceNeverShareAJob(engine: TestEngine) async throws {
    try await withQueue(engine) { fixture in
      for number in 0..<200 { try await fixture.enqueue("\(number)") }
      let settled = try await withThrowingTaskGroup(of: [String].self) { group in
        for _ in 0..<6 {
          group.addTask {
            var settled: [String] = []
            while true {
              let jobs = try await fixture.claim(7)
              if jobs.isEmpty { return settled }
              for job in jobs where try await fixture.settle(job, .done) {
                settled.append(job.payload)
              }
            }
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(settled.count == 200)
      #expect(Set(settled).count == 200)
    }
  }

  @Test func claimsAndCountsReadIndexesNotTheTable() async throws {
    try await withQueue(.sqliteMemory) { fixture in
      for query in [
        "SELECT id FROM jobs WHERE state <> 'dead' AND kind = 'k' AND due_at <= 5 "
          + "ORDER BY due_at, id LIMIT 5",
        "SELECT kind, due_at FROM jobs WHERE state <> 'dead' AND kind > 'a' "
          + "ORDER BY kind, due_at LIMIT 1",
        "SELECT COUNT(*) FROM jobs WHERE state <> 'dead'",
        "SELECT COUNT(*) FROM jobs WHERE state = 'running'",
        "SELECT COUNT(*) FROM jobs WHERE state = 'dead'",
      ] {
        let plan = try await fixture.database.read {
          try $0.query("EXPLAIN QUERY PLAN \(query)").map { try $0.text(3) }.joined()
        }
        #expect(plan.contains("INDEX jobs_"), "\(query): \(plan)")
        #expect(!plan.contains("TEMP B-TREE"), "\(query): \(plan)")
      }
    }
  }
}
