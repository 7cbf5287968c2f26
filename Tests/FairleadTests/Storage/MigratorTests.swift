import Fairlead
import FairleadTesting
import Testing

@Suite struct MigratorTests {
  private static func migration(_ name: String) -> Migration {
    Migration(name: name) { _ in ["CREATE TABLE t\(name) (id BIGINT)"] }
  }

  @Test(arguments: TestEngine.all)
  func appliesWhatIsMissingOnceInTheOrderOfNames(engine: TestEngine) async throws {
    let clock = ManualClock()
    try await engine.withDatabase { database in
      let first = try await Migrator.apply(
        [Self.migration("020"), Self.migration("010")], to: database, clock: clock)
      #expect(first == ["010", "020"])
      let second = try await Migrator.apply(
        [Self.migration("010"), Self.migration("015"), Self.migration("020")], to: database,
        clock: clock)
      #expect(second == ["015"])
      #expect(try await Migrator.applied(in: database) == ["010", "015", "020"])
    }
  }

  @Test(arguments: TestEngine.all)
  func aMigrationThatFailsLeavesNothingOfItself(engine: TestEngine) async throws {
    try await engine.withDatabase { database in
      let broken = Migration(name: "020") { _ in ["CREATE TABLE half (id BIGINT)", "nonsense"] }
      await #expect(throws: StorageError.self) {
        try await Migrator.apply(
          [Self.migration("010"), broken], to: database, clock: ManualClock())
      }
      #expect(try await Migrator.applied(in: database) == ["010"])
      // Had the table stayed, this would fail.
      try await database.write { _ = try $0.execute("CREATE TABLE half (id BIGINT)") }
    }
  }

  @Test(arguments: TestEngine.all)
  func refusesADatabaseOfANewerVersionAndWritesNothing(engine: TestEngine) async throws {
    let clock = ManualClock()
    try await engine.withDatabase { database in
      try await Migrator.apply([Self.migration("099_future")], to: database, clock: clock)
      let error = await #expect(throws: FairleadError.self) {
        try await Migrator.apply([Self.migration("010")], to: database, clock: clock)
      }
      #expect(error?.code == .configurationError)
      #expect(error?.message.contains("099_future") == true)
      #expect(try await Migrator.applied(in: database) == ["099_future"])
    }
  }

  @Test(arguments: TestEngine.all)
  func severalStartersAtOnceApplyEachOnce(engine: TestEngine) async throws {
    let migrations = (10..<30).map { Self.migration("0\($0)") }
    try await engine.withDatabase { database in
      let applied = try await withThrowingTaskGroup { group in
        for _ in 0..<8 {
          group.addTask {
            try await Migrator.apply(migrations, to: database, clock: ManualClock())
          }
        }
        return try await group.reduce(into: [String]()) { $0 += $1 }
      }
      #expect(applied.sorted() == migrations.map(\.name))
    }
  }

  @Test func refusesTwoMigrationsOfOneName() async throws {
    try await TestEngine.sqliteMemory.withDatabase { database in
      await #expect(throws: StorageError.self) {
        try await Migrator.apply(
          [Self.migration("010"), Self.migration("010")], to: database, clock: ManualClock())
      }
    }
  }
}
