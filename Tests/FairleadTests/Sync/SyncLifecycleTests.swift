import Synchronization
import Testing

@testable import Fairlead

/// Syncs come and go with their connections.
@Suite struct SyncLifecycleTests {
  static let model = "calendar_events"

  private func withOwners(
    _ engine: TestEngine, events: Int = 3,
    _ body: (SyncWorld, CalendarProvider) async throws -> Void
  ) async throws {
    let provider = CalendarProvider()
    for number in 0..<events { provider.put("e\(number)", "title") }
    var google = try SyncSamples.integration(SyncSamples.calendar)
    google.defaultCredential = nil
    try await SyncWorld.with(engine, [google], transport: provider) { try await body($0, provider) }
  }

  private func connect(_ world: SyncWorld, _ owner: Owner) async throws -> ConnectionID {
    try await world.fairlead.connections.create(
      NewConnection(
        integration: "google", owner: owner,
        credential: .apiKey(key: Secret("key-\(owner)"), secret: nil))
    ).id
  }

  @Test(arguments: TestEngine.all)
  func everyConnectionHasItsOwnSync(engine: TestEngine) async throws {
    try await withOwners(engine) { world, _ in
      let first = try await connect(world, "u1")
      let second = try await connect(world, "u2")
      // However many nodes look.
      for _ in 0..<3 { try await world.schedule() }
      try await world.drain()
      let all = try await world.syncs.list().items
      #expect(Set(all.map(\.connection)) == [first, second] && all.count == 2)
      #expect(all.allSatisfy { $0.records == 3 && $0.lastRun?.trigger == .first })
      #expect(
        try await world.syncs.list(SyncFilter(owner: "u2")).items.map(\.connection) == [second])
      let summaries = try await world.syncs.summaries(of: [first, second])
      #expect(summaries[first]?.lastSyncedAt != nil && summaries[first]?.isRunning == false)

      var one = SyncConsumer(model: Self.model)
      one.connection = first
      try await one.readAll(from: world.syncs)
      #expect(one.changes.count == 3 && one.changes.allSatisfy { $0.connection == first })
    }
  }

  @Test(arguments: TestEngine.all)
  func aConnectionThatIsGoneTakesItsRecordsAlong(engine: TestEngine) async throws {
    try await withOwners(engine, events: 450) { world, provider in
      provider.state.withLock { $0.pageSize = 300 }
      let gone = try await connect(world, "u1")
      let kept = try await connect(world, "u2")
      try await world.schedule()
      try await world.drain()
      var consumer = SyncConsumer(model: Self.model)
      consumer.connection = gone
      try await consumer.readAll(from: world.syncs)
      #expect(consumer.records.count == 450)
      _ = try await world.fairlead.connections.disconnect(gone)
      try await world.schedule()
      #expect(try await world.syncs.list().items.map(\.connection) == [kept])
      try await world.drain()
      try await consumer.readAll(from: world.syncs)
      #expect(consumer.records.isEmpty)
      let rows = try await world.database.read {
        try $0.query("SELECT connection FROM syncs").map { try $0.text(0) }
      }
      #expect(rows == [kept.rawValue])
      #expect(try await world.syncs.list().items.first?.records == 450)
    }
  }

  @Test(arguments: TestEngine.all)
  func aConnectionThatNeedsItsOwnerBlocksUntilItIsBack(engine: TestEngine) async throws {
    try await withOwners(engine) { world, provider in
      let id = try await connect(world, "u1")
      try await world.schedule()
      try await world.drain()
      try await world.fairlead.connections.grantDied(of: id, version: 1, reason: "It was revoked.")
      let sync = try await world.only(Self.model)
      // Even before the scheduler looks, a run finds out by itself and deletes nothing.
      try await world.syncs.trigger(sync.id)
      try await world.drain()
      try await world.schedule()
      let blocked = try await world.syncs.sync(sync.id)
      #expect(blocked.state == .blocked && blocked.records == 3 && blocked.nextRunAt == nil)
      #expect(blocked.error?.contains("revoked") == true)
      await #expect(throws: FairleadError.self) { try await world.syncs.run(sync.id) }
      provider.put("e9", "new")
      #expect(try await connect(world, "u1") == id)
      try await world.schedule()
      try await world.drain()
      let active = try await world.syncs.sync(sync.id)
      #expect(active.state == .active && active.records == 4 && active.error == nil)
    }
  }

  @Test(arguments: TestEngine.all)
  func aJobThatWentMissingComesBack(engine: TestEngine) async throws {
    try await withOwners(engine) { world, _ in
      _ = try await connect(world, "u1")
      try await world.schedule()
      _ = try await world.database.write { try $0.execute("DELETE FROM jobs") }
      try await world.schedule()
      try await world.drain()
      #expect(try await world.only(Self.model).records == 3)
    }
  }

  @Test(arguments: TestEngine.all)
  func aRunThatCrashesEveryTimeIsGivenUpAndSaysSo(engine: TestEngine) async throws {
    try await withOwners(engine) { world, _ in
      _ = try await connect(world, "u1")
      try await world.schedule()
      let job = try #require(try await world.claim())
      _ = try await world.database.write { sql in
        _ = try world.fairlead.queue.settle(job, .dead(error: "crashes"), in: sql)
        try world.fairlead.jobDeath(job, "It crashed 20 times.", sql)
      }
      try await world.schedule()
      #expect(try await world.work() == false)
      let sync = try await world.only(Self.model)
      #expect(sync.run == nil && sync.error == "It crashed 20 times.")
      try await world.syncs.run(sync.id)
      try await world.drain()
      #expect(try await world.only(Self.model).records == 3)
    }
  }

  @Test(arguments: TestEngine.all)
  func aSyncWrittenInSwiftIsRunLikeADeclaredOne(engine: TestEngine) async throws {
    struct Numbers: SyncSource {
      let integration: IntegrationName = "google"
      let model = "numbers"
      var isIncremental: Bool { false }

      func page(_ request: SyncPageRequest, _ context: SyncContext) async throws -> SyncPage {
        let number = request.cursor.flatMap { Int($0) } ?? 0
        return SyncPage(
          [.upsert(SyncRecord(id: "n\(number)", data: .int(Int64(number))))],
          nextCursor: number < 4 ? String(number + 1) : nil)
      }
    }
    try await withOwners(engine) { world, _ in
      world.syncs.register(Numbers())
      _ = try await connect(world, "u1")
      try await world.schedule()
      try await world.drain()
      #expect(try await world.records("numbers").count == 5)
      let sync = try await world.only("numbers")
      #expect(sync.nextRunAt == sync.nextFullAt && sync.lastRun?.counts.pages == 5)
    }
  }
}
