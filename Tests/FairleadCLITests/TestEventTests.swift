import Fairlead
import FairleadTesting
import Testing

@testable import FairleadCLI

@Suite struct TestEventTests {
  private let clock = ManualClock()

  private func definition(_ name: String) throws -> ProviderDefinition {
    try #require(try DefinitionLoader.catalog().first { $0.name == name })
  }

  @Test func aProvidersEventHasItsOwnShape() throws {
    let event = try TestEvent.make(
      definition("stripe"), type: "payment_intent.succeeded", data: ["amount": 4_200],
      clock: clock, random: RandomSource(seed: 1))
    let body = try JSONValue(parsing: event.body)
    #expect(body["type"] == "payment_intent.succeeded" && body["id"]?.string == event.id)
    #expect(body[path: "data.object.amount"] == 4_200)
    #expect(body[path: "data.object.status"] == "succeeded")
  }

  /// Whatever the catalog lists can be sent, and stands where the inbox will look for it.
  @Test func everyEventOfTheCatalogCanBeSent() throws {
    for definition in try DefinitionLoader.catalog() {
      guard let settings = definition.webhook, WebhookSigning(settings).signsBodies else {
        continue
      }
      for type in settings.events {
        let event = try TestEvent.make(
          definition, type: type, data: [:], clock: clock, random: RandomSource(seed: 4))
        let body = try JSONValue(parsing: event.body)
        for (location, value) in [(settings.eventID, event.id), (settings.eventType, event.type)] {
          if case .body(let path) = location {
            #expect(body[path: path]?.scalarText == value, "\(definition.name) \(type)")
          }
        }
        #expect(type.hasPrefix(event.type), "\(definition.name) \(type)")
      }
    }
  }

  @Test func twoEventsAreNoDuplicates() throws {
    let random = RandomSource(seed: 2)
    let ids = try (0..<20).map { _ in
      try TestEvent.make(
        definition("stripe"), type: "invoice.paid", data: [:], clock: clock, random: random
      ).id
    }
    #expect(Set(ids).count == 20)
  }

  @Test func anUnknownProvidersEventFollowsItsDefinition() throws {
    var definition = try definition("openai")
    definition.name = "acme"
    var settings = ProviderDefinition.WebhookSettings(scheme: .hmac, header: "X-Acme-Signature")
    settings.eventID = .header("X-Acme-Id")
    settings.eventType = .body("event.kind")
    definition.webhook = settings
    let event = try TestEvent.make(
      definition, type: "order.created", data: ["total": 5], clock: clock,
      random: RandomSource(seed: 3))
    let body = try JSONValue(parsing: event.body)
    #expect(body[path: "event.kind"] == "order.created" && body[path: "data.total"] == 5)
    #expect(body["id"] == nil)
  }

  @Test func pathsAreMadeThroughWhatIsInTheWay() {
    let value: JSONValue = ["a": 1, "b": ["c": 2]]
    #expect(value.setting(["a", "x"], to: 3) == ["a": ["x": 3], "b": ["c": 2]])
    #expect(value.setting(["b", "d"], to: 3) == ["a": 1, "b": ["c": 2, "d": 3]])
    #expect(value.setting([], to: 3) == 3)
  }

  @Test func theIntegrationIsFoundByNameOrProvider() throws {
    let stripe = try definition("stripe")
    let one = Integration(name: "payments", definition: stripe)
    let two = Integration(name: "stripe", definition: stripe)
    let name = try WebhookTarget.integration("stripe", in: [one, two]).name
    #expect(name == "stripe")
    let only = try WebhookTarget.integration("stripe", in: [one]).name
    #expect(only == "payments")
    let three = Integration(name: "other", definition: stripe)
    #expect(throws: CommandFailure.self) {
      try WebhookTarget.integration("stripe", in: [one, three])
    }
    #expect(throws: CommandFailure.self) { try WebhookTarget.integration("acme", in: [one]) }
    #expect(throws: CommandFailure.self) { try WebhookTarget.secret(of: one) }
  }
}
