import FairleadTesting
import Synchronization
import Testing

@testable import Fairlead

@Suite struct RateBucketTests {
  /// Who passed, in order.
  private final class Passed: Sendable {
    private let names = Mutex<[String]>([])
    func add(_ name: String) { names.withLock { $0.append(name) } }
    var all: [String] { names.withLock { $0 } }
  }

  private let clock = ManualClock()
  private let passed = Passed()

  private func bucket(_ requests: Int, per period: Duration) -> RateBucket {
    RateBucket(rate: GCRA.Rate(requests: requests, period: period, burst: 1), clock: clock)
  }

  /// Adds a waiter and returns once it is in the queue.
  private func join(
    _ bucket: RateBucket, _ owner: String, _ priority: Call.Priority = .interactive,
    _ group: inout ThrowingTaskGroup<Void, any Error>, deadline: Duration = .seconds(1_000)
  ) async {
    let before = bucket.waiting
    group.addTask { [passed] in
      _ = try await bucket.acquire(owner: owner, priority: priority, deadline: deadline)
      passed.add(owner)
    }
    while bucket.waiting == before { await Task.yield() }
  }

  /// Lets one period pass and waits for whoever it lets through.
  private func tick(_ period: Duration = .seconds(1)) async {
    let before = passed.all.count
    await clock.waitForSleepers()
    clock.advance(by: period)
    while passed.all.count == before { await Task.yield() }
  }

  @Test func ownersTakeTurnsHoweverManyCallsOneHas() async throws {
    let bucket = bucket(1, per: .seconds(1))
    _ = try await bucket.acquire(owner: "a", priority: .interactive, deadline: .seconds(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<5 { await join(bucket, "greedy", .interactive, &group) }
      for _ in 0..<2 { await join(bucket, "modest", .interactive, &group) }
      for _ in 0..<7 { await tick() }
      try await group.waitForAll()
    }
    #expect(
      passed.all == ["greedy", "modest", "greedy", "modest", "greedy", "greedy", "greedy"])
    #expect(bucket.waiting == 0)
  }

  @Test func backgroundCallsYieldToInteractiveOnes() async throws {
    let bucket = bucket(1, per: .seconds(1))
    _ = try await bucket.acquire(owner: "x", priority: .interactive, deadline: .seconds(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<2 { await join(bucket, "sync", .background, &group) }
      await join(bucket, "person", .interactive, &group)
      for _ in 0..<3 { await tick() }
      try await group.waitForAll()
    }
    #expect(passed.all == ["person", "sync", "sync"])
  }

  @Test func aWaitBeyondTheDeadlineFailsAtOnceAndSaysHowLong() async throws {
    let bucket = bucket(1, per: .seconds(10))
    _ = try await bucket.acquire(owner: "a", priority: .interactive, deadline: .seconds(1))
    await #expect(throws: RateBucket.TooLong(retryAfter: .seconds(10))) {
      try await bucket.acquire(owner: "a", priority: .interactive, deadline: .seconds(9))
    }
    #expect(clock.sleeperCount == 0)
  }

