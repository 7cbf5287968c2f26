import FairleadTesting
import Testing

@testable import Fairlead

@Suite(.timeLimit(.minutes(1))) struct AlertsTests {
  @Test(arguments: TestEngine.all)
  func anAlertFiresOnceAndIsResolvedOnceItHasBeenFine(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: AlertsHarness.migrations) { database in
      let harness = AlertsHarness(database)
      try await harness.alerts.evaluate()
      #expect(try await harness.all().isEmpty)

      harness.breakStripe()
      let firedAt = harness.clock.now
      for _ in 0..<4 {
        try await harness.alerts.evaluate()
        harness.clock.advance(by: .seconds(15))
      }
      let fired = try await harness.all()
      #expect(fired.count == 1)
      let alert = try #require(fired.first)
      #expect(alert.rule == .successRate && alert.integration == "stripe")
      #expect(alert.state == .firing && alert.resolvedAt == nil)
      #expect(alert.firedAt == firedAt)
      #expect(alert.value == 0 && alert.threshold == 0.95)

      try await harness.recover()
      let resolved = try await harness.all()
      #expect(resolved.map(\.id) == [alert.id])
      #expect(resolved.first?.state == .resolved)
      #expect(resolved.first?.resolvedAt == harness.clock.now)
      #expect(
        resolved.first?.message
          == "There were no calls to Stripe in the last 15 minutes to judge by.")

      harness.breakStripe()
      try await harness.alerts.evaluate()
      #expect(try await harness.all().map(\.state) == [.firing, .resolved])
    }
  }

  @Test(arguments: TestEngine.all)
  func aFigureThatHoversAboutItsThresholdFiresOnce(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: AlertsHarness.migrations) { database in
      let harness = AlertsHarness(database) {
        $0.limits[.successRate]?.window = .seconds(60)
        $0.limits[.successRate]?.minimumCalls = 1
      }
      // Bad for a minute, good for a minute: never good for two minutes on end.
      for round in 0..<20 {
        harness.monitored.record(20, round % 4 < 2 ? .failure : .success)
        try await harness.alerts.evaluate()
        harness.clock.advance(by: .seconds(45))
      }
      #expect(try await harness.all().count == 1)
    }
  }

  @Test(arguments: TestEngine.all)
  func theFiguresOfAFiringAlertFollow(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: AlertsHarness.migrations) { database in
      let harness = AlertsHarness(database)
      harness.breakStripe()
      try await harness.alerts.evaluate()
      harness.monitored.record(20)
      try await harness.alerts.evaluate()
      let alert = try #require(try await harness.all().first)
      #expect(alert.value == 0.5)
      #expect(alert.message.hasPrefix("20 of 40 calls to Stripe failed"))
    }
  }

  @Test(arguments: TestEngine.all)
  func aRestartForgetsNothingAndFiresNothingAgain(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: AlertsHarness.migrations) { database in
      let harness = AlertsHarness(database)
      harness.breakStripe()
      try await harness.alerts.evaluate()
      try await harness.monitored.log.flush()
      let restarted = AlertsHarness(database, sharing: harness, seed: 8)
      try await restarted.alerts.evaluate()
      #expect(try await restarted.all().map(\.state) == [.firing])
      try await restarted.recover()
      #expect(try await restarted.all().map(\.state) == [.resolved])
    }
  }

  @Test(arguments: TestEngine.all)
  func nodesAddUpWhatTheySeeAndFireTogetherOnce(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: AlertsHarness.migrations) { database in
      let one = AlertsHarness(database, seed: 1)
      let two = AlertsHarness(database, sharing: one, seed: 2)
      // Neither saw twenty calls.
      for node in [one, two] {
        node.monitored.record(10, .failure)
        try await node.monitored.log.flush()
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for node in [one, two] {
          group.addTask { for _ in 0..<5 { try await node.alerts.evaluate() } }
        }
        try await group.waitForAll()
      }
      #expect(try await one.all().count == 1)
      try await one.drain()
      try await two.drain()
      #expect(try one.told() == ["alert.fired"])

      one.clock.advance(by: .seconds(1_000))
      for node in [one, two] { try await node.alerts.evaluate() }
      one.clock.advance(by: .seconds(120))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for node in [one, two] { group.addTask { try await node.alerts.evaluate() } }
        try await group.waitForAll()
      }
      #expect(try await one.all().map(\.state) == [.resolved])
      try await two.drain()
      #expect(try one.told() == ["alert.fired", "alert.resolved"])
    }
  }

  @Test(arguments: TestEngine.all)
  func aNodeThatDoesNotWatchARuleLeavesItsAlertToThoseThatDo(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: AlertsHarness.migrations) { database in
      let one = AlertsHarness(database, seed: 1)
      let two = AlertsHarness(database, sharing: one, seed: 2) { $0.limits = [:] }
      for _ in 0..<40 {
        one.breakStripe()
        for node in [one, two] { try await node.alerts.evaluate() }
        one.clock.advance(by: .seconds(15))
      }
      #expect(try await one.all().map(\.state) == [.firing])
      // The rollout is over: nobody watches the rule any more.
      for _ in 0..<21 {
        try await two.alerts.evaluate()
        one.clock.advance(by: .seconds(15))
      }
      let alerts = try await two.all()
      #expect(alerts.map(\.state) == [.resolved])
      #expect(alerts.first?.message == "This rule is no longer watched for stripe.")
    }
  }

  @Test func everyNodeTellsItsWatchersAndItsMetrics() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: AlertsHarness.migrations) {
      database in
      let one = AlertsHarness(database, seed: 1)
      let two = AlertsHarness(database, sharing: one, seed: 2)
      try await two.alerts.evaluate()
      let updates = try two.monitored.live.subscribe()
      one.breakStripe()
      try await one.alerts.evaluate()
      try await one.monitored.log.flush()
      try await two.alerts.evaluate()
      try await two.alerts.evaluate()
      func firing(_ node: AlertsHarness) -> [String] {
        node.alerts.metricFamilies().flatMap(\.samples).filter { $0.value == 1 }
          .map { $0.labels.map(\.value).joined(separator: " ") }
      }
      #expect(firing(one) == ["success_rate stripe"])
      #expect(firing(two) == ["success_rate stripe"])
      try await one.recover()
      try await two.alerts.evaluate()
      #expect(firing(two).isEmpty)
      two.monitored.live.finish()
      var seen: [Alert.State] = []
      for await update in updates {
        if case .alert(let alert) = update { seen.append(alert.state) }
      }
      #expect(seen == [.firing, .resolved])
    }
  }

  @Test(arguments: TestEngine.all)
  func listsFilterAndPage(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: AlertsHarness.migrations) { database in
      let harness = AlertsHarness(database)
      harness.breakStripe()
      try await harness.alerts.evaluate()
      try await harness.recover()
      harness.breakStripe()
      harness.monitored.record(20, .success, of: "slack", latency: .seconds(6))
      try await harness.alerts.evaluate()
      func count(_ filter: AlertFilter) async throws -> Int {
        try await harness.alerts.list(filter).items.count
      }
      #expect(try await count(AlertFilter()) == 3)
      #expect(try await count(AlertFilter(integration: "slack")) == 1)
      #expect(try await count(AlertFilter(rule: .latency)) == 1)
      #expect(try await count(AlertFilter(rule: .latency, state: .resolved)) == 0)
      #expect(try await count(AlertFilter(state: .firing)) == 2)
      let first = try await harness.alerts.list(page: PageRequest(limit: 2))
      let second = try await harness.alerts.list(
        page: PageRequest(cursor: first.nextCursor, limit: 2))
      #expect(first.items.count == 2 && second.items.count == 1)
      #expect(second.nextCursor == nil)
      #expect(Set((first.items + second.items).map(\.id)).count == 3)
    }
  }

  @Test(arguments: TestEngine.all)
  func resolvedAlertsAreRemovedInTimeAndFiringOnesNever(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: AlertsHarness.migrations) { database in
      let harness = AlertsHarness(database) { $0.retention = .seconds(86_400) }
      harness.breakStripe()
      try await harness.alerts.evaluate()
      try await harness.recover()
      harness.breakStripe()
      try await harness.alerts.evaluate()
      harness.clock.advance(by: .seconds(86_000))
      try await harness.alerts.prune()
      #expect(try await harness.all().count == 2)
      harness.clock.advance(by: .seconds(1_000))
      try await harness.alerts.prune()
      #expect(try await harness.all().map(\.state) == [.firing])
    }
  }

  @Test func windowsIncludeTheMinuteTheyBeginInAndEndThere() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: AlertsHarness.migrations) {
      database in
      let harness = AlertsHarness(database)
      // Half a minute past a whole one.
      let offset = harness.clock.now.microseconds % 60_000_000
      harness.clock.advance(by: .microseconds(90_000_000 - offset))
      harness.monitored.record(3, .failure)
      func failures() async throws -> Int64 {
        let window = Duration.seconds(300)
        return try await harness.monitored.log.counters(over: [window])[window]?["stripe"]?
          .failures ?? 0
      }
      #expect(try await failures() == 3)
      try await harness.monitored.log.flush()
      #expect(try await failures() == 3)
      harness.clock.advance(by: .seconds(300))
      #expect(try await failures() == 3)
      harness.clock.advance(by: .seconds(29))
      #expect(try await failures() == 3)
      harness.clock.advance(by: .seconds(1))
      #expect(try await failures() == 0)
    }
  }

  @Test func runEvaluatesAtOnceAndAtEveryInterval() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: AlertsHarness.migrations) {
      database in
      let harness = AlertsHarness(database)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await harness.alerts.run() }
        // The evaluation's pause and the pruning's.
        await harness.clock.waitForSleepers(2)
        harness.breakStripe()
        let before = try await harness.all()
        #expect(before.isEmpty)
        harness.clock.advance(by: .seconds(15))
        await harness.clock.waitForSleepers(2)
        let after = try await harness.all()
        #expect(after.count == 1)
        group.cancelAll()
      }
    }
  }
}
