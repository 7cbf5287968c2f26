import Fairlead
import FairleadPostgres
import Foundation
import Testing

@Suite(.enabled(if: PostgresServer.url != nil), .timeLimit(.minutes(1))) struct PostgresPoolTests {
  /// Gives `body` the URL of a user who may have `limit` connections.
  private func withUser(limit: Int, _ body: (Secret) async throws -> Void) async throws {
    let server = try #require(PostgresServer.url)
    let place = try #require(ServerPlace(server))
    let name = "test_\(UUID().uuidString.lowercased().replacing("-", with: ""))"
    try await PostgresServer.withSchema { url in
      let administrator = try await PostgresDatabase.open(url)
      try await administrator.write(.locking) {
        _ = try $0.execute("CREATE ROLE \(name) LOGIN PASSWORD 'word' CONNECTION LIMIT \(limit)")
      }
      let result: Result<Void, any Error>
      do {
        try await body(Secret("postgres://\(name):word@\(place.host)/\(place.database)?pool=8"))
        result = .success(())
      } catch { result = .failure(error) }
      try await administrator.write(.locking) { _ = try $0.execute("DROP ROLE \(name)") }
      try await administrator.close()
      try result.get()
    }
  }

  @Test func aServerWithNoConnectionLeftServesOnThoseThereAre() async throws {
    try await withUser(limit: 2) { url in
      let database = try await PostgresDatabase.open(url)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<60 {
          group.addTask { _ = try await database.read { try $0.query("SELECT pg_sleep(0.02)") } }
        }
        try await group.waitForAll()
      }
      try await database.close()
    }
  }

  @Test func whereNoConnectionIsToBeHadThatIsSaid() async throws {
    try await withUser(limit: 1) { url in
      let first = try await PostgresDatabase.open(url)
      let error = try await #require(throws: FairleadError.self) {
        _ = try await PostgresDatabase.open(url)
      }
      #expect(error.message.contains("max_connections"), "\(error.message)")
      try await first.close()
    }
  }
}