  @Test func whoIsOvertakenBeyondItsDeadlineFails() async throws {
    let bucket = bucket(1, per: .seconds(1))
    _ = try await bucket.acquire(owner: "x", priority: .interactive, deadline: .seconds(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        await #expect(throws: RateBucket.TooLong.self) {
          try await bucket.acquire(owner: "sync", priority: .background, deadline: .seconds(1))
        }
      }
      while bucket.waiting == 0 { await Task.yield() }
      await join(bucket, "person", .interactive, &group)
      await tick()
      try await group.waitForAll()
    }
    #expect(passed.all == ["person"])
    #expect(bucket.waiting == 0)
  }

  @Test func cancellingTheKeeperOfTimeHandsTheTaskOn() async throws {
    let bucket = bucket(1, per: .seconds(1))
    _ = try await bucket.acquire(owner: "x", priority: .interactive, deadline: .seconds(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      let keeper = Task {
        _ = try await bucket.acquire(
          owner: "keeper", priority: .interactive, deadline: .seconds(100))
      }
      await clock.waitForSleepers()
      await join(bucket, "heir", .interactive, &group)
      await join(bucket, "last", .interactive, &group)
      keeper.cancel()
      await #expect(throws: CancellationError.self) { try await keeper.value }
      for _ in 0..<2 { await tick() }
      try await group.waitForAll()
    }
    #expect(passed.all == ["heir", "last"])
  }

  @Test func cancellingOneWhoWaitsLeavesTheOthersAlone() async throws {
    let bucket = bucket(1, per: .seconds(1))
    _ = try await bucket.acquire(owner: "x", priority: .interactive, deadline: .seconds(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      await join(bucket, "keeper", .interactive, &group)
      let leaver = Task {
        _ = try await bucket.acquire(
          owner: "leaver", priority: .interactive, deadline: .seconds(100))
      }
      while bucket.waiting < 2 { await Task.yield() }
      leaver.cancel()
      await #expect(throws: CancellationError.self) { try await leaver.value }
      #expect(bucket.waiting == 1)
      await tick()
      try await group.waitForAll()
    }
    #expect(bucket.isIdle == false)
    clock.advance(by: .seconds(1))
    #expect(bucket.isIdle)
  }

  @Test func aPauseHoldsEveryone() async throws {
    let bucket = RateBucket(rate: nil, clock: clock)
    bucket.pause(for: .seconds(5))
    try await withThrowingTaskGroup(of: Void.self) { group in
      await join(bucket, "a", .interactive, &group)
      await clock.waitForSleepers()
      clock.advance(by: .milliseconds(4_999))
      #expect(passed.all.isEmpty)
      await tick(.milliseconds(1))
      try await group.waitForAll()
    }
    #expect(passed.all == ["a"])
  }

  @Test func remainingZeroPausesUntilTheReset() async throws {
    let bucket = RateBucket(rate: GCRA.Rate(requests: 100, period: .seconds(1)), clock: clock)
    bucket.correct(remaining: 0, reset: .seconds(30))
    await #expect(throws: RateBucket.TooLong(retryAfter: .seconds(30))) {
      try await bucket.acquire(owner: "a", priority: .interactive, deadline: .seconds(29))
    }
  }

  /// Whatever comes, nobody is forgotten and the limit holds.
  @Test(arguments: 1...8)
  func underRandomLoadEveryoneEndsAndTheLimitHolds(seed: UInt64) async throws {
    let random = RandomSource(seed: seed)
    let bucket = RateBucket(
      rate: GCRA.Rate(requests: 10, period: .seconds(1), burst: 3), clock: clock)
    let grants = Box<[Duration]>([])
    let ended = Box(0)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<120 {
        let deadline = clock.uptime + .milliseconds(Int(random.next() % 6_000))
        let isCancelled = random.next() % 7 == 0
        group.addTask { [clock] in
          let call = Task {
            _ = try await bucket.acquire(
              owner: "o\(index % 5)", priority: index % 3 == 0 ? .background : .interactive,
              deadline: deadline)
            grants.withLock { $0.append(clock.uptime) }
          }
          if isCancelled { call.cancel() }
          _ = await call.result
          ended.withLock { $0 += 1 }
        }
      }
      group.addTask { [clock] in
        while ended.current < 120 {
          if clock.sleeperCount > 0 { clock.advance(by: .milliseconds(20)) }
          await Task.yield()
        }
      }
      try await group.waitForAll()
    }
    #expect(bucket.waiting == 0)
    let times = grants.current.sorted()
    #expect(!times.isEmpty)
    for (index, time) in times.enumerated() {
      let within = times[index...].prefix { $0 < time + .seconds(1) }.count
      #expect(within <= 13)
    }
  }
}
