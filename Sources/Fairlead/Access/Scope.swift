/// What an API key may do.
public struct Scope: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: String

  public init(rawValue: String) { self.rawValue = rawValue }

  /// Calls through the proxy, and durable calls.
  public static let proxy = Scope(rawValue: "proxy")
  /// Connect links; making, refreshing and ending connections.
  public static let connections = Scope(rawValue: "connections")
  /// Reading a connection's access token. Apart, because a token works without us.
  public static let tokens = Scope(rawValue: "tokens")
  /// Events, deliveries and destinations, replays included.
  public static let events = Scope(rawValue: "events")
  /// Syncs and records.
  public static let syncs = Scope(rawValue: "syncs")
  /// Looking: integrations, health, alerts, the call log.
  public static let read = Scope(rawValue: "read")

  public static let all: [Scope] = [.proxy, .connections, .tokens, .events, .syncs, .read]
  /// What a key gets when nothing is asked for: everything but the tokens themselves.
  public static let usual: [Scope] = all.filter { $0 != .tokens }

  public var description: String { rawValue }

  /// - Throws: `FairleadError` (`invalidRequest`) that lists the scopes.
  public init(named name: String) throws {
    guard let known = Self.all.first(where: { $0.rawValue == name }) else {
      throw FairleadError(
        .invalidRequest,
        "There is no scope \(name.asLabel ?? ""). The scopes are "
          + Self.all.map(\.rawValue).joined(separator: ", ") + ".")
    }
    self = known
  }
}
