import FairleadTesting
import Foundation
import Testing

@testable import Fairlead

@Suite(.timeLimit(.minutes(1))) struct HealthTests {
  @Test(arguments: TestEngine.all)
  func withoutCallsAnIntegrationIsIdleAndNothingDividesByZero(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      let all = try await monitored.health.snapshot()
      #expect(all.map(\.integration) == ["slack", "stripe"])
      let slack = try #require(all.first)
      #expect(slack.status == .idle)
      #expect(slack.message == "No calls to Slack in the last 24 hours.")
      #expect(slack.calls == 0)
      #expect(slack.errorRate == nil && slack.successRate == nil)
      #expect(slack.latency == .init())
      #expect(slack.lastSuccessAt == nil && slack.lastFailureAt == nil)
      #expect(await monitored.health.isHealthy("slack"))
    }
  }

  @Test(arguments: [
    (99, 1, HealthStatus.degraded, "Stripe is having trouble: 1 of 100 calls failed"),
    (100, 1, .healthy, "Stripe is working: 1 of 101 calls failed"),
    (46, 4, .degraded, "Stripe is having trouble: 4 of 50 calls failed"),
    (9, 1, .down, "Stripe is down: 1 of 10 calls failed"),
    (10, 0, .healthy, "Stripe is working."),
    (0, 1, .down, "Stripe is down: 1 of 1 call failed"),
    (1_995, 5, .healthy, "Stripe is working: 5 of 2,000 calls failed"),
  ])
  func statusAndMessageFollowTheShareOfFailures(
    successes: Int, failures: Int, status: HealthStatus, message: String
  ) async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      monitored.record(failures, .failure)
      monitored.record(successes)
      let full =
        failures == 0 ? message : message + " in the last 24 hours."
      for _ in 0..<2 {
        let stripe = try await monitored.stripe()
        #expect(stripe.status == status)
        #expect(stripe.message == full)
        #expect(stripe.calls == Int64(successes + failures))
        let rate = Double(failures) / Double(successes + failures)
        #expect(stripe.errorRate == rate)
        #expect(stripe.successRate == 1 - rate)
        #expect(await monitored.health.isHealthy("stripe") == (status == .healthy))
        // The second reading is from storage alone.
        try await monitored.log.flush()
      }
    }
  }

  @Test(arguments: TestEngine.all)
  func everyFieldIsReadBackAfterARestart(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { database in
      let clock = ManualClock()
      let before = Monitored(database, clock: clock)
      var slow = CallLogEntry.fixture(endingAt: clock.now, duration: .seconds(5))
      slow.waited = .seconds(4)
      slow.rateLimitHits = 2
      slow.serverErrors = 3
      before.log.record(slow)
      before.record(9, latency: .milliseconds(200))
      clock.advance(by: .seconds(90))
      before.record(1, .failure, latency: .milliseconds(300))
      before.record(2, .neutral, latency: .seconds(50))
      for _ in 0..<3 { before.log.webhookReceived("stripe") }
      before.log.webhookRejected("stripe", forged: true)
      before.log.webhookRejected("stripe", forged: false)
      before.log.webhookProcessed("stripe")
      before.log.webhookFailed("stripe")
      before.log.webhookDead("stripe")
      before.log.webhookRecovered("stripe")
      before.log.webhookDuplicate("stripe")
      let live = try await before.stripe()
      try await before.log.flush()

      let after = Monitored(database, clock: clock)
      let stripe = try await after.stripe()
      #expect(stripe == live)
      #expect(stripe.calls == 13)
      #expect(stripe.failures == 1)
      #expect(stripe.errorRate == 1.0 / 11)
      #expect(stripe.rateLimitHits == 2)
      #expect(stripe.waited == .seconds(4))
      let mean: Double = 3_100.0 / 11
      #expect(stripe.latency.mean == mean)
      #expect(abs((stripe.latency.p50 ?? 0) - 200) <= 2)
      #expect(abs((stripe.latency.p99 ?? 0) - 1_000) <= 10)
      #expect(stripe.lastSuccessAt == clock.now - .seconds(90))
      #expect(stripe.lastFailureAt == clock.now)
      #expect(
        stripe.webhooks
          == .init(
            received: 3, rejected: 2, forged: 1, processed: 1, failed: 1, dead: 1, recovered: 1,
            duplicates: 1))
      #expect(stripe.recent == .init(calls: 13, failures: 1, serverErrors: 3, fallbacks: 0))
    }
  }

  @Test(arguments: TestEngine.all)
  func callsLeaveTheWindowAfterADay(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      monitored.record(5, .failure)
      try await monitored.log.flush()
      // One more that storage does not hold yet.
      monitored.record(1, .failure)
      monitored.clock.advance(by: .seconds(86_400 - 120))
      monitored.record(94)
      #expect(try await monitored.stripe().failures == 6)
      #expect(try await monitored.stripe().status == .degraded)
      monitored.clock.advance(by: .seconds(180))
      let stripe = try await monitored.stripe()
      #expect(stripe.failures == 0)
      #expect(stripe.calls == 94)
      #expect(stripe.status == .healthy)
      #expect(stripe.lastFailureAt == monitored.clock.now - .seconds(86_460))
      monitored.clock.advance(by: .seconds(86_400))
      #expect(try await monitored.stripe().status == .idle)
    }
  }

  @Test(arguments: TestEngine.all)
  func theNodesOfADeploymentAddUp(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { database in
      let clock = ManualClock()
      let nodes = [Monitored(database, clock: clock), Monitored(database, clock: clock)]
      for round in 1...3 {
        nodes[0].record(10, latency: .milliseconds(100))
        nodes[1].record(10, latency: .milliseconds(900))
        nodes[1].record(1, .failure)
        for node in nodes { try await node.log.flush() }
        for node in nodes {
          let stripe = try await node.stripe()
          #expect(stripe.calls == Int64(21 * round))
          #expect(stripe.failures == Int64(round))
          #expect(abs((stripe.latency.p95 ?? 0) - 900) <= 9)
        }
      }
      // What a node has not written yet, only that node knows.
      nodes[0].record(1)
      #expect(try await nodes[0].stripe().calls == 64)
      #expect(try await nodes[1].stripe().calls == 63)
    }
  }

  @Test func theOrderOfRowsIsIrrelevant() async throws {
    let outcomes: [HealthOutcome] = (0..<60).map { $0 % 7 == 0 ? .failure : .success }
    var readings: [IntegrationHealth] = []
    for order in [outcomes, outcomes.reversed(), outcomes.sorted { $0.rawValue < $1.rawValue }] {
      try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { database in
        let monitored = Monitored(database)
        for (index, outcome) in order.enumerated() {
          // Ends run forwards in one order and backwards in another.
          let end = monitored.clock.now - .seconds((index * 37) % 60 * 60)
          monitored.log.record(.fixture(outcome: outcome, at: end, index: index))
          if index % 11 == 0 { try await monitored.log.flush() }
        }
        readings.append(try await monitored.stripe())
      }
    }
    #expect(readings.allSatisfy { $0.failures == 9 && $0.calls == 60 && $0.status == .down })
    #expect(Set(readings.map(\.errorRate)).count == 1)
  }

  @Test func onlyCallsThatSayNothingLeaveAnIntegrationIdle() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      monitored.record(2, .neutral)
      let stripe = try await monitored.stripe()
      #expect(stripe.status == .idle)
      #expect(stripe.calls == 2)
      #expect(stripe.errorRate == nil)
      #expect(stripe.message.contains("2 calls waited for a limit or were cancelled"))
    }
  }

  @Test func theMessageTellsOfRecoveryAndOfAnOpenBreaker() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      monitored.record(10, .failure)
      monitored.clock.advance(by: .seconds(600))
      monitored.record(3)
      let stripe = try await monitored.stripe()
      #expect(
        stripe.message
          == "Stripe is down: 10 of 13 calls failed in the last 24 hours. "
          + "It has worked again for the last 5 minutes.")
      let open = Monitored(database, clock: monitored.clock, breaker: .open)
      let paused = try await open.stripe()
      #expect(paused.message.hasPrefix("Stripe is temporarily unavailable: it keeps failing"))
      #expect(paused.breaker == .open)
      #expect(await open.health.isHealthy("slack") == false)
    }
  }

  @Test func anOutageThatIsOverDoesNotCountForTheRestOfTheDay() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      monitored.record(10, .failure)
      #expect(await monitored.health.isHealthy("stripe") == false)
      monitored.clock.advance(by: .seconds(600))
      // Nobody has called since, and somebody who asks first has to get to call.
      #expect(await monitored.health.isHealthy("stripe"))
      monitored.record(1, .failure)
      #expect(await monitored.health.isHealthy("stripe") == false)
      monitored.clock.advance(by: .seconds(600))
      monitored.record(3)
      #expect(await monitored.health.isHealthy("stripe"))
      let day = try await monitored.stripe()
      #expect(day.status == .down)
    }
  }

  @Test func anIntegrationThatIsBeingTriedAgainMayBeCalled() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database, breaker: .halfOpen)
      #expect(await monitored.health.isHealthy("stripe"))
      let stripe = try await monitored.stripe()
      #expect(stripe.message.hasSuffix("It is being tried again."))
    }
  }

  @Test func healthIsStillKnownWhileStorageIsGone() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      try await database.close()
      #expect(await monitored.health.isHealthy("stripe"))
      monitored.record(3, .failure)
      #expect(await monitored.health.isHealthy("stripe") == false)
      await #expect(throws: (any Error).self) { try await monitored.health.snapshot() }
    }
  }

  @Test func anUnknownIntegrationIsNotFoundAndNotHealthy() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      let error = await #expect(throws: FairleadError.self) {
        try await monitored.health.health(of: "nope")
      }
      #expect(error?.code == .notFound)
      #expect(await monitored.health.isHealthy("nope") == false)
    }
  }

  @Test(arguments: TestEngine.all)
  func theSeriesHasEveryHourOldestFirst(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      monitored.record(4, latency: .milliseconds(50))
      monitored.clock.advance(by: .seconds(2 * 3_600))
      monitored.record(3, .failure)
      try await monitored.log.flush()
      monitored.record(1)
      let points = try await monitored.health.series("stripe", hours: 4)
      #expect(points.map(\.calls) == [0, 4, 0, 4])
      #expect(points.map(\.failures) == [0, 0, 0, 3])
      #expect(points.map(\.meanLatency) == [nil, 50, nil, 100])
      #expect(points.allSatisfy { $0.start.microseconds % 3_600_000_000 == 0 })
      #expect(try await monitored.health.series("slack").count == 24)
      #expect(try await monitored.health.series("stripe", hours: .max).count == 168)
      #expect(try await monitored.health.series("stripe", hours: .min).count == 1)
    }
  }

  @Test func theShapeIsTheContracts() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      let data = try JSONEncoder().encode(try await monitored.stripe())
      let json = try JSONValue(parsing: Array(data))
      for key in [
        "integration", "status", "message", "calls_24h", "success_rate_24h", "error_rate_24h",
        "latency_ms", "last_success_at", "last_failure_at", "rate_limit_hits", "waited_ms",
        "webhooks", "breaker",
      ] { #expect(json[key] != nil, "\(key)") }
      for key in ["mean", "p50", "p95", "p99"] { #expect(json[path: "latency_ms.\(key)"] == .null) }
      for key in ["received", "rejected", "processed", "dead", "recovered"] {
        #expect(json[path: "webhooks.\(key)"] == .int(0))
      }
      #expect(json["error_rate_24h"] == .null)
      #expect(json["breaker"] == .string("closed"))
    }
  }
}

extension CallLogEntry {
  fileprivate static func fixture(
    outcome: HealthOutcome, at end: Timestamp, index: Int
  ) -> CallLogEntry {
    .fixture("stripe", outcome, endingAt: end, duration: .milliseconds(index + 1))
  }
}
