import FairleadSQLite
import FairleadTesting
import Foundation
import HTTPTypes
import Testing

@testable import Fairlead

@Suite struct ConnectionsTests {
  @Test(arguments: TestEngine.all)
  func createVerifiesStoresAndReadsBack(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let connections = world.node()
      let made = try await connections.create(
        NewConnection(
          integration: "keyed", owner: "u1", ownerLabel: "Ann\u{7}",
          credential: .apiKey(key: Secret(" key-1\n"), secret: nil), params: ["shop": "store-1"]))
      #expect(made.identity == ["id": "K1"] && made.ownerLabel == "Ann")
      let asked = world.provider.asked("account")
      #expect(asked.first?.url == "https://store-1.keyed.example/account")
      #expect(asked.first?.headers[HTTPField.Name("x-key")!] == "k key-1")
      #expect(try await connections.connection(made.id) == made)
      let usable = try await world.node().usableCredential(for: made.id)
      #expect(usable.credential == .apiKey(key: Secret("key-1"), secret: nil))
    }
  }

  @Test(arguments: TestEngine.all)
  func connectingTheSameAccountAgainUpdatesIt(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let connections = world.node()
      let first = try await world.connect(connections, access: "access-1")
      try await connections.grantDied(of: first.id, version: first.version, reason: "gone")
      #expect(try await connections.connection(first.id).state == .needsReauth)
      let second = try await world.connect(connections, access: "access-2")
      #expect(second.id == first.id && second.state == .active && second.error == nil)
      #expect(second.version == first.version + 1)
      #expect(
        try await connections.usableCredential(for: first.id).credential.accessText == "access-2")
      let other = try await world.connect(connections, owner: "u2")
      #expect(other.id != first.id)
      world.provider.on("acme.example/me") { _ in .json(["id": "A2"]) }
      let otherAccount = try await world.connect(connections)
      #expect(otherAccount.id != first.id)
      #expect(try await connections.list(ConnectionFilter(), page: PageRequest()).items.count == 5)
    }
  }

  @Test(arguments: TestEngine.all)
  func connectingAgainWithoutARefreshTokenKeepsTheOldOne(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let connections = world.node()
      let first = try await world.connect(connections)
      _ = try await world.connect(connections, access: "access-2", refresh: nil)
      let usable = try await connections.usableCredential(for: first.id)
      #expect(usable.credential.accessText == "access-2")
      #expect(usable.credential.refreshText == "refresh-1")
      _ = try await world.connect(connections, access: "access-3", refresh: "refresh-3")
      let renewed = try await connections.usableCredential(for: first.id)
      #expect(renewed.credential.refreshText == "refresh-3")
    }
  }

  @Test(
    arguments: [
      (401, "{}", ErrorCode.invalidRequest), (403, "{}", .invalidRequest),
      (404, "{}", .invalidRequest), (500, "{}", .serviceUnavailable),
      (429, "{}", .serviceUnavailable), (302, "", .invalidRequest),
    ])
  func aCredentialThatTheProviderDoesNotConfirmIsNotStored(
    status: Int, body: String, expected: ErrorCode
  ) async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let connections = world.node()
      world.provider.on("acme.example/me") { _ in .init(status: status, body: body) }
      #expect(await thrownCode { _ = try await world.connect(connections) } == expected)
      let stored = try await connections.list(
        ConnectionFilter(integration: "acme"), page: PageRequest())
      #expect(stored.items.isEmpty)
    }
  }

  @Test func anUnreachableProviderIsNoRefusal() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      world.provider.on("acme.example/me") { _ in
        throw TransportError(.connect, nothingSent: true, detail: "refused")
      }
      let connections = world.node()
      #expect(await thrownCode { _ = try await world.connect(connections) } == .serviceUnavailable)
    }
  }

  @Test func definitionsErrorRulesDecideWhereTheStatusSaysNothing() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      var integration = Integration.acme
      var condition = ProviderDefinition.Condition()
      condition.status = [200]
      condition.body = ["ok": [false], "error": ["invalid_auth"]]
      integration.definition.errors = [.init(when: condition, errorClass: .authRevoked)]
      let world = try ConnectionsWorld(database, integrations: [integration])
      world.provider.on("acme.example/me") { _ in .json(["ok": false, "error": "invalid_auth"]) }
      let connections = world.node()
      #expect(await thrownCode { _ = try await world.connect(connections) } == .invalidRequest)
    }
  }

  @Test func whatDoesNotFitIsRefusedBeforeAnybodyIsAsked() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let connections = world.node()
      let key = Credential.apiKey(key: Secret("k"), secret: nil)
      let shop = ["shop": "s"]
      let wrong: [NewConnection] = [
        .init(integration: "keyed", owner: "", credential: key, params: shop),
        .init(integration: "keyed", owner: "a\u{0}b", credential: key, params: shop),
        .init(
          integration: "keyed", owner: Owner(String(repeating: "x", count: 513)),
          credential: key, params: shop),
        .init(integration: "keyed", owner: "u", credential: key),
        .init(integration: "keyed", owner: "u", credential: key, params: ["shop": "evil.com/"]),
        .init(integration: "keyed", owner: "u", credential: key, params: ["shop": "s", "x": "y"]),
        .init(integration: "keyed", owner: "u", credential: .none, params: shop),
        .init(
          integration: "keyed", owner: "u",
          credential: .apiKey(key: Secret("a\r\nhost: evil"), secret: nil), params: shop),
        .init(
          integration: "keyed", owner: "u", credential: .apiKey(key: Secret(" "), secret: nil),
          params: shop),
        .init(integration: "acme", owner: "u", credential: key),
        .init(integration: "plain", owner: "u", credential: key),
      ]
      for new in wrong {
        #expect(await thrownCode { _ = try await connections.create(new) } == .invalidRequest)
      }
      #expect(
        await thrownCode {
          _ = try await connections.create(.init(integration: "x", owner: "u", credential: key))
        } == .notFound)
      #expect(world.provider.asked().isEmpty)
    }
  }

  @Test func anImportedTokenThatExpiredIsRefreshedFirst() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      world.provider.on("oauth/token") { _ in .json(["access_token": "access-9"]) }
      let connections = world.node()
      let made = try await world.connect(connections, lifetime: .seconds(-10))
      let usable = try await connections.usableCredential(for: made.id)
      #expect(usable.credential.accessText == "access-9")
      #expect(usable.credential.refreshText == "refresh-1")
    }
  }

  @Test(arguments: TestEngine.all)
  func listsFilterAndPageWithTheDefaultsFirst(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let connections = world.node()
      var made: [ConnectionID] = []
      for index in 0..<5 {
        made.append(try await world.connect(connections, owner: Owner("u\(index)")).id)
        (world.clock as? ManualClock)?.advance(by: .milliseconds(5))
      }
      try await connections.grantDied(of: made[0], version: 1, reason: "gone")
      var seen: [String] = []
      var cursor: String?
      repeat {
        let page = try await connections.list(
          ConnectionFilter(), page: PageRequest(cursor: cursor, limit: 2))
        #expect(page.items.count <= 2)
        seen += page.items.map(\.id.rawValue)
        cursor = page.nextCursor
      } while cursor != nil
      #expect(
        seen == ["conn_default_plain", "conn_default_standing"] + made.reversed().map(\.rawValue))
      func ids(_ filter: ConnectionFilter) async throws -> [ConnectionID] {
        try await connections.list(filter, page: PageRequest()).items.map(\.id)
      }
      #expect(try await ids(ConnectionFilter(owner: "u3")) == [made[3]])
      #expect(try await ids(ConnectionFilter(state: .needsReauth)) == [made[0]])
      #expect(
        try await ids(ConnectionFilter(integration: "standing"))
          == [Connection.defaultID(for: "standing")])
      #expect(try await ids(ConnectionFilter(owner: "a\u{0}")) == [])
      let hostile = PageRequest(cursor: "' OR 1=1 --")
      #expect(try await connections.list(ConnectionFilter(), page: hostile).items.isEmpty)
    }
  }

  @Test(arguments: TestEngine.all)
  func disconnectingRevokesAndDeletes(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let connections = world.node()
      world.provider.on("oauth/revoke") { _ in .init(body: "") }
      let first = try await world.connect(connections)
      _ = try await connections.usableCredential(for: first.id)
      let outcome = try await connections.disconnect(first.id)
      #expect(outcome.revokedAtProvider)
      #expect(world.provider.asked("oauth/revoke").first?.form["token"] == "refresh-1")
      #expect(await thrownCode { _ = try await connections.connection(first.id) } == .notFound)
      #expect(
        await thrownCode { _ = try await connections.usableCredential(for: first.id) } == .notFound)
      #expect(await thrownCode { _ = try await connections.disconnect(first.id) } == .notFound)

      world.provider.on("oauth/revoke") { _ in .init(status: 503, body: "") }
      let second = try await world.connect(connections)
      let failed = try await connections.disconnect(second.id)
      #expect(!failed.revokedAtProvider && failed.message.contains("did not confirm"))
      #expect(await thrownCode { _ = try await connections.connection(second.id) } == .notFound)
    }
  }

  @Test(arguments: TestEngine.all)
  func aConnectionWhoseVaultKeyIsGoneCanStillBeDisconnected(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let connection = try await world.connect(world.node())
      // The same storage under another vault key.
      let elsewhere = try ConnectionsWorld(database)
      let connections = elsewhere.node()
      #expect(
        await thrownCode { _ = try await connections.usableCredential(for: connection.id) }
          == .configurationError)
      let outcome = try await connections.disconnect(connection.id)
      #expect(!outcome.revokedAtProvider)
      #expect(outcome.message.contains("cannot be read any more, so Acme could not be told"))
      #expect(elsewhere.provider.asked("oauth/revoke").isEmpty)
      #expect(
        await thrownCode { _ = try await connections.connection(connection.id) } == .notFound)
      #expect(
        await thrownCode { _ = try await connections.disconnect(connection.id) } == .notFound)
    }
  }

  @Test func theDeploymentsOwnConnectionsAreReadOnly() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let connections = world.node()
      let id = Connection.defaultID(for: "standing")
      #expect(try await connections.connection(id).owner == nil)
      let usable = try await connections.usableCredential(for: id)
      #expect(usable.credential == .apiKey(key: Secret("sk_default"), secret: nil))
      #expect(await thrownCode { _ = try await connections.disconnect(id) } == .conflict)
      #expect(await thrownCode { _ = try await connections.refresh(id) } == .conflict)
      #expect(
        await thrownCode { _ = try await connections.refreshedCredential(for: id, after: 1) }
          == .needsReauth)
      try await connections.grantDied(of: id, version: 1, reason: "401")
      #expect(try await connections.connection(id).state == .active)
      #expect(
        await thrownCode {
          _ = try await connections.connection(ConnectionID(rawValue: "conn_default_nobody"))
        } == .notFound)
      #expect(await thrownCode { _ = try await connections.accessToken(id) } == .invalidRequest)
    }
  }

  @Test func noTokenStandsInTheDatabaseFile() async throws {
    try await withTemporaryFolder { folder in
      let database = try await SQLiteDatabase.open(.file("\(folder)/leak.db"))
      try await Migrator.apply(Migration.connections, to: database, clock: ManualClock())
      let world = try ConnectionsWorld(database)
      let secrets = ["access-PLANTED", "refresh-PLANTED", "rotated-PLANTED", "key-PLANTED"]
      world.provider.on("oauth/token") { _ in
        .json(["access_token": "rotated-PLANTED", "refresh_token": "refresh-PLANTED-2"])
      }
      let connections = world.node()
      let made = try await world.connect(
        connections, access: secrets[0], refresh: secrets[1])
      _ = try await connections.refresh(made.id)
      _ = try await connections.create(
        NewConnection(
          integration: "keyed", owner: "u1",
          credential: .apiKey(key: Secret(secrets[3]), secret: nil), params: ["shop": "s"]))
      let keys = APIKeys(
        database: database, adminKey: nil, clock: world.clock, random: .system)
      let (_, apiKey) = try await keys.create(name: "app")
      let flow = world.flow(connections)
      let session = try await flow.createSession(NewConnectSession(owner: "u1"))
      let token = String(session.url.split(separator: "/").last ?? "")
      _ = try await flow.begin(
        sessionToken: token, integration: "acme", browser: "browser-PLANTED-cookie")
      func files() throws -> Data {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted().reduce(into: Data()) {
          $0 += try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($1)"))
        }
      }
      let whileOpen = try files()
      try await database.close()
      for bytes in [whileOpen, try files()] {
        #expect(bytes.range(of: Data(made.id.rawValue.utf8)) != nil)
        #expect(bytes.range(of: Data("PLANTED".utf8)) == nil)
        #expect(bytes.range(of: Data(token.utf8)) == nil)
        #expect(bytes.range(of: Data(apiKey.expose().utf8)) == nil)
      }
    }
  }
}
