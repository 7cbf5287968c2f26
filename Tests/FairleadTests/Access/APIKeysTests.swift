import FairleadTesting
import Testing

@testable import Fairlead

@Suite struct APIKeysTests {
  @Test(arguments: TestEngine.all)
  func aKeyLivesFromItsMakingToItsRevocation(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let clock = ManualClock()
      let keys = APIKeys(database: database, adminKey: nil, clock: clock, random: .system)
      let other = APIKeys(database: database, adminKey: nil, clock: clock, random: .system)
      let (key, secret) = try await keys.create(name: "app", scopes: [.proxy, .proxy, .tokens])
      #expect(secret.expose().hasPrefix("fl_") && secret.expose().utf8.count == 46)
      #expect(key.scopes == [.proxy, .tokens] && secret.expose().hasSuffix(key.hint))
      let principal = try #require(try await keys.authenticate(secret))
      #expect(principal.name == "app" && principal.key == key.id && !principal.isAdmin)
      #expect(principal.allows(.proxy) && !principal.allows(.connections))
      #expect(try await other.authenticate(secret) != nil)

      #expect(try await keys.revoke(key.id))
      #expect(try await keys.authenticate(secret) == nil)
      #expect(try await keys.revoke(key.id) == false)
      // The other node believes what it knew for one second, not longer.
      clock.advance(by: .seconds(1))
      #expect(try await other.authenticate(secret) == nil)
      let listed = try await keys.list()
      #expect(listed.map(\.id) == [key.id] && listed.first?.revokedAt != nil)
    }
  }

  @Test func theHotPathReadsTheDatabaseOnceASecond() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let clock = ManualClock()
      let counting = CountingDatabase(database)
      let keys = APIKeys(database: counting, adminKey: nil, clock: clock, random: .system)
      let (_, secret) = try await keys.create(name: "app")
      for _ in 0..<100 { #expect(try await keys.authenticate(secret) != nil) }
      #expect(counting.reads == 1)
    }
  }

  @Test func theAdminKeyOpensEverything() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let keys = APIKeys(
        database: database, adminKey: Secret("admin-key"), clock: ManualClock(), random: .system)
      let admin = try #require(try await keys.authenticate(Secret("admin-key")))
      #expect(admin.isAdmin && Scope.all.allSatisfy(admin.allows))
      #expect(try await keys.authenticate(Secret("admin-kez")) == nil)
      let none = APIKeys(
        database: database, adminKey: Secret(""), clock: ManualClock(), random: .system)
      #expect(try await none.authenticate(Secret("")) == nil)
    }
  }

  @Test(arguments: [
    "", "fl_", "fl_short", "Bearer fl_x", "fl_\u{0}", "' OR 1=1 --",
    "fl_" + String(repeating: "x", count: 10_000),
  ])
  func whatIsNoKeyOpensNothing(text: String) async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let keys = APIKeys(
        database: database, adminKey: Secret("admin"), clock: ManualClock(), random: .system)
      _ = try await keys.create(name: "app")
      #expect(try await keys.authenticate(Secret(text)) == nil)
    }
  }

  @Test func namesAndScopesAreChecked() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let keys = APIKeys(
        database: database, adminKey: nil, clock: ManualClock(), random: .system)
      #expect(await thrownCode { _ = try await keys.create(name: "") } == .invalidRequest)
      #expect(
        await thrownCode { _ = try await keys.create(name: "x", scopes: [Scope(rawValue: "root")]) }
          == .invalidRequest)
      let (key, _) = try await keys.create(name: "usual")
      #expect(!key.scopes.contains(.tokens) && key.scopes.contains(.proxy))
      #expect(try await keys.revoke(APIKeyID(rawValue: "key_none\u{0}")) == false)
    }
  }
}
