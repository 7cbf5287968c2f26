import Fairlead
import FairleadSQLite
import Foundation

/// The storage engines that every store's suite runs on.
///
///     @Test(arguments: TestEngine.all)
///     func keepsWhatItWasGiven(engine: TestEngine) async throws {
///       try await engine.withDatabase(migrations: Migration.jobs) { database in … }
///     }
enum TestEngine: String, Sendable, CaseIterable, CustomStringConvertible {
  case sqliteFile
  case sqliteMemory

  static var all: [TestEngine] { allCases }

  var description: String { rawValue }

  /// Gives `body` a fresh database with `migrations` applied, gone afterwards.
  @discardableResult
  func withDatabase<Output>(
    migrations: [Migration] = [], clock: any FairleadClock = SystemClock(),
    _ body: (any Database) async throws -> Output
  ) async throws -> Output {
    switch self {
    case .sqliteMemory:
      try await use(SQLiteDatabase.open(.memory), migrations, clock, body)
    case .sqliteFile:
      try await withTemporaryFolder { folder in
        try await use(SQLiteDatabase.open(.file("\(folder)/test.db")), migrations, clock, body)
      }
    }
  }

  private func use<Output>(
    _ database: any Database, _ migrations: [Migration], _ clock: any FairleadClock,
    _ body: (any Database) async throws -> Output
  ) async throws -> Output {
    do {
      try await Migrator.apply(migrations, to: database, clock: clock)
      let output = try await body(database)
      try await database.close()
      return output
    } catch {
      // The test's own error is the one to report.
      try? await database.close()
      throw error
    }
  }
}

/// Gives `body` the path of a new folder and removes it afterwards.
@discardableResult
func withTemporaryFolder<Output>(_ body: (String) async throws -> Output) async throws -> Output {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("fairlead-tests-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  // Leftovers of a failed removal are the system's to clean.
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try await body(folder)
}
