import Fairlead
import FairleadTesting
import Testing

@Suite struct VaultCheckTests {
  private static func vault(_ keys: (id: String, fill: UInt8)...) throws -> Vault {
    let entries = keys.map { "\($0.id):\([UInt8](repeating: $0.fill, count: 32).base64)" }
    return Vault(keyRing: try KeyRing(parsing: Secret(entries.joined(separator: ","))))
  }

  private static func rows(_ database: any Database) async throws -> [[SQLValue]] {
    try await database.read {
      try $0.query("SELECT * FROM vault_check ORDER BY key_id").map(\.values)
    }
  }

  @Test(arguments: TestEngine.all)
  func theSameKeyPassesAtEveryStart(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.vault) { database in
      try await VaultCheck.enroll(Self.vault(("k1", 1)), in: database, clock: ManualClock())
      let before = try await Self.rows(database)
      #expect(before.count == 1)
      try await VaultCheck.enroll(Self.vault(("k1", 1)), in: database, clock: ManualClock())
      try await VaultCheck.verify(Self.vault(("k1", 1)), in: database)
      #expect(try await Self.rows(database) == before)
    }
  }

  @Test(arguments: TestEngine.all)
  func aWrongKeyIsRefusedAndNothingIsWritten(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.vault) { base in
      try await VaultCheck.enroll(Self.vault(("k1", 1)), in: base, clock: ManualClock())
      let database = InterposedDatabase(base)
      for (vault, words) in [
        (try Self.vault(("k1", 2)), "is not the one this database was sealed with"),
        (try Self.vault(("k2", 2)), "vault key k1, which is not among"),
        (try Self.vault(("k2", 1)), "vault key k1, which is not among"),
      ] {
        let error = await #expect(throws: FairleadError.self) {
          try await VaultCheck.enroll(vault, in: database, clock: ManualClock())
        }
        #expect(error?.code == .configurationError)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
      }
      #expect(database.writes == 0)
    }
  }

  @Test(arguments: TestEngine.all)
  func aRotatedRingNeedsTheOldKeyUntilItIsRetired(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.vault) { database in
      let clock = ManualClock()
      try await VaultCheck.enroll(Self.vault(("k1", 1)), in: database, clock: clock)
      try await VaultCheck.enroll(Self.vault(("k2", 2), ("k1", 1)), in: database, clock: clock)
      #expect(try await Self.rows(database).map(\.first) == ["k1", "k2"])
      await #expect(throws: FairleadError.self) {
        try await VaultCheck.verify(Self.vault(("k2", 2)), in: database)
      }
      try await database.write { try VaultCheck.retire("k1", in: $0) }
      try await VaultCheck.verify(Self.vault(("k2", 2)), in: database)
    }
  }

  @Test(arguments: TestEngine.all)
  func aNewDatabasePassesBeforeItsFirstMigration(engine: TestEngine) async throws {
    try await engine.withDatabase { database in
      try await VaultCheck.verify(Self.vault(("k1", 1)), in: database)
    }
  }

  @Test func startersAtOnceWithTheSameKeyAgree() async throws {
    try await TestEngine.sqliteFile.withDatabase(migrations: Migration.vault) { database in
      try await withThrowingTaskGroup { group in
        for _ in 0..<8 {
          group.addTask {
            try await VaultCheck.enroll(Self.vault(("k1", 1)), in: database, clock: ManualClock())
          }
        }
        try await group.waitForAll()
      }
      #expect(try await Self.rows(database).count == 1)
    }
  }
}
