import Fairlead
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct MicroBatcherTests {
  private static let rows = Migration(name: "001_rows") { _ in
    ["CREATE TABLE rows (id BIGINT PRIMARY KEY)"]
  }

  private static func batcher(
    _ database: any Database, capacity: Int = 4_096, maximumBatch: Int = 128
  ) -> MicroBatcher<Int, String> {
    MicroBatcher(database: database, capacity: capacity, maximumBatch: maximumBatch) {
      try $0.execute("INSERT INTO rows (id) VALUES ($1)", [SQLValue($1)])
      return "stored \($1)"
    }
  }

  private static func storedIDs(_ database: any Database) async throws -> [Int64] {
    try await database.read {
      try $0.query("SELECT id FROM rows ORDER BY id").map { try $0.int(0) }
    }
  }

  /// Submits all items before the batcher runs, so that they share a batch, then runs it.
  private static func submitTogether(
    _ items: [Int], to batcher: MicroBatcher<Int, String>
  ) async throws -> [Int: Result<String, any Error>] {
    try await withThrowingTaskGroup(of: Void.self) { group in
      let outcomes = try await withThrowingTaskGroup(
        of: (Int, Result<String, any Error>).self
      ) { submitters in
        for (index, item) in items.enumerated() {
          submitters.addTask {
            do {
              return (index, .success(try await batcher.submit(item)))
            } catch {
              return (index, .failure(error))
            }
          }
          try await eventually { batcher.waiting == index + 1 }
        }
        group.addTask { try await batcher.run() }
        return try await submitters.reduce(into: [:]) { $0[$1.0] = $1.1 }
      }
      group.cancelAll()
      return outcomes
    }
  }

  @Test(arguments: TestEngine.all)
  func aThousandCallersShareCommits(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: [Self.rows]) { base in
      let database = InterposedDatabase(base)
      let batcher = Self.batcher(database)
      try await withThrowingTaskGroup(of: Void.self) { service in
        service.addTask { try await batcher.run() }
        try await withThrowingTaskGroup { submitters in
          for item in 0..<1_000 {
            submitters.addTask {
              let answer = try await batcher.submit(item)
              #expect(answer == "stored \(item)")
            }
          }
          try await submitters.waitForAll()
        }
        service.cancelAll()
      }
      #expect(try await Self.storedIDs(base) == Array(0..<1_000))
      // Eight full batches is the least there can be; one for each row would mean no sharing.
      #expect((8..<500).contains(database.writes), "\(database.writes) commits")
    }
  }

  @Test(arguments: TestEngine.all)
  func aBadRowFailsAloneAndItsNeighboursAreStoredOnce(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: [Self.rows]) { base in
      let database = InterposedDatabase(base)
      let outcomes = try await Self.submitTogether(
        [1, 2, 1, 3, 2, 4], to: Self.batcher(database))
      #expect(try await Self.storedIDs(base) == [1, 2, 3, 4])
      for index in [0, 1, 3, 5] { #expect(try outcomes[index]?.get().hasPrefix("stored") == true) }
      for index in [2, 4] {
        #expect {
          _ = try outcomes[index]?.get()
        } throws: {
          if case StorageError.uniqueViolation = $0 { true } else { false }
        }
      }
      #expect(database.writes == 2)
    }
  }

  @Test(arguments: TestEngine.all)
  func aStorageFailureFailsItsBatchAndNotTheNext(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: [Self.rows]) { base in
      let database = InterposedDatabase(base) { number in
        if number == 1 { throw StorageError.unavailable("disk full") }
      }
      let outcomes = try await Self.submitTogether(
        [1, 2, 3, 4], to: Self.batcher(database, maximumBatch: 3))
      for index in 0..<3 {
        #expect(throws: StorageError.unavailable("disk full")) { _ = try outcomes[index]?.get() }
      }
      #expect(try outcomes[3]?.get() == "stored 4")
      #expect(try await Self.storedIDs(base) == [4])
    }
  }

  @Test func aFullQueueRefusesAtOnce() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: [Self.rows]) { database in
      let batcher = Self.batcher(database, capacity: 2)
      await withThrowingTaskGroup(of: Void.self) { group in
        for item in 1...2 { group.addTask { _ = try await batcher.submit(item) } }
        await #expect(throws: StorageError.overloaded) {
          try await eventually { batcher.waiting == 2 }
          _ = try await batcher.submit(3)
        }
        group.cancelAll()
      }
      #expect(batcher.waiting == 0)
    }
  }

  @Test func aCallerCancelledWhileWaitingStoresNothing() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: [Self.rows]) { database in
      let batcher = Self.batcher(database)
      await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          await #expect(throws: CancellationError.self) { _ = try await batcher.submit(1) }
        }
        try? await eventually { batcher.waiting == 1 }
        group.cancelAll()
      }
      let outcomes = try await Self.submitTogether([2], to: batcher)
      #expect(try outcomes[0]?.get() == "stored 2")
      #expect(try await Self.storedIDs(database) == [2])
    }
  }

  @Test func aCallerCancelledDuringItsCommitGetsTheOutcome() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: [Self.rows]) { base in
      let gate = Gate()
      let database = InterposedDatabase(base) { _ in await gate.wait() }
      let batcher = Self.batcher(database)
      try await withThrowingTaskGroup(of: Void.self) { service in
        service.addTask { try await batcher.run() }
        try await withThrowingTaskGroup(of: String.self) { submitters in
          submitters.addTask { try await batcher.submit(1) }
          try await eventually { database.writes == 1 }
          submitters.cancelAll()
          gate.open()
          #expect(try await submitters.next() == "stored 1")
        }
        service.cancelAll()
      }
      #expect(try await Self.storedIDs(base) == [1])
    }
  }

  @Test func gracefulShutdownStoresWhatWasAcceptedAndRefusesTheRest() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: [Self.rows]) { base in
      let gate = Gate()
      let database = InterposedDatabase(base) { _ in await gate.wait() }
      let batcher = Self.batcher(database, maximumBatch: 2)
      try await testGracefulShutdown { trigger in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await batcher.run() }
          for item in 1...7 { group.addTask { _ = try await batcher.submit(item) } }
          try await eventually { database.writes == 1 && batcher.waiting >= 5 }
          trigger.triggerGracefulShutdown()
          try await eventually {
            do {
              _ = try await batcher.submit(1_000)
              return false
            } catch StorageError.unavailable { return true }
          }
          gate.open()
          // `run` returns by itself, and nobody who was accepted is refused.
          try await group.waitForAll()
        }
      }
      #expect(try await Self.storedIDs(base) == [1, 2, 3, 4, 5, 6, 7])
    }
  }

  @Test func cancellingTheServiceAnswersEveryone() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: [Self.rows]) { database in
      let batcher = Self.batcher(database)
      await withThrowingTaskGroup(of: Void.self) { service in
        service.addTask { try await batcher.run() }
        service.cancelAll()
      }
      await #expect(throws: StorageError.self) { _ = try await batcher.submit(1) }
    }
  }
}
