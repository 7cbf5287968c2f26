import FairleadTesting
import Logging
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization
import Testing

@testable import Fairlead

@Suite(.timeLimit(.minutes(1))) struct JobWorkerTests {
  private struct Boom: Error {}

  /// What handlers did, in order.
  private final class Record: Sendable {
    private let entries = Mutex<[String]>([])
    func add(_ entry: String) { entries.withLock { $0.append(entry) } }
    var all: [String] { entries.withLock { $0 } }
  }

  private struct Fixture {
    let database: InterposedDatabase
    let clock: ManualClock
    let queue: JobQueue
    let record = Record()

    func enqueue(_ payloads: String..., kind: String = "k", in delay: Duration = .zero) async throws
    {
      try await queue.enqueue(
        payloads.map { NewJob(kind: kind, payload: $0, runAt: clock.now + delay) })
    }

    func worker(
      concurrency: Int = 4, limits: [String: Int] = [:], policy: JobPolicy = JobPolicy(),
      _ handlers: [String: JobHandler]
    ) -> JobWorker {
      JobWorker(
        queue: queue, handlers: handlers, concurrency: concurrency, limits: limits,
        lease: .seconds(30), policy: policy, clock: clock, random: RandomSource(seed: 5),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func counts() async throws -> [Int] {
      let counts = try await queue.counts()
      return [counts.pending, counts.running, counts.dead]
    }
  }

  private func withQueue(
    _ engine: TestEngine = .sqliteMemory,
    beforeWrite: @escaping @Sendable (Int) async throws -> Void = { _ in },
    _ body: @Sendable (Fixture) async throws -> Void
  ) async throws {
    let clock = ManualClock()
    try await engine.withDatabase(migrations: Migration.jobs, clock: clock) { base in
      let database = InterposedDatabase(base, beforeWrite: beforeWrite)
      try await body(
        Fixture(
          database: database, clock: clock,
          queue: JobQueue(database: database, clock: clock, random: RandomSource(seed: 1))))
    }
  }

  /// Runs `worker` during `body`, then shuts it down gracefully and waits for it.
  private func running(
    _ worker: JobWorker,
    _ body: @escaping @Sendable (GracefulShutdownTestTrigger) async throws -> Void
  ) async throws {
    try await testGracefulShutdown { trigger in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await worker.run() }
        try await body(trigger)
        trigger.triggerGracefulShutdown()
        try await group.waitForAll()
      }
    }
  }

  @Test(arguments: TestEngine.all)
  func runsAJobAsSoonAsItIsEnqueued(engine: TestEngine) async throws {
    try await withQueue(engine) { fixture in
      let worker = fixture.worker([
        "k": { job in
          fixture.record.add(job.payload)
          return .done
        }
      ])
      try await running(worker) { _ in
        // Idle first, so that it is the notification which wakes it: the clock stands still.
        await fixture.clock.waitForSleepers(2)
        try await fixture.enqueue("a", "b")
        try await eventually { try await fixture.counts() == [0, 0, 0] }
      }
      #expect(fixture.record.all.sorted() == ["a", "b"])
    }
  }

  @Test func runsAScheduledJobWhenItsTimeComes() async throws {
    try await withQueue { fixture in
      try await fixture.enqueue("a", in: .seconds(3))
      let worker = fixture.worker([
        "k": { job in
          fixture.record.add(job.payload)
          return .done
        }
      ])
      try await running(worker) { _ in
        await fixture.clock.waitForSleepers(2)
        #expect(fixture.record.all.isEmpty)
        fixture.clock.advance(by: .seconds(3))
        try await eventually { try await fixture.counts() == [0, 0, 0] }
      }
      #expect(fixture.record.all == ["a"])
    }
  }

  @Test func neverRunsMoreThanItsConcurrencyAndSharesItBetweenKinds() async throws {
    try await withQueue { fixture in
      let gates = (0..<3).map { _ in Gate() }
      let active = Mutex((now: 0, most: 0))
      let handler: JobHandler = { job in
        active.withLock {
          $0.now += 1
          $0.most = max($0.most, $0.now)
        }
        fixture.record.add(job.payload)
        if job.kind == "slow", let index = Int(job.payload), index < gates.count {
          await gates[index].wait()
        }
        active.withLock { $0.now -= 1 }
        return .done
      }
      for index in 0..<30 {
        try await fixture.enqueue("\(index)", kind: "slow", in: .microseconds(index - 100))
      }
      let worker = fixture.worker(concurrency: 3, ["slow": handler, "quick": handler])
      try await running(worker) { _ in
        try await eventually { fixture.record.all.count == 3 }
        try await fixture.enqueue("quick", kind: "quick")
        gates[0].open()
        // Twenty-seven older jobs of the other kind are due, and still this one is next.
        try await eventually { fixture.record.all.count >= 4 }
        #expect(fixture.record.all[3] == "quick")
        for gate in gates { gate.open() }
        try await eventually { try await fixture.counts() == [0, 0, 0] }
      }
      #expect(active.withLock { $0.most } == 3)
      #expect(fixture.record.all.count == 31)
    }
  }

  @Test(arguments: TestEngine.all)
  func aKindAtItsLimitIsLeftAloneAndHoldsNothingElseUp(engine: TestEngine) async throws {
    let writes = Mutex(0)
    try await withQueue(
      engine, beforeWrite: { _ in writes.withLock { $0 += 1 } }
    ) { fixture in
      let gate = Gate()
      for index in 0..<10 {
        try await fixture.enqueue("\(index)", kind: "slow", in: .microseconds(index - 100))
      }
      let worker = fixture.worker(
        concurrency: 8, limits: ["slow": 2],
        [
          "slow": { job in
            fixture.record.add("slow \(job.attempt)")
            await gate.wait()
            return .done
          },
          "quick": { _ in
            fixture.record.add("quick")
            return .done
          },
        ])
      try await running(worker) { _ in
        try await eventually { fixture.record.all.count == 2 }
        await fixture.clock.waitForSleepers(2)
        let before = writes.withLock { $0 }
        // The worker looks again, and finds nothing that it could take.
        fixture.clock.advance(by: .seconds(5))
        await fixture.clock.waitForSleepers(2)
        #expect(writes.withLock { $0 } == before)
        #expect(try await fixture.counts() == [8, 2, 0])
        try await fixture.enqueue("quick", kind: "quick")
        try await eventually { fixture.record.all.last == "quick" }
        #expect(fixture.record.all.count == 3)
        gate.open()
        try await eventually { try await fixture.counts() == [0, 0, 0] }
      }
      // Waiting was no failed attempt.
      #expect(fixture.record.all.filter { $0 == "slow 1" }.count == 10)
    }
  }

  @Test func aThrowingHandlerIsTriedAgainAfterABackoffThenGivenUp() async throws {
    try await withQueue { fixture in
      try await fixture.enqueue("a")
      let policy = JobPolicy(
        maximumAttempts: 3, backoffBase: .seconds(2),
        onDeath: { job, reason, _ in
          fixture.record.add("dead \(job.payload): \(reason)")
        })
      let worker = fixture.worker(
        policy: policy,
        [
          "k": { job in
            fixture.record.add("attempt \(job.attempt)")
            throw Boom()
          }
        ])
      try await running(worker) { _ in
        try await eventually { fixture.record.all == ["attempt 1"] }
        try await eventually { try await fixture.counts() == [1, 0, 0] }
        for expected in 2...3 {
          // The first wait is 1 to 2 s, the second 2 to 4 s.
          let due = try await fixture.queue.outlook().first?.dueAt
          let wait = try #require(due) - fixture.clock.now
          let longest = Duration.seconds(2 << (expected - 2))
          #expect(wait >= longest / 2 && wait <= longest)
          await fixture.clock.waitForSleepers(2)
          fixture.clock.advance(by: wait)
          try await eventually { fixture.record.all.contains("attempt \(expected)") }
          try await eventually { try await fixture.counts()[1] == 0 }
        }
        #expect(try await fixture.counts() == [0, 0, 1])
      }
      #expect(fixture.record.all.last == "dead a: the handler threw Boom")
    }
  }

  @Test func aHandlerMaySettleInItsOwnTransaction() async throws {
    try await withQueue { fixture in
      try await fixture.enqueue("a")
      let worker = fixture.worker([
        "k": { job in
          let kept = try await fixture.database.write {
            try fixture.queue.settle(job, .done, in: $0)
          }
          fixture.record.add("kept: \(kept)")
          return .settled
        }
      ])
      try await running(worker) { _ in
        try await eventually { try await fixture.counts() == [0, 0, 0] }
      }
      #expect(fixture.record.all == ["kept: true"])
    }
  }

  @Test func aWorkerThatKeepsRunningKeepsItsLease() async throws {
    try await withQueue { fixture in
      try await fixture.enqueue("a")
      let gate = Gate()
      let worker = fixture.worker([
        "k": { job in
          fixture.record.add("run")
          await gate.wait()
          return .done
        }
      ])
      try await running(worker) { _ in
        try await eventually { fixture.record.all == ["run"] }
        for _ in 0..<12 {
          let before = try await fixture.queue.outlook().first?.dueAt
          await fixture.clock.waitForSleepers(2)
          fixture.clock.advance(by: .seconds(10))
          try await eventually { try await fixture.queue.outlook().first?.dueAt != before }
        }
        gate.open()
        try await eventually { try await fixture.counts() == [0, 0, 0] }
      }
      #expect(fixture.record.all == ["run"])
    }
  }

  @Test func aHandlerWhoseClaimWasLostIsCancelled() async throws {
    try await withQueue { fixture in
      try await fixture.enqueue("a")
      let worker = fixture.worker([
        "k": { job in
          fixture.record.add("run")
          do { try await fixture.clock.sleep(for: .seconds(100_000)) } catch {
            fixture.record.add("cancelled")
            throw error
          }
          return .done
        }
      ])
      try await running(worker) { _ in
        try await eventually { fixture.record.all == ["run"] }
        try await fixture.database.write {
          _ = try $0.execute(
            "UPDATE jobs SET claim = 'stolen', due_at = due_at + 1000000000000")
        }
        await fixture.clock.waitForSleepers(3)
        fixture.clock.advance(by: .seconds(10))
        try await eventually { fixture.record.all == ["run", "cancelled"] }
      }
      // The thief's claim stands.
      #expect(try await fixture.counts() == [0, 1, 0])
    }
  }

  @Test func aRunWhoseLeaseWasClaimedAgainHereIsCancelled() async throws {
    let isAway = Mutex(false)
    try await withQueue(beforeWrite: { _ in
      if isAway.withLock({ $0 }) { throw StorageError.unavailable("disk full") }
    }) { fixture in
      try await fixture.enqueue("a")
      let worker = fixture.worker([
        "k": { job in
          fixture.record.add("run \(job.crashes)")
          if job.crashes > 0 { return .done }
          do { try await fixture.clock.sleep(for: .seconds(100_000)) } catch {
            fixture.record.add("cancelled")
            throw error
          }
          return .done
        }
      ])
      try await running(worker) { _ in
        try await eventually { fixture.record.all == ["run 0"] }
        isAway.withLock { $0 = true }
        // The lease of 30 s runs out while no heartbeat can be stored; the next one is due at 40 s.
        for _ in 0..<6 {
          await fixture.clock.waitForSleepers(3)
          fixture.clock.advance(by: .seconds(5))
        }
        await fixture.clock.waitForSleepers(3)
        isAway.withLock { $0 = false }
        fixture.clock.advance(by: .seconds(5))
        try await eventually {
          let counts = try await fixture.counts()
          return counts == [0, 0, 0] && fixture.record.all.count == 3
        }
      }
      #expect(Set(fixture.record.all) == ["run 0", "run 1", "cancelled"])
    }
  }

  @Test func gracefulShutdownLetsRunningJobsFinishAndClaimsNoMore() async throws {
    try await withQueue { fixture in
      try await fixture.enqueue("a", "b", "c")
      let gate = Gate()
      let worker = fixture.worker(
        concurrency: 1,
        [
          "k": { job in
            fixture.record.add(job.payload)
            await gate.wait()
            return .done
          }
        ])
      try await running(worker) { trigger in
        try await eventually { fixture.record.all.count == 1 }
        trigger.triggerGracefulShutdown()
        try await eventually { worker.state.withLock { $0.isStopping } }
        gate.open()
      }
      #expect(fixture.record.all.count == 1)
      #expect(try await fixture.counts() == [2, 0, 0])
    }
  }

  @Test func whatOutlastsTheGraceIsCancelledAndGivenBack() async throws {
    try await withQueue { fixture in
      try await fixture.enqueue("a")
      let start = fixture.clock.now
      let worker = fixture.worker(
        policy: JobPolicy(shutdownGrace: .seconds(20)),
        [
          "k": { job in
            fixture.record.add("run")
            do { try await fixture.clock.sleep(for: .seconds(100_000)) } catch {
              fixture.record.add("cancelled")
              throw error
            }
            return .done
          }
        ])
      try await running(worker) { trigger in
        try await eventually { fixture.record.all == ["run"] }
        trigger.triggerGracefulShutdown()
        // Second by second, since it cannot be seen from here when the worker begins to wait, and
        // only while handler, heartbeat and worker all sleep, so that no lease runs out.
        try await eventually {
          if fixture.record.all.contains("cancelled") { return true }
          if fixture.clock.sleeperCount >= 3 { fixture.clock.advance(by: .seconds(1)) }
          return false
        }
      }
      #expect(fixture.record.all == ["run", "cancelled"])
      #expect(try await fixture.counts() == [1, 0, 0])
      let row = try await fixture.database.read {
        try $0.first("SELECT errors, crashes, due_at FROM jobs")
      }
      #expect(row?.values.prefix(2) == [0, 0])
      let givenBack = try #require(try row?.timestamp(2))
      #expect(givenBack >= start + .seconds(20) && givenBack <= fixture.clock.now)
    }
  }

  @Test func cancellingTheServiceGivesJobsBack() async throws {
    try await withQueue { fixture in
      try await fixture.enqueue("a")
      let worker = fixture.worker([
        "k": { job in
          fixture.record.add("run")
          try await fixture.clock.sleep(for: .seconds(100_000))
          return .done
        }
      ])
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await worker.run() }
        try await eventually { fixture.record.all == ["run"] }
        group.cancelAll()
        try await group.waitForAll()
      }
      #expect(try await fixture.counts() == [1, 0, 0])
    }
  }

  @Test func storageThatIsBrieflyAwayDoesNotMakeAJobRunTwice() async throws {
    // Writes: 1 enqueues, 2 claims, 3 and 4 would settle.
    try await withQueue(beforeWrite: { number in
      if number == 3 || number == 4 { throw StorageError.unavailable("disk full") }
    }) { fixture in
      try await fixture.enqueue("a")
      let worker = fixture.worker([
        "k": { job in
          fixture.record.add("run")
          return .done
        }
      ])
      try await running(worker) { _ in
        try await eventually { fixture.record.all == ["run"] }
        for _ in 0..<2 {
          // The settler, the heartbeat and the idle worker.
          await fixture.clock.waitForSleepers(3)
          fixture.clock.advance(by: .seconds(6))
        }
        try await eventually { try await fixture.counts() == [0, 0, 0] }
      }
      #expect(fixture.record.all == ["run"])
    }
  }

  @Test func aFailedClaimIsTriedAgain() async throws {
    try await withQueue(beforeWrite: { number in
      if number == 2 { throw StorageError.unavailable("locked") }
    }) { fixture in
      try await fixture.enqueue("a")
      let worker = fixture.worker([
        "k": { job in
          fixture.record.add("run")
          return .done
        }
      ])
      try await running(worker) { _ in
        try await eventually { fixture.database.writes >= 2 }
        await fixture.clock.waitForSleepers(2)
        fixture.clock.advance(by: .seconds(5))
        try await eventually { try await fixture.counts() == [0, 0, 0] }
      }
      #expect(fixture.record.all == ["run"])
    }
  }
}
