public import Fairlead

/// An event as its provider would send it, made by the provider's simulator.
public struct SampleEvent: Sendable {
  /// The provider's id of the event.
  public let id: String
  public let type: String
  public let body: [UInt8]
  /// The headers of its delivery, signed with the simulator's own secret.
  public let headers: [(name: String, value: String)]
}

extension Sandbox {
  /// Makes an event of a simulated provider, about an object of a workspace nobody else has.
  /// - Parameters:
  ///   - provider: the definition's name, `stripe`.
  ///   - data: laid over the object that the event is about.
  ///   - seed: equal seeds give equal ids.
  /// - Returns: `nil` for a provider without a simulator.
  /// - Throws: `FairleadError` (`invalidRequest`) for a type or data that the simulator refuses.
  public static func sampleEvent(
    provider: String, type: String, data: [String: JSONValue], clock: any FairleadClock,
    seed: UInt64
  ) throws -> SampleEvent? {
    guard let name = SandboxProvider(rawValue: provider),
      let simulator = SandboxWorld(seed: seed, clock: clock).simulators[name]
    else { return nil }
    let order: JSONValue = ["type": .string(type), "data": .object(data)]
    do throws(ControlError) {
      let events = try simulator.makeEvents(EventOrder(parsing: order.bytes), now: clock.now)
      return events.first.map { event in
        let delivery = EventDelivery(event: event, attempt: 0, forged: false)
        return SampleEvent(
          id: event.id, type: event.type, body: event.body,
          headers: simulator.sign(delivery, time: clock.now))
      }
    } catch {
      throw FairleadError(.invalidRequest, error.message)
    }
  }
}
