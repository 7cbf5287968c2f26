import FairleadTesting
import Testing

@testable import Fairlead

/// Whoever keeps something of a connection's is told when it ends, however it ends.
@Suite(.timeLimit(.minutes(1))) struct ConnectionEndTests {
  /// What observers of this node are told, and what all nodes are, while `body` runs.
  private func told(
    _ connections: Connections, _ database: any Database, _ body: () async throws -> Void
  ) async throws -> (observers: [ConnectionID], nodes: [String]) {
    let channel = SyncScheduler.connectionChannel
    let observed = Box<[ConnectionID]>([])
    connections.changes.observe { id in observed.withLock { $0.append(id) } }
    let stream = database.notifications(on: channel)
    try await body()
    try await database.write { try $0.notify(channel, "end") }
    var announced: [String] = []
    for await notification in stream {
      if notification.payload == "end" { break }
      // An empty one says that some may have been missed.
      if !notification.payload.isEmpty { announced.append(notification.payload) }
    }
    return (observed.current, announced)
  }

  @Test(arguments: TestEngine.all)
  func withItsOwner(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let connections = world.node()
      let mine = try await world.connect(connections)
      let told = try await told(connections, database) {
        try await connections.revokeAll(of: "u1", reason: "gone")
      }
      #expect(told.observers == [mine.id])
      #expect(told.nodes == [mine.id.rawValue])
    }
  }

  @Test(arguments: TestEngine.all, [true, false])
  func disconnected(engine: TestEngine, opens: Bool) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let mine = try await world.connect(world.node())
      // Another world has another vault key.
      let connections = opens ? world.node() : try ConnectionsWorld(database).node()
      let told = try await told(connections, database) {
        _ = try await connections.disconnect(mine.id)
      }
      #expect(told.observers == [mine.id])
      #expect(told.nodes == [mine.id.rawValue])
    }
  }
}
