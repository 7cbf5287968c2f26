import FairleadTesting
import Synchronization
import Testing

@testable import Fairlead

/// Lists in numbered pages move while they are read.
@Suite struct SyncSecondLookTests {
  /// A list in pages of two, from which an entry may disappear behind the reader's back.
  private final class NumberedList: Sendable {
    private struct State {
      var ids = ["a", "b", "c", "d"]
      var vanishing: String?
      var asked = 0
    }

    private let state = Mutex(State())

    var asked: Int { state.withLock { $0.asked } }

    /// The next page is the last that holds `id`.
    func vanish(_ id: String) { state.withLock { $0.vanishing = id } }

    func answer(_ url: String) -> StubTransport.Answer {
      let number = url.split(separator: "page=").last.flatMap { Int($0) } ?? 1
      return state.withLock { state in
        state.asked += 1
        let page = state.ids.dropFirst(2 * (number - 1)).prefix(2)
        if let id = state.vanishing.take() { state.ids.removeAll { $0 == id } }
        return .json(200, .array(page.map { ["id": .string($0)] }))
      }
    }
  }

  private static let orders = """
    name: acme
    display_name: Acme
    purpose: Orders
    base_url: https://api.acme.example
    auth: { type: api_key }
    retry: { attempts: 1 }
    syncs:
      orders: { path: /orders, id: id, pagination: { style: page, param: page, items: "." } }
    """

  private func withOrders(
    _ engine: TestEngine, _ body: (SyncWorld, NumberedList) async throws -> Void
  ) async throws {
    let list = NumberedList()
    let transport = StubTransport(otherwise: .decide { list.answer($0.url) })
    try await SyncWorld.with(
      engine, [try SyncSamples.integration(Self.orders)], transport: transport
    ) { world in
      try await world.schedule()
      try await world.drain()
      #expect(try await world.records("orders").keys.sorted() == ["a", "b", "c", "d"])
      try await body(world, list)
    }
  }

  @Test(arguments: TestEngine.all)
  func whatTheMovingListSkippedIsNotDeleted(engine: TestEngine) async throws {
    try await withOrders(engine) { world, list in
      let before = list.asked
      list.vanish("a")
      let id = try await world.only("orders").id
      try await world.syncs.run(id, kind: .full)
      try await world.drain()
      // c moved to the page that had been read.
      #expect(try await world.records("orders").keys.contains("c"))
      #expect(list.asked == before + 6)
      #expect(try await world.only("orders").lastRun?.status == .succeeded)

      var consumer = SyncConsumer(model: "orders")
      try await consumer.readAll(from: world.syncs)
      try await world.syncs.run(id, kind: .full)
      try await world.drain()
      try await consumer.readAll(from: world.syncs)
      #expect(consumer.records.keys.sorted() == ["b", "c", "d"])
      #expect(try await world.only("orders").lastRun?.counts.deleted == 1)
    }
  }

  @Test(arguments: TestEngine.all)
  func aListThatIsCompleteIsReadOnce(engine: TestEngine) async throws {
    try await withOrders(engine) { world, list in
      let before = list.asked
      try await world.syncs.run(try await world.only("orders").id, kind: .full)
      try await world.drain()
      #expect(list.asked == before + 3)
    }
  }

  /// The provider's bad moments are counted by the run; the job has done nothing wrong.
  @Test(arguments: TestEngine.all)
  func puttingARunOffIsNoErrorOfItsJob(engine: TestEngine) async throws {
    let transport = StubTransport(otherwise: .json(503, [:]))
    try await SyncWorld.with(
      engine, [try SyncSamples.integration(Self.orders)], transport: transport
    ) { world in
      try await world.schedule()
      for _ in 1...3 {
        let job = try #require(try await world.claim())
        #expect(job.attempt == 1)
        #expect(try await world.syncs.engine.handle(job) == .settled)
        #expect(try await world.only("orders").run != nil)
        world.clock.advance(by: .seconds(3_600))
      }
    }
  }
}
