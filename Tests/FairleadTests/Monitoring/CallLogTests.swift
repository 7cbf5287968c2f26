import Fairlead
import FairleadTesting
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct CallLogTests {
  private static func stored(_ database: any Database) async throws -> Int {
    try await database.read { try Int($0.first("SELECT COUNT(*) FROM call_log")?.int(0) ?? 0) }
  }

  @Test(arguments: TestEngine.all)
  func anEntryComesBackAsItWasRecorded(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      let entry = CallLogEntry(
        requestID: RequestID(rawValue: "req_1"), integration: "slack",
        connection: ConnectionID(rawValue: "conn_1"), owner: "user 'x'",
        source: "sync", method: "POST", path: "/api/chat.postMessage", status: 200,
        errorCode: .rateLimitExceeded, errorClass: .rateLimited, attempts: 3, serverErrors: 1,
        rateLimitHits: 2, waited: .milliseconds(2_500), waitReason: "Retry-After from Slack",
        startedAt: monitored.clock.now, duration: .microseconds(3_000_001), outcome: .neutral,
        fallback: true)
      let bare = CallLogEntry.fixture(endingAt: monitored.clock.now - .seconds(5))
      monitored.log.record(bare)
      monitored.log.record(entry)
      let page = try await monitored.log.entries()
      #expect(page.items == [entry, bare])
      #expect(page.nextCursor == nil)
    }
  }

  @Test(arguments: TestEngine.all)
  func pagesCoverEveryEntryOnceNewestFirst(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      // Several start in the same moment, so that the id has to break ties.
      for index in 0..<57 {
        monitored.log.record(
          .fixture(endingAt: monitored.clock.now + .seconds(index / 5)))
      }
      var seen: [CallLogEntry] = []
      var cursor: String?
      repeat {
        let page = try await monitored.log.entries(
          page: PageRequest(cursor: cursor, limit: 10))
        #expect(page.items.count <= 10)
        seen += page.items
        cursor = page.nextCursor
      } while cursor != nil
      #expect(seen.count == 57)
      #expect(Set(seen.map(\.requestID)).count == 57)
      #expect(seen.map(\.startedAt) == seen.map(\.startedAt).sorted(by: >))
    }
  }

  @Test(arguments: TestEngine.all)
  func filtersNarrowDown(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      let now = monitored.clock.now
      var mine = CallLogEntry.fixture("slack", endingAt: now)
      mine.owner = "u1"
      mine.connection = ConnectionID(rawValue: "conn_1")
      var failed = CallLogEntry.fixture("stripe", .failure, endingAt: now - .seconds(60))
      failed.owner = "u2"
      var unanswered = CallLogEntry.fixture("stripe", .failure, endingAt: now - .seconds(120))
      unanswered.status = nil
      unanswered.errorCode = .upstreamTimeout
      for entry in [mine, failed, unanswered] { monitored.log.record(entry) }
      let cases: [(CallLogFilter, [CallLogEntry])] = [
        (CallLogFilter(), [mine, failed, unanswered]),
        (CallLogFilter(integration: "slack"), [mine]),
        (CallLogFilter(connection: mine.connection), [mine]),
        (CallLogFilter(owner: "u2"), [failed]),
        (CallLogFilter(statusClass: 5), [failed]),
        (CallLogFilter(statusClass: .max), []),
        (CallLogFilter(errorCode: .upstreamTimeout), [unanswered]),
        (CallLogFilter(outcome: .failure), [failed, unanswered]),
        (CallLogFilter(since: now - .seconds(90)), [mine, failed]),
        (CallLogFilter(integration: "slack", owner: "u2"), []),
        (CallLogFilter(owner: "' OR 1=1 --"), []),
      ]
      for (filter, expected) in cases {
        let found = try await monitored.log.entries(filter).items
        #expect(found == expected, "\(filter)")
      }
    }
  }

  @Test(arguments: ["", "x", "!!!", "bm8gY29sb24", String(repeating: "A", count: 10_000)])
  func aForeignCursorIsRefused(cursor: String) async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { database in
      let log = Monitored(database).log
      let error = await #expect(throws: FairleadError.self) {
        try await log.entries(page: PageRequest(cursor: cursor))
      }
      #expect(error?.code == .invalidRequest)
    }
  }

  @Test(arguments: TestEngine.all)
  func aFewEntriesAreWrittenWhenTheirTimeHasCome(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      try await testGracefulShutdown { trigger in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await monitored.log.run() }
          await monitored.clock.waitForSleepers(2)
          monitored.record(3)
          #expect(try await Self.stored(database) == 0)
          monitored.clock.advance(by: .milliseconds(499))
          #expect(try await Self.stored(database) == 0)
          monitored.clock.advance(by: .milliseconds(1))
          try await eventually { try await Self.stored(database) == 3 }
          trigger.triggerGracefulShutdown()
          try await group.waitForAll()
        }
      }
    }
  }

  @Test(arguments: TestEngine.all)
  func enoughEntriesAreWrittenWithoutWaiting(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      try await testGracefulShutdown { trigger in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await monitored.log.run() }
          await monitored.clock.waitForSleepers(2)
          monitored.record(499)
          #expect(try await Self.stored(database) == 0)
          monitored.record(1)
          try await eventually { try await Self.stored(database) == 500 }
          trigger.triggerGracefulShutdown()
          try await group.waitForAll()
        }
      }
    }
  }

  @Test(arguments: TestEngine.all)
  func shutdownWritesWhatIsLeft(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      try await testGracefulShutdown { trigger in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await monitored.log.run() }
          await monitored.clock.waitForSleepers(2)
          monitored.record(7)
          trigger.triggerGracefulShutdown()
          try await group.waitForAll()
        }
      }
      #expect(try await Self.stored(database) == 7)
    }
  }

  @Test func recordingGoesOnWhileStorageStandsStillAndDropsAreCounted() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { base in
      let gate = Gate()
      let database = InterposedDatabase(base) { _ in await gate.wait() }
      let monitored = Monitored(database, capacity: 1_000)
      monitored.record(1)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await monitored.log.flush() }
        try await eventually { database.writes == 1 }
        // Synchronous: were it to wait, the test would hang here.
        monitored.record(2_499)
        #expect(monitored.log.dropped == 1_500)
        #expect(try await monitored.stripe().calls == 2_500)
        gate.open()
        try await group.waitForAll()
      }
      try await monitored.log.flush()
      #expect(try await Self.stored(base) == 1_000)
      #expect(try await monitored.stripe().calls == 2_500)
      monitored.record(1)
      #expect(monitored.log.dropped == 1_500)
    }
  }

  @Test(arguments: TestEngine.all)
  func aFailedWriteIsRepeatedWithoutLoss(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { base in
      let database = InterposedDatabase(base) { number in
        if number <= 3 { throw StorageError.unavailable("disk full") }
      }
      let monitored = Monitored(database)
      for _ in 0..<3 {
        monitored.record(2)
        await #expect(throws: StorageError.self) { try await monitored.log.flush() }
      }
      #expect(try await monitored.stripe().calls == 6)
      try await monitored.log.flush()
      #expect(try await Self.stored(base) == 6)
      #expect(try await monitored.stripe().calls == 6)
    }
  }

  @Test(arguments: TestEngine.all)
  func aCommitWhoseAnswerWasLostIsCountedOnce(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { base in
      let database = ForgetfulDatabase(base)
      let monitored = Monitored(database)
      monitored.record(4)
      await #expect(throws: StorageError.self) { try await monitored.log.flush() }
      #expect(try await monitored.stripe().calls == 4)
      monitored.record(1)
      await #expect(throws: StorageError.self) { try await monitored.log.flush() }
      database.remember()
      try await monitored.log.flush()
      #expect(try await monitored.stripe().calls == 5)
      #expect(try await Self.stored(base) == 5)
    }
  }

  @Test(arguments: TestEngine.all)
  func readersAndWritersInParallelNeverMiscount(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<3 {
          group.addTask {
            for _ in 0..<40 { try await monitored.log.flush() }
          }
        }
        group.addTask {
          for round in 1...120 {
            monitored.record(5)
            let calls = try await monitored.stripe().calls
            #expect(calls == Int64(round * 5))
          }
        }
        try await group.waitForAll()
      }
      try await monitored.log.flush()
      #expect(try await Self.stored(database) == 600)
    }
  }

  @Test(arguments: TestEngine.all)
  func pruningDeletesWhatIsPastRetentionOnly(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database, retention: .seconds(86_400))
      monitored.record(1_203)
      monitored.clock.advance(by: .seconds(3_600))
      monitored.record(2)
      try await monitored.log.flush()
      monitored.clock.advance(by: .seconds(86_400 - 3_600 + 1))
      try await monitored.log.prune()
      #expect(try await Self.stored(database) == 2)
      #expect(
        try await monitored.health.series("stripe", hours: 48).map(\.calls).reduce(0, +) == 1_205)
      monitored.clock.advance(by: .seconds(8 * 86_400))
      try await monitored.log.prune()
      for table in ["call_log", "health_minutes", "health_latencies", "health_nodes"] {
        let rows = try await database.read { try $0.query("SELECT 1 FROM \(table)").count }
        #expect(rows == 0, "\(table)")
      }
      #expect(try await monitored.stripe().lastSuccessAt != nil)
    }
  }

  @Test func neitherQueryNorCredentialReachesTheTable() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { database in
      let monitored = Monitored(database)
      var entry = CallLogEntry.fixture(endingAt: monitored.clock.now)
      entry.path = "/hooks/xoxb-111-222-abcdef/x?token=hunter2#frag"
      entry.waitReason = "said Bearer abcDEF123456 \0"
      monitored.log.record(entry)
      let stored = try #require(try await monitored.log.entries().items.first)
      #expect(stored.path == "/hooks/***")
      #expect(stored.waitReason == "said Bearer *** ")
    }
  }

  @Test func batchesAreAnnouncedToLiveViewsOnce() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.monitoring) { base in
      let database = InterposedDatabase(base) { number in
        if number == 1 { throw StorageError.unavailable("busy") }
      }
      let monitored = Monitored(database)
      let updates = try monitored.live.subscribe()
      monitored.record(2)
      monitored.log.webhookReceived("slack")
      await #expect(throws: StorageError.self) { try await monitored.log.flush() }
      try await monitored.log.flush()
      monitored.live.finish()
      let names = await updates.reduce(into: [String]()) {
        $0.append("\($1.name) \($1.integration)")
      }
      #expect(names.sorted() == ["call stripe", "call stripe", "health slack", "health stripe"])
    }
  }
}
