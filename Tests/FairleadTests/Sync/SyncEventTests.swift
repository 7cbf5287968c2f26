import FairleadTesting
import HTTPTypes
import Testing

@testable import Fairlead

/// Records from webhooks, as Clerk sends them.
@Suite struct SyncEventTests {
  private func user(_ id: String, _ name: String, updated: Int64) -> JSONValue {
    [
      "id": .string(id), "first_name": .string(name), "updated_at": .int(updated),
      "created_at": 1_790_000_000_000,
      "email_addresses": [["email_address": .string("\(name)@example.com")]],
    ]
  }

  /// Gives an event to the handlers that are registered for it.
  private func deliver(
    _ world: SyncWorld, _ type: String, _ data: JSONValue, timestamp: Int64,
    from integration: IntegrationName = "clerk", isHandled: Bool = true
  ) async throws {
    let payload: JSONValue = [
      "type": .string(type), "data": data, "timestamp": .int(timestamp), "object": "event",
    ]
    let event = Event(
      id: EventID(rawValue: "evt_1"), integration: integration, type: type,
      receivedAt: world.clock.now, status: .processing, attempts: 0, duplicates: 0,
      recovered: false)
    let names = world.fairlead.inbox.handlers.names(for: type, from: integration)
    #expect(names == (isHandled ? ["sync/users/\(type)"] : []))
    for name in names {
      let handler = try #require(world.fairlead.inbox.handlers.handler(named: name))
      try await handler(
        event,
        EventContext(
          idempotencyKey: DeliveryID(rawValue: "dlv_1"), attempt: 1, payload: payload.bytes,
          headers: []))
    }
  }

  private func withClerk(
    _ engine: TestEngine, _ body: (SyncWorld) async throws -> Void
  ) async throws {
    try await SyncWorld.with(
      engine, [try SyncSamples.integration(SyncSamples.clerk)],
      transport: StubTransport(otherwise: .json(200, []))
    ) { try await body($0) }
  }

  @Test(arguments: TestEngine.all)
  func eventsKeepTheRecordsInAnyOrder(engine: TestEngine) async throws {
    try await withClerk(engine) { world in
      let base: Int64 = 1_800_000_000_000
      try await deliver(world, "user.created", user("u1", "Ann", updated: base), timestamp: base)
      try await deliver(
        world, "user.updated", user("u1", "Anna", updated: base + 20), timestamp: base + 20)
      // Late, and again.
      try await deliver(
        world, "user.updated", user("u1", "Anny", updated: base + 10), timestamp: base + 10)
      try await deliver(
        world, "user.updated", user("u1", "Anna", updated: base + 20), timestamp: base + 20)
      var records = try await world.records("users")
      #expect(records["u1"]?["first_name"] == "Anna")
      #expect(records["u1"]?["email"] == "Anna@example.com")
      #expect(records["u1"]?["created_at"] == "2026-09-21T14:13:20.000Z")

      var consumer = SyncConsumer(model: "users")
      try await consumer.readAll(from: world.syncs)
      try await deliver(
        world, "user.deleted", ["id": "u1", "object": "user", "deleted": true],
        timestamp: base + 30)
      // An update that was on its way resurrects nobody.
      try await deliver(
        world, "user.updated", user("u1", "Anna", updated: base + 25), timestamp: base + 25)
      records = try await world.records("users")
      #expect(records.isEmpty)
      consumer.changes = []
      try await consumer.readAll(from: world.syncs)
      #expect(consumer.changes.map(\.change) == [.deleted])
      let sync = try await world.only("users")
      #expect(sync.records == 0 && sync.isRealTime)
      #expect(sync.connection == Connection.defaultID(for: "clerk"))
    }
  }

  @Test(arguments: TestEngine.all)
  func aDeletionThatComesFirstStands(engine: TestEngine) async throws {
    try await withClerk(engine) { world in
      let base: Int64 = 1_800_000_000_000
      try await deliver(world, "user.deleted", ["id": "u1"], timestamp: base + 30)
      try await deliver(world, "user.created", user("u1", "Ann", updated: base), timestamp: base)
      #expect(try await world.records("users").isEmpty)
      #expect(try await world.only("users").records == 0)
    }
  }

