import Fairlead
import FairleadSQLite
import FairleadTesting
import Foundation
import Testing

/// What is SQLite's own: durability, the file and how a wrong one is refused.
@Suite struct SQLiteDatabaseTests {
  private static let known = Migration(name: "010_known") { _ in ["CREATE TABLE known (id BIGINT)"]
  }
  private static let future = Migration(name: "999_future") { _ in ["CREATE TABLE f (id BIGINT)"] }

  private static func pragma(_ name: String, _ database: SQLiteDatabase) async throws -> SQLValue? {
    // Through `write`, so that it is the writer's own setting.
    try await database.write { try $0.first("PRAGMA \(name)")?.values.first }
  }

  private static func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  @Test func theWriterCommitsDurably() async throws {
    try await withTemporaryFolder { folder in
      let database = try await SQLiteDatabase.open(path: "\(folder)/a.db")
      #expect(try await Self.pragma("synchronous", database) == 2)
      #expect(try await Self.pragma("journal_mode", database) == "wal")
      #expect(try await Self.pragma("foreign_keys", database) == 1)
      try await database.close()
    }
  }

  @Test func keepsWhatItHeldAcrossAReopen() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/a.db"
      let first = try await SQLiteDatabase.open(path: path)
      try await Migrator.apply([Self.known], to: first, clock: ManualClock())
      try await first.write { _ = try $0.execute("INSERT INTO known VALUES (7)") }
      try await first.close()
      #expect(!FileManager.default.fileExists(atPath: path + "-wal"), "the log was not emptied")

