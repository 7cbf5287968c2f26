import HTTPTypes
import Logging
import NIOCore
import Synchronization
import Testing

@testable import Fairlead

@Suite struct SyncEngineTests {
  static let model = "calendar_events"

  private func withCalendar(
    _ engine: TestEngine, events: Int = 20, settings: SyncSettings = SyncSettings(),
    _ body: (SyncWorld, CalendarProvider, SyncID) async throws -> Void
  ) async throws {
    let provider = CalendarProvider()
    for number in 0..<events { provider.put("e\(number)", "title \(number)") }
    try await SyncWorld.with(
      engine, [try SyncSamples.integration(SyncSamples.calendar)], transport: provider,
      settings: settings
    ) { world in
      try await world.schedule()
      try await body(world, provider, try await world.only(Self.model).id)
    }
  }

  @Test(arguments: TestEngine.all)
  func aNewConnectionIsReadInFullAtOnceAndThenFollowsChanges(engine: TestEngine) async throws {
    try await withCalendar(engine, events: 450) { world, provider, id in
      provider.state.withLock { $0.pageSize = 300 }
      try await world.drain()
      var consumer = SyncConsumer(model: Self.model)
      try await consumer.readAll(from: world.syncs)
      #expect(consumer.records.count == 450)
      let first = try await world.syncs.sync(id)
      #expect(first.lastRun?.kind == .full && first.lastRun?.trigger == .first)
      #expect(first.lastRun?.counts.added == 450 && first.records == 450)
      #expect(first.lastSyncedAt != nil && first.run == nil && first.error == nil)

      provider.put("e1", "edited")
      provider.put("e2", "edited")
      provider.put("new", "added")
      provider.cancel("e3")
      try await world.syncs.trigger(id)
      try await world.drain()
      consumer.changes = []
      try await consumer.readAll(from: world.syncs)
      #expect(
        Dictionary(uniqueKeysWithValues: consumer.changes.map { ($0.id, $0.change) })
          == ["e1": .updated, "e2": .updated, "new": .added, "e3": .deleted])
      let second = try await world.syncs.sync(id)
      #expect(second.lastRun?.kind == .incremental && second.lastRun?.trigger == .push)
      #expect(second.records == 450)

      // Nothing changed: nothing in the feed, however it is read.
      for kind in SyncRunKind.allCases {
        try await world.syncs.run(id, kind: kind)
        try await world.drain()
      }
      consumer.changes = []
      try await consumer.readAll(from: world.syncs)
      #expect(consumer.changes.isEmpty)
    }
  }

  @Test(arguments: TestEngine.all)
  func anExpiredTokenLeadsToAFullRunThatLosesNothing(engine: TestEngine) async throws {
    try await withCalendar(engine) { world, provider, id in
      try await world.drain()
      provider.cancel("e5")
      provider.expireTokens()
      try await world.syncs.trigger(id)
      try await world.drain()
      let sync = try await world.syncs.sync(id)
      #expect(sync.lastRun?.kind == .full && sync.lastRun?.trigger == .fallback)
      #expect(sync.lastRun?.counts.deleted == 1 && sync.records == 19)
    }
  }

  @Test(arguments: TestEngine.all)
  func anAlmostEmptyListDeletesNothingUntilAPersonSaysSo(engine: TestEngine) async throws {
    try await withCalendar(engine, events: 40) { world, provider, id in
      try await world.drain()
      for number in 0..<35 { provider.cancel("e\(number)") }
      // A full list does not show what was cancelled.
      try await world.syncs.run(id, kind: .full)
      try await world.drain()
      let guarded = try await world.syncs.sync(id)
      #expect(guarded.lastRun?.status == .failed && guarded.records == 40)
      #expect(guarded.error?.contains("35 would be deleted") == true)
      try await world.syncs.run(id, kind: .full, force: true)
      try await world.drain()
      #expect(try await world.syncs.sync(id).records == 5)
    }
  }

  @Test(arguments: TestEngine.all)
  func aPageThatRepeatsEndsTheRunAndDeletesNothing(engine: TestEngine) async throws {
    try await withCalendar(engine) { world, provider, id in
      try await world.drain()
      provider.fail(.samePage)
      provider.fail(.samePage)
      try await world.syncs.run(id, kind: .full)
      try await world.drain()
      let sync = try await world.syncs.sync(id)
      #expect(sync.lastRun?.status == .failed && sync.records == 20)
      #expect(sync.error?.contains("same page again") == true)
    }
  }

  @Test(arguments: TestEngine.all)
  func aTriggerDuringARunMakesExactlyOneMore(engine: TestEngine) async throws {
    try await withCalendar(engine) { world, _, id in
      try await world.drain()
      try await world.syncs.trigger(id)
      let job = try #require(try await world.claim())
      // Running: nobody else gets it, whatever is asked for.
      for _ in 0..<3 { try await world.syncs.trigger(id) }
      #expect(try await world.claim() == nil)
      _ = try await world.syncs.engine.handle(job)
      // What was asked for before it began is served by it.
      #expect(try await world.claim() == nil)

      try await world.syncs.trigger(id)
      let second = try #require(try await world.claim())
      let syncs = world.syncs
      let engine = SyncEngine(
        database: syncs.database, queue: syncs.queue, clock: syncs.clock, random: syncs.random,
        logger: syncs.logger, source: syncs.engine.source,
        context: { row, source in
          // Now it runs.
          for _ in 0..<3 { try await syncs.trigger(row.id) }
          return try await syncs.engine.context(row, source)
        })
      _ = try await engine.handle(second)
      #expect(try await world.work())
      #expect(try await world.work() == false)
    }
  }

  @Test(arguments: TestEngine.all)
  func aProcessThatLostItsClaimWritesNothingMore(engine: TestEngine) async throws {
    try await withCalendar(engine) { world, provider, id in
      let job = try #require(try await world.claim())
      let syncs = world.syncs
      let zombie = SyncEngine(
        database: syncs.database, queue: syncs.queue, clock: syncs.clock, random: syncs.random,
        logger: syncs.logger, source: syncs.engine.source,
        context: { row, source in
          // It hangs here until another has done everything.
          let context = try await syncs.engine.context(row, source)
          world.clock.advance(by: SyncWorld.lease + .seconds(1))
          try await world.drain()
          provider.put("e0", "later")
          return context
        })
      _ = try await zombie.handle(job)
      let sync = try await world.syncs.sync(id)
      #expect(sync.records == 20 && sync.lastRun?.counts.added == 20 && sync.run == nil)
      let records = try await world.records(Self.model)
      #expect(records["e0"]?["summary"] == "title 0")
    }
  }

  @Test(arguments: TestEngine.all)
  func pausingStopsAndResumingCatchesUp(engine: TestEngine) async throws {
    try await withCalendar(engine) { world, provider, id in
      try await world.drain()
      #expect(try await world.syncs.pause(id).state == .paused)
      provider.put("e0", "edited")
      try await world.syncs.trigger(id)
      world.clock.advance(by: .seconds(86_400 * 8))
      try await world.schedule()
      #expect(try await world.work() == false)
      await #expect(throws: FairleadError.self) { try await world.syncs.run(id) }
      try await world.syncs.resume(id)
      try await world.drain()
      #expect(try await world.records(Self.model)["e0"]?["summary"] == "edited")
    }
  }

  @Test(arguments: TestEngine.all)
  func resettingTellsConsumersAndStartsOver(engine: TestEngine) async throws {
    try await withCalendar(engine, events: 250) { world, provider, id in
      provider.state.withLock { $0.pageSize = 100 }
      try await world.drain()
      var consumer = SyncConsumer(model: Self.model)
      try await consumer.readAll(from: world.syncs)
      for number in 0..<240 { provider.cancel("e\(number)") }
      try await world.syncs.reset(id)
      try await world.drain()
      try await consumer.readAll(from: world.syncs)
      #expect(consumer.records.count == 10)
      #expect(try await world.syncs.sync(id).records == 10)
    }
  }

  @Test(arguments: TestEngine.all)
  func aRunThatCannotReachTheProviderIsTriedAgainAndThenGivenUp(engine: TestEngine) async throws {
    try await withCalendar(engine) { world, provider, id in
      for _ in 0..<SyncRun.maximumFailures { provider.fail(.busy) }
      try await world.work()
      let waiting = try await world.syncs.sync(id)
      #expect(waiting.run != nil && waiting.error != nil && waiting.lastRun == nil)
      #expect(try await world.work() == false)
      for _ in 1..<SyncRun.maximumFailures {
        world.clock.advance(by: .seconds(1_000))
        try await world.work()
      }
      let failed = try await world.syncs.sync(id)
      #expect(failed.lastRun?.status == .failed && failed.run == nil && failed.records == 0)
      try await world.syncs.run(id)
      try await world.drain()
      #expect(try await world.syncs.sync(id).records == 20)
    }
  }

  @Test(arguments: TestEngine.all)
  func timesThatWereMissedComeOnce(engine: TestEngine) async throws {
    try await withCalendar(engine) { world, provider, id in
      try await world.drain()
      let before = provider.state.withLock { $0.calls }
      world.clock.advance(by: .seconds(6 * 3_600))
      try await world.schedule()
      try await world.schedule()
      try await world.drain()
      let after = provider.state.withLock { $0.calls }
      #expect(after - before == 1)
      let sync = try await world.syncs.sync(id)
      #expect(sync.lastRun?.trigger == .schedule)
      #expect(try #require(sync.nextRunAt) > world.clock.now)
    }
  }

  @Test(arguments: TestEngine.all)
  func theSettingsChangeWhatIsDeclared(engine: TestEngine) async throws {
    var model = SyncSettings.Model()
    model.params = ["calendar": "team@example.com"]
    model.incremental = .some(nil)
    model.full = try Cron("@hourly")
    let transport = ListTransport()
    try await SyncWorld.with(
      engine, [try SyncSamples.integration(SyncSamples.calendar)], transport: transport,
      settings: SyncSettings(models: ["google": [Self.model: model]])
    ) { world in
      try await world.schedule()
      try await world.drain()
      let path = try #require(transport.urls.first)
      #expect(path.contains("/calendars/team%40example.com/events?"))
      #expect(path.contains("maxResults=2500") && path.contains("singleEvents=false"))
      let sync = try await world.only(Self.model)
      #expect(sync.nextRunAt == sync.nextFullAt)
      #expect(try #require(sync.nextFullAt) - world.clock.now <= .seconds(3_900))
    }
    model.isEnabled = false
    try await SyncWorld.with(
      engine, [try SyncSamples.integration(SyncSamples.calendar)], transport: transport,
      settings: SyncSettings(models: ["google": [Self.model: model]])
    ) { world in
      try await world.schedule()
      #expect(try await world.syncs.list().items.isEmpty)
    }
  }
}

/// Answers with an empty list and remembers what it was asked.
final class ListTransport: Transport {
  private let asked = Mutex<[String]>([])
  var urls: [String] { asked.withLock { $0 } }

  func send(_ request: TransportRequest, timeout: Duration) async throws -> TransportResponse {
    asked.withLock { $0.append(request.url) }
    return TransportResponse(
      status: 200, headers: [:],
      body: BodyStream {
        let left = Mutex<ByteBuffer?>(ByteBuffer(string: #"{"items":[]}"#))
        return { left.withLock { $0.take() } }
      })
  }
}