  @Test(arguments: TestEngine.all)
  func aFullRunDoesNotDeleteWhoCameMeanwhile(engine: TestEngine) async throws {
    let base: Int64 = 1_800_000_000_000
    let transport = StubTransport(otherwise: .json(200, []))
    try await SyncWorld.with(
      engine, [try SyncSamples.integration(SyncSamples.clerk)], transport: transport
    ) { world in
      try await deliver(world, "user.created", user("old", "Old", updated: base), timestamp: base)
      try await world.schedule()
      world.clock.advance(by: .seconds(1))
      transport.enqueue(
        .decide { [self] _ in
          // The list is made, then somebody signs up, then the list arrives.
          try await deliver(
            world, "user.created", user("new", "New", updated: base + 9), timestamp: base + 9)
          return .json(200, [])
        })
      try await world.drain()
      #expect(try await world.records("users").keys.sorted() == ["new"])
    }
  }

  /// Two of Clerk's instances, which would both fill `users`.
  private func withTwoClerks(
    _ engine: TestEngine, off: IntegrationName?, _ body: (SyncWorld) async throws -> Void
  ) async throws {
    let first = try SyncSamples.integration(SyncSamples.clerk)
    var second = first
    second.name = "clerk2"
    var settings = SyncSettings()
    if let off {
      var model = SyncSettings.Model()
      model.isEnabled = false
      settings.models = [off: ["users": model]]
    }
    try await SyncWorld.with(
      engine, [first, second], transport: StubTransport(otherwise: .json(200, [])),
      settings: settings
    ) { try await body($0) }
  }

  @Test(arguments: TestEngine.all, [nil, "clerk", "clerk2"] as [IntegrationName?])
  func aModelThatTwoIntegrationsHaveIsFilledByOneThatIsOn(
    engine: TestEngine, off: IntegrationName?
  ) async throws {
    try await withTwoClerks(engine, off: off) { world in
      let (used, unused): (IntegrationName, IntegrationName) =
        off == "clerk" ? ("clerk2", "clerk") : ("clerk", "clerk2")
      try await world.schedule()
      try await world.drain()
      let syncs = try await world.syncs.list().items
      #expect(syncs.map(\.integration) == [used] && syncs.first?.state == .active)
      #expect(syncs.first?.lastRun?.status == .succeeded)
      let base: Int64 = 1_800_000_000_000
      try await deliver(
        world, "user.created", user("u1", "Ann", updated: base), timestamp: base, from: used)
      // Nobody wants the other one's, so they make no deliveries that could only fail.
      try await deliver(
        world, "user.created", user("u2", "Bob", updated: base), timestamp: base, from: unused,
        isHandled: false)
      #expect(try await world.records("users").keys.sorted() == ["u1"])
    }
  }

  @Test(arguments: TestEngine.all)
  func aDeliveryFromBeforeAModelChangedHandsIsLeftOut(engine: TestEngine) async throws {
    try await withTwoClerks(engine, off: "clerk") { world in
      let event = Event(
        id: EventID(rawValue: "evt_1"), integration: "clerk", type: "user.created",
        receivedAt: world.clock.now, status: .processing, attempts: 0, duplicates: 0,
        recovered: false)
      let handler = try #require(
        world.fairlead.inbox.handlers.handler(named: "sync/users/user.created"))
      let payload: JSONValue = ["type": "user.created", "data": ["id": "u1"], "timestamp": 1]
      try await handler(
        event,
        EventContext(
          idempotencyKey: DeliveryID(rawValue: "dlv_1"), attempt: 1, payload: payload.bytes,
          headers: []))
      #expect(try await world.records("users").isEmpty)
    }
  }

  @Test(arguments: TestEngine.all)
  func anEventWithoutAnIdIsDeadAtOnce(engine: TestEngine) async throws {
    try await withClerk(engine) { world in
      await #expect(throws: EventHandlerError.self) {
        try await deliver(world, "user.updated", ["first_name": "x"], timestamp: 1)
      }
      let syncs = try await world.syncs.list()
      #expect(syncs.items.isEmpty)
    }
  }
}
