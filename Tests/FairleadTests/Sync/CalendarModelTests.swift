import Synchronization
import Testing

@testable import Fairlead

/// The calendar under everything that may happen to it: edits, deletions, expired tokens at any page,
/// failures, pushes, processes that are killed between any two transactions. In the end the records
/// are the provider's, and so is what a consumer made of the change feed.
@Suite struct CalendarModelTests {
  static let model = "calendar_events"

  @Test(arguments: TestEngine.all)
  func theRecordsEndAsTheProviderHasThem(engine: TestEngine) async throws {
    let rounds = 250
    for seed in 1...UInt64(rounds) { try await round(engine, seed: seed) }
  }

  private func round(_ engine: TestEngine, seed: UInt64) async throws {
    let provider = CalendarProvider(seed: seed)
    let random = RandomSource(seed: seed &* 31 &+ 5)
    func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    try await SyncWorld.with(
      engine, [try SyncSamples.integration(SyncSamples.calendar)], transport: provider, seed: seed
    ) { world in
      for number in 0..<below(12) { provider.put("e\(number)", "first") }
      try await world.schedule()
      let id = try await world.only(Self.model).id
      var consumer = SyncConsumer(model: Self.model)
      for step in 0..<40 {
        switch below(12) {
        case 0...2: provider.put("e\(below(25))", "step \(step)")
        case 3: provider.cancel("e\(below(25))")
        case 4:
          for _ in 0..<below(4) { provider.cancel("e\(below(25))") }
        case 5:
          if below(3) == 0 {
            provider.expireTokens()
          } else {
            provider.fail(
              CalendarProvider.Fault.allCases[below(CalendarProvider.Fault.allCases.count)])
          }
        case 6: try await world.syncs.trigger(id)
        case 7:
          world.clock.advance(by: .seconds(Int64(below(3_600))))
          if below(20) == 0 { world.clock.advance(by: .seconds(8 * 86_400)) }
          try await world.schedule()
        case 8:
          if below(3) == 0 { try await world.syncs.run(id, kind: below(2) == 0 ? .full : nil) }
        case 9: try await consumer.read(from: world.syncs, limit: 1 + below(4))
        default: try await work(world, kill: below(3) == 0 ? below(6) : nil, commits: below(2) == 0)
        }
        try await check(world, provider, seed, step)
      }
      try await settle(world, id, provider, seed)
      try await consumer.readAll(from: world.syncs, limit: 1 + below(5))
      let titles = consumer.records.mapValues { $0["summary"]?.string ?? "" }
      #expect(titles == provider.live, "seed \(seed): the consumer has something else")
      #expect(
        try await world.only(Self.model).records == provider.live.count, "seed \(seed): miscounted")
    }
  }

  /// Runs a job, and kills the process in it perhaps.
  private func work(_ world: SyncWorld, kill: Int?, commits: Bool) async throws {
    guard let job = try await world.claim() else { return }
    if let kill { world.database.killAfter(kill, commits: commits) }
    do {
      _ = try await world.syncs.engine.handle(job)
      world.database.revive()
    } catch {
      guard world.database.isDead else { throw error }
      world.database.revive()
      // The lease of the dead process runs out.
      world.clock.advance(by: SyncWorld.lease + .seconds(1))
    }
  }

  /// At no time is anything deleted that the provider did not delete.
  private func check(
    _ world: SyncWorld, _ provider: CalendarProvider, _ seed: UInt64, _ step: Int
  ) async throws {
    let tombstones = try await world.database.read { sql in
      try sql.query("SELECT record_id FROM records WHERE data IS NULL").map { try $0.text(0) }
    }
    let cancelled = provider.state.withLock { $0.everCancelled }
    #expect(
      tombstones.allSatisfy(cancelled.contains),
      "seed \(seed), step \(step): deleted without the provider's word")
  }

  /// Lets everything come to its end without further trouble.
  private func settle(
    _ world: SyncWorld, _ id: SyncID, _ provider: CalendarProvider, _ seed: UInt64
  ) async throws {
    provider.heal()
    for _ in 0..<8 {
      world.clock.advance(by: .seconds(1_200))
      try await world.drain()
    }
    try await world.syncs.trigger(id)
    try await world.drain()
    var sync = try await world.syncs.sync(id)
    if sync.lastRun?.status != .succeeded {
      // The guard was right to ask.
      #expect(sync.lastRun?.error?.contains("would be deleted") == true, "seed \(seed)")
      try await world.syncs.run(id, kind: .full, force: true)
      try await world.drain()
      sync = try await world.syncs.sync(id)
    }
    #expect(sync.lastRun?.status == .succeeded && sync.run == nil, "seed \(seed)")
    let titles = try await world.records(Self.model).mapValues { $0["summary"]?.string ?? "" }
    #expect(titles == provider.live, "seed \(seed): the records differ")
  }
}
