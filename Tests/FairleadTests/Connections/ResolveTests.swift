import FairleadTesting
import Testing

@testable import Fairlead

@Suite struct ResolveTests {
  @Test(
    arguments: [
      ("conn_1", ProxyTarget.Account.connection(ConnectionID(rawValue: "conn_1")), nil),
      ("stripe", .integration("stripe"), nil), ("stripe@files", .integration("stripe"), "files"),
      ("conn_1@files", .connection(ConnectionID(rawValue: "conn_1")), "files"),
      ("slack:u1", .owner("slack", "u1"), nil), ("slack@files:u1", .owner("slack", "u1"), "files"),
      ("slack:a%3Ab%2Fc", .owner("slack", "a:b/c"), nil),
      ("slack:a:b@c", .owner("slack", "a:b@c"), nil),
      ("slack:%C3%A9+x", .owner("slack", "é+x"), nil),
    ] as [(String, ProxyTarget.Account, String?)])
  func targetsAreTakenApart(text: String, account: ProxyTarget.Account, host: String?) throws {
    let target = try ProxyTarget(parsing: text)
    #expect(target.account == account && target.host == host)
  }

  @Test(arguments: [
    "", ":", ":u1", "@", "slack@", "@files", "slack:", "slack:%", "slack:%zz", "slack:%ff",
    "slack:%00", "slack:a%0Ab", "sl ack", "slack/../x", "slack@files@more", "slack%3Au1", "é",
    "slack@fi les:u", "slack:" + String(repeating: "a", count: 513),
    String(repeating: "a", count: 5_000),
  ])
  func hostileTargetsAreRefused(text: String) {
    #expect(thrownCode { _ = try ProxyTarget(parsing: text) } == .invalidRequest)
  }

  @Test(arguments: TestEngine.all)
  func targetsFindTheirConnection(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let clock = ManualClock()
      let world = try ConnectionsWorld(database, clock: clock)
      let connections = world.node()
      func resolved(_ target: String) async throws -> ConnectionID {
        try await connections.resolve(target: target).connection
      }
      #expect(try await resolved("standing") == Connection.defaultID(for: "standing"))
      #expect(try await resolved("plain") == Connection.defaultID(for: "plain"))
      #expect(try await resolved("conn_default_standing") == Connection.defaultID(for: "standing"))
      for target in [
        "acme", "acme:u1", "nobody", "nobody:u1", "conn_unknown", "standing:u1", "standing@files",
        "conn_default_nobody",
      ] { #expect(await thrownCode { _ = try await resolved(target) } == .notFound) }

      let first = try await world.connect(connections, owner: "u1")
      #expect(try await resolved("acme") == first.id)
      #expect(try await resolved("acme:u1") == first.id)
      #expect(try await resolved(first.id.rawValue) == first.id)
      let files = try await connections.resolve(target: "acme@files:u1")
      #expect(files.host == "files" && files.integration == "acme" && files.connection == first.id)
      #expect(try await connections.resolve(target: "\(first.id)@files").host == "files")
      #expect(await thrownCode { _ = try await resolved("acme@nowhere") } == .notFound)

      clock.advance(by: .milliseconds(5))
      world.provider.on("acme.example/me") { _ in .json(["id": "A2"]) }
      let second = try await world.connect(connections, owner: "u1")
      #expect(try await resolved("acme:u1") == second.id)
      do {
        _ = try await resolved("acme")
        Issue.record("an ambiguous target was resolved")
      } catch let error as FairleadError {
        #expect(error.code == .invalidRequest)
        #expect(error.message.contains(first.id.rawValue) && error.message.contains("u1"))
      }

      // The newest is dead: the older one serves. Both are: it resolves, and using it says so.
      try await connections.grantDied(of: second.id, version: 1, reason: "gone")
      #expect(try await resolved("acme:u1") == first.id)
      #expect(try await resolved("acme") == first.id)
      try await connections.grantDied(of: first.id, version: 1, reason: "gone")
      #expect(try await resolved("acme:u1") == second.id)
      #expect(
        await thrownCode { _ = try await connections.usableCredential(for: second.id) }
          == .needsReauth)
      _ = try await connections.disconnect(second.id)
      #expect(try await resolved("acme:u1") == first.id)
    }
  }

  @Test func aHotTargetCostsNoDatabaseReadWithinASecond() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let clock = ManualClock()
      let counting = CountingDatabase(database)
      let world = try ConnectionsWorld(counting, clock: clock)
      let connections = world.node()
      let made = try await world.connect(connections)
      let start = counting.reads
      for _ in 0..<100 {
        let target = try await connections.resolve(target: "acme:u1")
        _ = try await connections.usableCredential(for: target.connection)
      }
      #expect(counting.reads - start <= 2)
      clock.advance(by: .seconds(1))
      // Another node's change shows after a second.
      try await world.node().grantDied(of: made.id, version: 1, reason: "gone")
      #expect(
        await thrownCode { _ = try await connections.usableCredential(for: made.id) }
          == .needsReauth)
    }
  }
}
