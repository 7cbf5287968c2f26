import FairleadTesting
import Testing

@testable import Fairlead

/// Which of a deployment's models are watched.
@Suite struct WatchableModelsTests {
  @Test(arguments: TestEngine.all)
  func onlyModelsThatCanBeAnnouncedAreLookedAfter(engine: TestEngine) async throws {
    var plain = try SyncSamples.integration(SyncSamples.calendar)
    plain.baseURL = "http://127.0.0.1:1"
    var announced = plain
    announced.name = "acme"
    announced.definition = try DefinitionLoader.load(
      yaml: """
        name: acme
        display_name: Acme
        purpose: Orders
        base_url: https://api.acme.example
        auth: { type: api_key }
        webhook:
          scheme: channel
          header: X-Channel-Token
          channel: { id: X-Channel-ID, number: X-Channel-Number }
          event_type: { header: X-Channel-State }
        syncs:
          orders:
            path: /orders
            items: data
            id: id
            push:
              watch:
                path: /orders/watch
                body: { id: "{channel_id}", address: "{address}", token: "{token}" }
        """, file: "sample.yaml")
    try await SyncWorld.with(
      engine, [plain, announced], transport: StubTransport(otherwise: .json(200, [:]))
    ) { world in
      try await world.schedule()
      #expect(try await world.syncs.list().items.count == 2)
      let watched = try await world.fairlead.watches.wanted(nil, nil)
      #expect(watched.map(\.model) == ["orders"])
      #expect(try await world.fairlead.watches.reconcile() == 1)
    }
  }
}
