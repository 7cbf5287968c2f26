import FairleadTesting
import Logging
import Synchronization
import Testing

@testable import Fairlead

/// Time that runs ahead by itself over short waits, and never reaches a timeout.
final class SyncTestClock: FairleadClock {
  private let elapsed = Mutex<Duration>(.zero)
  private let start = Timestamp(seconds: 1_800_000_000)

  var uptime: Duration { elapsed.withLock { $0 } }
  var now: Timestamp { start + uptime }

  func advance(by duration: Duration) { elapsed.withLock { $0 += duration } }

  func sleep(for duration: Duration) async throws {
    try Task.checkCancellation()
    guard duration >= .seconds(10) else {
      advance(by: duration)
      await Task.yield()
      return
    }
    // A timeout: waits to be cancelled.
    try await Task.sleep(for: .seconds(3_600))
  }
}

/// A database whose process can be killed before or after one of its transactions.
final class KillableDatabase: Database {
  struct Killed: Error {}

  private struct State {
    /// How many writes are left, and whether the last of them is still committed.
    var fuse: (writes: Int, commits: Bool)?
    var isDead = false
  }

  private let base: any Database
  private let state = Mutex(State())

  init(_ base: any Database) { self.base = base }

  var dialect: Dialect { base.dialect }
  var isDead: Bool { state.withLock { $0.isDead } }

  func killAfter(_ writes: Int, commits: Bool) {
    state.withLock { $0.fuse = (writes, commits) }
  }

  func revive() { state.withLock { $0 = State() } }

  func read<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result {
    if isDead { throw Killed() }
    return try await base.read(body)
  }

  func write<Result: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result { try await write(.serializable, body) }

  func write<Result: Sendable>(
    _ isolation: WriteIsolation, _ body: @escaping @Sendable (any SQLConnection) throws -> Result
  ) async throws -> Result {
    let (isDead, diesAfter) = state.withLock { state -> (Bool, Bool) in
      if state.isDead { return (true, false) }
      guard let fuse = state.fuse else { return (false, false) }
      guard fuse.writes <= 0 else {
        state.fuse = (fuse.writes - 1, fuse.commits)
        return (false, false)
      }
      state.isDead = true
      return (!fuse.commits, fuse.commits)
    }
    if isDead { throw Killed() }
    let result = try await base.write(isolation, body)
    if diesAfter { throw Killed() }
    return result
  }

  func notifications(on channel: Channel) -> AsyncStream<DatabaseNotification> {
    base.notifications(on: channel)
  }

  func close() async throws { try await base.close() }
}

/// A deployment with one integration, driven step by step.
struct SyncWorld {
  static let lease = Duration.seconds(30)

  let fairlead: Fairlead
  let clock: SyncTestClock
  let database: KillableDatabase

  var syncs: Syncs { fairlead.syncs }

  static func with<Output>(
    _ engine: TestEngine, _ integrations: [Integration], transport: any Transport,
    settings: SyncSettings = SyncSettings(), seed: UInt64 = 7,
    _ body: (SyncWorld) async throws -> Output
  ) async throws -> Output {
    let clock = SyncTestClock()
    return try await engine.withDatabase(clock: clock) { base in
      let database = KillableDatabase(base)
      let fairlead = try await Fairlead(
        database: DatabaseSource { database },
        vault: .keys(Secret(try KeyRing.generate(id: "test"))), integrations: integrations,
        settings: Settings(syncs: settings), transport: transport, clock: clock,
        random: RandomSource(seed: seed),
        logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
      do {
        let output = try await body(
          SyncWorld(fairlead: fairlead, clock: clock, database: database))
        database.revive()
        try await fairlead.close()
        return output
      } catch {
        // The test's own error is the one to report.
        try? await fairlead.close()
        throw error
      }
    }
  }

  func schedule() async throws { try await SyncScheduler(syncs: syncs).pass() }

  func claim() async throws -> ClaimedJob? {
    try await fairlead.queue.claim(
      JobQueue.ClaimOrder(
        kinds: [SyncJob.kind], handled: [SyncJob.kind], slots: 1, lease: Self.lease,
        maximumCrashes: 1_000)
    ).first
  }

  /// Runs the next due job as a worker would; `false` when there is none.
  @discardableResult
  func work() async throws -> Bool {
    guard let job = try await claim() else { return false }
    let outcome = try await syncs.engine.handle(job)
    #expect(outcome == .settled)
    return true
  }

  /// Everything that is due now, and what follows from it.
  func drain() async throws {
    var rounds = 0
    while try await work() {
      rounds += 1
      try #require(rounds < 200)
    }
  }

  func only(_ model: String) async throws -> Sync {
    let all = try await syncs.list(SyncFilter(model: model))
    return try #require(all.items.first)
  }

  /// What is stored, by id.
  func records(_ model: String) async throws -> [String: JSONValue] {
    var consumer = SyncConsumer(model: model)
    try await consumer.readAll(from: syncs)
    return consumer.records
  }
}

/// Follows a change feed as an application would.
struct SyncConsumer {
  let model: String
  var connection: ConnectionID?
  var cursor: String?
  var records: [String: JSONValue] = [:]
  var versions: [Int64] = []
  var changes: [FeedRecord] = []

  init(model: String) { self.model = model }

  @discardableResult
  mutating func read(from syncs: Syncs, limit: Int = 100) async throws -> Bool {
    let page = try await syncs.records(
      model, connection: connection, cursor: cursor, limit: limit)
    for record in page.records {
      #expect(record.version > versions.last ?? 0)
      versions.append(record.version)
      switch record.change {
      case .deleted:
        #expect(records[record.id] != nil || cursor != nil)
        #expect(record.data == nil)
        records[record.id] = nil
      case .added, .updated: records[record.id] = record.data
      }
    }
    changes += page.records
    cursor = page.nextCursor
    return page.hasMore
  }

  mutating func readAll(from syncs: Syncs, limit: Int = 100) async throws {
    while try await read(from: syncs, limit: limit) {}
  }
}
