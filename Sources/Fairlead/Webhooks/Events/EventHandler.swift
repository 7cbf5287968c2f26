import Foundation

/// Code that handles events. Runs once per delivery; when it throws it runs again later, by the same
/// schedule as a destination, so it must be idempotent: `context.idempotencyKey` tells repeats.
public typealias EventHandler = @Sendable (Event, EventContext) async throws -> Void

/// What a handler needs beside the event.
public struct EventContext: Sendable {
  /// The same on every attempt of this delivery; another one when the event is replayed.
  public let idempotencyKey: DeliveryID
  /// 1 for the first. Above 1 an earlier attempt failed or was cut short, perhaps after its effect.
  public let attempt: Int
  /// The body exactly as received.
  public let payload: [UInt8]
  public let headers: [EventHeader]

  /// The body as a JSON value.
  /// - Throws: `DecodingError`.
  public func json() throws -> JSONValue { try JSONValue(parsing: payload) }

  /// The body as a typed value.
  /// - Throws: `DecodingError`.
  public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(payload))
  }
}

/// Thrown by a handler that knows that trying again is useless: the delivery is dead at once.
public struct EventHandlerError: Error, Sendable {
  public let reason: String

  private init(reason: String) { self.reason = reason }

  /// - Parameter reason: shown to operators and stored; no secrets.
  public static func permanent(_ reason: String) -> EventHandlerError {
    EventHandlerError(reason: reason)
  }
}
