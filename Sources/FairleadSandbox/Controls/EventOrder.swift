import Fairlead
import Foundation

/// What `POST /_sandbox/{provider}/events` asks for.
struct EventOrder: Sendable {
  /// One event each; empty when an earlier event is sent again.
  var types: [String]
  var data: [String: JSONValue]
  /// An earlier event to send again.
  var id: String?
  /// How many deliveries each event gets; with `outOfOrder` and one type, how many events are made.
  var times: Int
  /// Delivers the events last first.
  var outOfOrder: Bool
  /// Signs with a wrong secret.
  var forge: Bool
  /// Sends all deliveries at once instead of one after the other.
  var concurrent: Bool
  /// How far in the past the signature's time lies.
  var age: Duration
  var to: String?

  private static let members: Set<String> = [
    "type", "data", "id", "times", "out_of_order", "forge", "concurrent", "age", "to",
  ]

  init(parsing bytes: [UInt8]) throws(ControlError) {
    let body = try ControlBody(bytes, allowed: Self.members)
    id = try body.text("id")
    switch body["type"] {
    case .string(let type): types = [type]
    case .array(let list) where !list.isEmpty && list.count <= 100:
      let names = list.compactMap(\.string)
      guard names.count == list.count else {
        throw body.wrong("type", "an event type or a list of them")
      }
      types = names
    case nil: types = []
    default: throw body.wrong("type", "an event type or a list of up to 100")
    }
    guard types.isEmpty != (id == nil) else {
      throw ControlError(
        .invalidRequest, "Name either the \"type\" of a new event or the \"id\" of an earlier one.")
    }
    guard types.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 200 }) else {
      throw body.wrong("type", "an event type of 1 to 200 characters")
    }
    data = try body.object("data") ?? [:]
    times = try body.number("times", in: 1...1_000) ?? 1
    outOfOrder = try body.flag("out_of_order")
    forge = try body.flag("forge")
    concurrent = try body.flag("concurrent")
    age = try body.duration("age") ?? .zero
    to = try body.text("to")
    if let to, !Self.isWebURL(to) {
      throw body.wrong("to", "an absolute http or https URL")
    }
  }

  static func isWebURL(_ text: String) -> Bool {
    guard text.utf8.count <= 2_000, let url = URL(string: text), let scheme = url.scheme,
      let host = url.host(), !host.isEmpty
    else { return false }
    return ["http", "https"].contains(scheme.lowercased())
  }

  /// The types to make events of: with `outOfOrder`, one type gives `times` events.
  var typesToMake: [String] {
    if outOfOrder, types.count == 1, let type = types.first {
      return Array(repeating: type, count: max(2, times))
    }
    return types
  }

  /// How often each event is delivered.
  var deliveriesEach: Int { outOfOrder && types.count == 1 ? 1 : times }
}

/// An event as its provider sends it.
struct OutgoingEvent: Sendable {
  var id: String
  var type: String
  var body: [UInt8]
}

/// One sending of an event.
struct EventDelivery: Sendable {
  var event: OutgoingEvent
  /// 0 for the first.
  var attempt: Int
  var forged: Bool
}