      let second = try await SQLiteDatabase.open(path: path, knownMigrations: [Self.known])
      #expect(try await second.read { try $0.first("SELECT id FROM known")?.int(0) } == 7)
      try await second.close()
    }
  }

  @Test func onlyTheOwnerMayReadItsFiles() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/a.db"
      let database = try await SQLiteDatabase.open(path: path)
      try await Migrator.apply([Self.known], to: database, clock: ManualClock())
      for file in [path, path + "-wal", path + "-shm"] {
        #expect(try Self.mode(file) == 0o600, "\(file)")
      }
      try await database.close()
    }
  }

  @Test func readersSeeACommitAsSoonAsItReturned() async throws {
    try await withTemporaryFolder { folder in
      let database = try await SQLiteDatabase.open(path: "\(folder)/a.db")
      try await Migrator.apply([Self.known], to: database, clock: ManualClock())
      for id in 1...50 {
        try await database.write {
          _ = try $0.execute("INSERT INTO known VALUES ($1)", [SQLValue(id)])
        }
        let count = try await database.read { try $0.first("SELECT COUNT(*) FROM known")?.int(0) }
        #expect(count == Int64(id))
      }
      try await database.close()
    }
  }

  @Test func severalOpenersOfANewFileShareIt() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/a.db"
      try await withThrowingTaskGroup { group in
        for number in 0..<6 {
          group.addTask {
            let database = try await SQLiteDatabase.open(path: path, knownMigrations: [Self.known])
            try await Migrator.apply([Self.known], to: database, clock: ManualClock())
            try await database.write {
              _ = try $0.execute("INSERT INTO known VALUES ($1)", [SQLValue(number)])
            }
            try await database.close()
          }
        }
        try await group.waitForAll()
      }
      let database = try await SQLiteDatabase.open(path: path)
      let ids = try await database.read {
        try $0.query("SELECT id FROM known ORDER BY id").map { try $0.int(0) }
      }
      #expect(ids == [0, 1, 2, 3, 4, 5])
      try await database.close()
    }
  }

  @Test func aFullDiskStoresAllOfATransactionOrNothing() async throws {
    try await withTemporaryFolder { folder in
      let database = try await SQLiteDatabase.open(path: "\(folder)/a.db")
      try await Migrator.apply([Self.known], to: database, clock: ManualClock())
      let pages = try await Self.pragma("page_count", database)
      guard case .integer(let count) = pages else {
        Issue.record("no page count")
        return
      }
      _ = try await Self.pragma("max_page_count = \(count + 2)", database)
      let fill = """
        INSERT INTO known SELECT value FROM (
          WITH RECURSIVE numbers (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers LIMIT 9999)
          SELECT value FROM numbers)
        """
      do {
        try await database.write { connection in
          try connection.execute("INSERT INTO known VALUES (1)")
          try connection.execute(fill)
        }
        Issue.record("the disk was not full")
      } catch StorageError.unavailable(let reason) {
        #expect(reason.contains("full"))
      }
      // A body that goes on after the failure has all it did stored, or none of it.
      let went: Void? = try? await database.write { connection in
        try connection.execute("INSERT INTO known VALUES (2)")
        _ = try? connection.execute(fill)
        try connection.execute("INSERT INTO known VALUES (3)")
      }
      let ids = try await database.read {
        try $0.query("SELECT id FROM known ORDER BY id").map { try $0.int(0) }
      }
      #expect(ids == (went == nil ? [] : [2, 3]))

      _ = try await Self.pragma("max_page_count = 1000000", database)
      try await database.write { _ = try $0.execute(fill) }
      try await database.close()
    }
  }

  // MARK: - Refusals

  private static func expectRefusal(
    _ path: String, saying words: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async {
    let error = await #expect(throws: FairleadError.self, sourceLocation: sourceLocation) {
      let database = try await SQLiteDatabase.open(path: path, knownMigrations: [known])
      try await database.close()
    }
    #expect(error?.code == .configurationError, sourceLocation: sourceLocation)
    #expect(
      error?.message.contains(words) == true, "\(error?.message ?? "")",
      sourceLocation: sourceLocation)
    #expect(error?.message.contains("\n") == false, sourceLocation: sourceLocation)
  }

  @Test func refusesAFolder() async throws {
    try await withTemporaryFolder { folder in
      await Self.expectRefusal(folder, saying: "is a folder")
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(files.isEmpty)
    }
  }

  @Test func refusesAFolderThatIsNotThere() async throws {
    try await withTemporaryFolder { folder in
      await Self.expectRefusal("\(folder)/missing/a.db", saying: "does not exist")
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(files.isEmpty)
    }
  }

  @Test(arguments: ["", "a\u{0}b"])
  func refusesAnEmptyPath(path: String) async {
    await Self.expectRefusal(path, saying: "FAIRLEAD_DATABASE")
  }

  @Test(arguments: [
    "id,name\n1,a\n", "SQLite format", "SQLite format 3", String(repeating: "x", count: 10_000),
  ])
  func refusesAFileThatIsNoDatabaseAndLeavesItAlone(content: String) async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/notes.csv"
      try Data(content.utf8).write(to: URL(fileURLWithPath: path))
      await Self.expectRefusal(path, saying: "is not a SQLite database")
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(content.utf8))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["notes.csv"])
    }
  }

  @Test func refusesADatabaseWithADamagedInside() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/a.db"
      let garbage = Data("SQLite format 3\u{0}".utf8) + Data(repeating: 0xAB, count: 8_192)
      try garbage.write(to: URL(fileURLWithPath: path))
      await Self.expectRefusal(path, saying: "damaged")
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == garbage)
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may open everything"))
  func refusesAFileItMayNotRead() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/a.db"
      _ = FileManager.default.createFile(
        atPath: path, contents: Data(), attributes: [.posixPermissions: 0])
      await Self.expectRefusal(path, saying: "cannot be opened")
    }
  }

  @Test func refusesTheFileOfANewerVersionWithoutTouchingIt() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/a.db"
      let database = try await SQLiteDatabase.open(path: path)
      try await Migrator.apply([Self.known, Self.future], to: database, clock: ManualClock())
      try await database.close()
      let before = try Data(contentsOf: URL(fileURLWithPath: path))
      await Self.expectRefusal(path, saying: "999_future")
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    }
  }
}
