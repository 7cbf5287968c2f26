import FairleadTesting
import Foundation
import Synchronization
import Testing

@testable import Fairlead

@Suite struct OwnerDeletionTests {
  private let reason = "Clerk says that this account was deleted."

  @Test(arguments: TestEngine.all)
  func everythingOfTheOwnerEndsAndNothingElse(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      world.provider.on("oauth/revoke") { _ in .json([:]) }
      let connections = world.node()
      let mine = try await world.connect(connections)
      let keyed = try await connections.create(
        NewConnection(
          integration: "keyed", owner: "u1",
          credential: .apiKey(key: Secret("key-1"), secret: nil), params: ["shop": "s"]))
      let other = try await world.connect(connections, owner: "u2")
      let link = try await world.flow(connections).createSession(NewConnectSession(owner: "u1"))

      #expect(try await connections.revokeAll(of: "u1", reason: reason) == 2)
      let form = try #require(world.provider.asked("oauth/revoke").first).form
      #expect(form["token"] == "refresh-1" || form["token"] == "access-1")
      for id in [mine.id, keyed.id] {
        let after = try await connections.connection(id)
        #expect(after.state == .revoked && after.error == reason)
        #expect(try await connections.store.find(id)?.credential == Credential.none)
        await #expect(throws: FairleadError.self) {
          try await connections.usableCredential(for: id)
        }
      }
      #expect(try await connections.connection(other.id).state == .active)
      _ = try await connections.usableCredential(for: other.id)
      let token = String(link.url.split(separator: "/").last ?? "")
      await #expect(throws: FairleadError.self) {
        try await world.flow(connections).session(token: token)
      }
    }
  }

  @Test(arguments: TestEngine.all)
  func onceIsEnough(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let connections = world.node()
      _ = try await world.connect(connections)
      #expect(try await connections.revokeAll(of: "u1", reason: reason) == 1)
      let asked = world.provider.asked("oauth/revoke").count
      #expect(try await connections.revokeAll(of: "u1", reason: reason) == 0)
      #expect(world.provider.asked("oauth/revoke").count == asked)
      #expect(try await connections.revokeAll(of: "u\u{0}", reason: reason) == 0)
    }
  }

  @Test(arguments: TestEngine.all)
  func aProviderThatDoesNotAnswerKeepsNothingAlive(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      world.provider.on("oauth/revoke") { _ in
        throw TransportError(.timeout, nothingSent: false, detail: "silence")
      }
      let connections = world.node()
      let mine = try await world.connect(connections)
      #expect(try await connections.revokeAll(of: "u1", reason: reason) == 1)
      #expect(try await connections.connection(mine.id).state == .revoked)
    }
  }

  @Test(arguments: TestEngine.all)
  func whatARefreshBringsMeanwhileEndsToo(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let connections = world.node()
      let mine = try await world.connect(connections)
      world.provider.on("oauth/token") { _ in
        .json(["access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 3_600])
      }
      let isFirst = OnceFlag()
      world.provider.on("oauth/revoke") { _ in
        if isFirst.take() { _ = try await connections.refresh(mine.id) }
        return .json([:])
      }
      #expect(try await connections.revokeAll(of: "u1", reason: reason) == 1)
      let tokens = world.provider.asked("oauth/revoke").compactMap { $0.form["token"] }
      #expect(tokens.last?.hasSuffix("-2") == true, "\(tokens)")
      #expect(try await connections.connection(mine.id).state == .revoked)
    }
  }

  @Test(arguments: TestEngine.all)
  func manyConnectionsEndPageByPage(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let connections = world.node()
      for number in 0..<205 {
        _ = try await connections.save(
          ConnectionDraft(
            integration: "acme", owner: "u1",
            credential: .apiKey(key: Secret("k\(number)"), secret: nil), scopes: [], params: [:],
            identity: ["id": "A\(number)"]))
      }
      #expect(try await connections.revokeAll(of: "u1", reason: reason) == 205)
      let left = try await connections.list(
        ConnectionFilter(owner: "u1", state: .active), page: PageRequest())
      #expect(left.items.isEmpty)
    }
  }

  @Test func theOwnerIsReadFromWhereTheDefinitionSays() throws {
    func owner(_ location: ProviderDefinition.WebhookSettings.Location, _ body: String) throws
      -> Owner?
    {
      let deletion = ProviderDefinition.OwnerDeletion(events: ["gone"], owner: location)
      return try deletion.owner(
        in: EventContext(
          idempotencyKey: DeliveryID(rawValue: "dlv_1"), attempt: 1, payload: Array(body.utf8),
          headers: [EventHeader(name: "X-User", value: "u9")]))
    }
    #expect(try owner(.body("data.id"), #"{"data":{"id":"u1"}}"#) == "u1")
    #expect(try owner(.body("data.id"), #"{"data":{"id":7}}"#) == "7")
    #expect(try owner(.body("data.id"), #"{"data":{}}"#) == nil)
    #expect(try owner(.body("data.id"), #"{"data":{"id":""}}"#) == nil)
    #expect(try owner(.header("x-user"), "{}") == "u9")
  }
}

/// True once.
private final class OnceFlag: Sendable {
  private let taken = Mutex(false)

  func take() -> Bool {
    taken.withLock { taken in
      defer { taken = true }
      return !taken
    }
  }
}
