import Fairlead
import FairleadPostgres
import FairleadSQLite
import Foundation
import Synchronization

/// The storage engines that every store's suite runs on.
///
///     @Test(arguments: TestEngine.all)
///     func keepsWhatItWasGiven(engine: TestEngine) async throws {
///       try await engine.withDatabase(migrations: Migration.jobs) { database in … }
///     }
///
/// PostgreSQL is the server that `FAIRLEAD_TEST_POSTGRES` names by URL; `bin/test` starts one.
enum TestEngine: String, Sendable, CaseIterable, CustomStringConvertible {
  case sqliteFile
  case sqliteMemory
  case postgres

  static let all: [TestEngine] = {
    if PostgresServer.url != nil { return allCases }
    FileHandle.standardError.write(
      Data("FAIRLEAD_TEST_POSTGRES is not set: the stores are tested on SQLite only\n".utf8))
    return [.sqliteFile, .sqliteMemory]
  }()

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
    case .postgres:
      try await PostgresServer.withSchema { url in
        try await use(PostgresDatabase.open(url), migrations, clock, body)
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

/// The PostgreSQL server of the tests.
enum PostgresServer {
  /// `nil` where there is none.
  static let url: String? = ProcessInfo.processInfo.environment["FAIRLEAD_TEST_POSTGRES"]

  private static let turnstile = PostgresPlaces(places: 24)
  private static let administration = Mutex<PostgresDatabase?>(nil)

  /// Gives `body` the URL of a new schema and drops it afterwards: a database of its own as far as
  /// Fairlead can tell, and made in milliseconds.
  static func withSchema<Output>(_ body: (Secret) async throws -> Output) async throws -> Output {
    guard let url else { throw StorageError.unavailable("FAIRLEAD_TEST_POSTGRES is not set") }
    let schema = "test_\(UUID().uuidString.lowercased().replacing("-", with: ""))"
    // Suites run side by side, and a server has only so many connections.
    await turnstile.enter()
    do {
      let server = try await administrator(url)
      try await server.write(.locking) { _ = try $0.execute("CREATE SCHEMA \(schema)") }
      let result: Result<Output, any Error>
      do {
        result = .success(
          try await body(Secret(with("options=-c%20search_path%3D\(schema)&pool=8", url))))
      } catch { result = .failure(error) }
      try await server.write(.locking) { _ = try $0.execute("DROP SCHEMA \(schema) CASCADE") }
      turnstile.leave()
      return try result.get()
    } catch {
      turnstile.leave()
      throw error
    }
  }

  /// `url` with further parameters.
  static func with(_ parameters: String, _ url: String) -> String {
    url + (url.contains("?") ? "&" : "?") + parameters
  }

  /// One for all tests; the process ends with it open.
  private static func administrator(_ url: String) async throws -> PostgresDatabase {
    if let known = administration.withLock({ $0 }) { return known }
    let opened = try await PostgresDatabase.open(Secret(with("pool=8", url)))
    return administration.withLock { known in
      if known == nil { known = opened }
      return known ?? opened
    }
  }
}

/// Lets so many through at once.
private final class PostgresPlaces: Sendable {
  private let state: Mutex<(places: Int, waiting: [CheckedContinuation<Void, Never>])>

  init(places: Int) { state = Mutex((places, [])) }

  func enter() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        guard state.places > 0 else {
          state.waiting.append(continuation)
          return false
        }
        state.places -= 1
        return true
      }
      if isFree { continuation.resume() }
    }
  }

  func leave() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
      state.places += 1
      return nil
    }
    next?.resume()
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
