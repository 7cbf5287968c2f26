import FairleadPostgres
import FairleadTesting
import Testing

@testable import Fairlead

/// The stores on two nodes at once.
@Suite(.enabled(if: PostgresServer.url != nil)) struct PostgresNodesTests {
  private func withNodes(
    _ body: (PostgresDatabase, PostgresDatabase) async throws -> Void
  ) async throws {
    try await PostgresServer.withSchema { url in
      let first = try await PostgresDatabase.open(url)
      let second = try await PostgresDatabase.open(url)
      let result: Result<Void, any Error>
      do {
        try await Migrator.apply(Fairlead.migrations, to: first, clock: SystemClock())
        try await body(first, second)
        result = .success(())
      } catch { result = .failure(error) }
      try await first.close()
      try await second.close()
      try result.get()
    }
  }

  @Test func bothMayStartOnAnEmptyDatabase() async throws {
    try await PostgresServer.withSchema { url in
      let applied = try await withThrowingTaskGroup { group in
        for _ in 0..<4 {
          group.addTask {
            let database = try await PostgresDatabase.open(url)
            let applied = try await Migrator.apply(
              Fairlead.migrations, to: database, clock: SystemClock())
            try await database.close()
            return applied
          }
        }
        return try await group.reduce(into: [String]()) { $0 += $1 }
      }
      #expect(applied.sorted() == Fairlead.migrations.map(\.name).sorted())
    }
  }

  @Test func noJobIsClaimedTwice() async throws {
    try await withNodes { first, second in
      let clock = ManualClock()
      let queues = [first, second].map { JobQueue(database: $0, clock: clock) }
      try await queues[0].enqueue(
        (0..<400).map { NewJob(kind: "work", payload: "\($0)", runAt: clock.now) })
      let claimed = try await withThrowingTaskGroup { group in
        for worker in 0..<8 {
          group.addTask {
            var claimed: [JobID] = []
            while true {
              let jobs = try await queues[worker % 2].claim(
                JobQueue.ClaimOrder(
                  kinds: ["work"], handled: ["work"], slots: 7, lease: .seconds(60),
                  maximumCrashes: 3))
              if jobs.isEmpty { return claimed }
              #expect(jobs.count <= 7)
              claimed += jobs.map(\.id)
            }
          }
        }
        return try await group.reduce(into: [JobID]()) { $0 += $1 }
      }
      #expect(claimed.count == 400)
      #expect(Set(claimed).count == 400)
    }
  }

  @Test func aJobWithAKeyIsThereOnceWhoeverEnqueuesIt() async throws {
    try await withNodes { first, second in
      let clock = ManualClock()
      let queues = [first, second].map { JobQueue(database: $0, clock: clock) }
      try await withThrowingTaskGroup { group in
        for number in 0..<20 {
          group.addTask {
            try await queues[number % 2].enqueue(
              (0..<5).map {
                NewJob(kind: "work", payload: "x", runAt: clock.now, key: "key \($0)")
              })
          }
        }
        try await group.waitForAll()
      }
      #expect(try await queues[0].counts().pending == 5)
    }
  }
}
