import Fairlead
import FairleadSandbox

/// An event to be sent for a test, in its provider's own shape.
struct TestEvent {
  var id: String
  var type: String
  var body: [UInt8]

  /// - Parameter data: laid over the object the event is about.
  /// - Throws: `FairleadError` (`invalidRequest`) for what the provider's simulator refuses.
  static func make(
    _ definition: ProviderDefinition, type: String, data: [String: JSONValue],
    clock: any FairleadClock, random: RandomSource
  ) throws -> TestEvent {
    if let sample = try Sandbox.sampleEvent(
      provider: definition.name, type: type, data: data, clock: clock, seed: random.next())
    {
      var event = TestEvent(id: sample.id, type: sample.type, body: sample.body)
      // A header may name less than the whole type: GitHub's says `issues` of `issues.opened`.
      if case .header(let name) = definition.webhook?.eventType,
        let sent = sample.headers.first(where: { $0.name.lowercased() == name.lowercased() })
      {
        event.type = sent.value
      }
      return event
    }
    return plain(definition, type: type, data: data, clock: clock, random: random)
  }

  /// For a provider that nobody simulates: the definition says where id and type stand.
  static func plain(
    _ definition: ProviderDefinition, type: String, data: [String: JSONValue],
    clock: any FairleadClock, random: RandomSource
  ) -> TestEvent {
    let id = "evt_test_" + random.bytes(12).hex
    var body: JSONValue = [
      "created_at": .string(clock.now.rfc3339), "test": true, "data": .object(data),
    ]
    for (location, value) in [
      (definition.webhook?.eventID, id), (definition.webhook?.eventType, type),
    ] {
      if case .body(let path) = location {
        body = body.setting(path.split(separator: ".").map(String.init)[...], to: .string(value))
      }
    }
    return TestEvent(id: id, type: type, body: body.bytes)
  }
}

extension JSONValue {
  /// A copy with a value at a path of members; what stands in the way is replaced.
  func setting(_ path: ArraySlice<String>, to value: JSONValue) -> JSONValue {
    guard let first = path.first else { return value }
    var members = object ?? [:]
    members[first] = (members[first] ?? .object([:])).setting(path.dropFirst(), to: value)
    return .object(members)
  }
}
