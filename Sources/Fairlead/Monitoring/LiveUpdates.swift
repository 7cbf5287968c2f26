import Synchronization

/// Something that changed, for pages that are open and for `GET /v1/stream`.
public enum LiveUpdate: Sendable {
  /// Calls or webhooks were counted: read its health again.
  case health(IntegrationName)
  /// A call ended.
  case call(CallLogEntry)
  /// A webhook event was stored or moved on.
  case event(EventID, integration: IntegrationName, type: String, status: String)
  /// A sync moved on.
  case sync(Sync)
  /// Records of a model changed: read its feed again.
  case records(model: String, integration: IntegrationName)
  /// An alert fired or was resolved.
  case alert(Alert)

  /// The event name on the stream.
  public var name: String {
    switch self {
    case .health: "health"
    case .call: "call"
    case .event: "event"
    case .sync: "sync"
    case .records: "records"
    case .alert: "alert"
    }
  }

  /// What a key must be allowed to see it.
  public var scope: Scope {
    switch self {
    case .health, .call, .event, .alert: .read
    case .sync, .records: .syncs
    }
  }

  public var integration: IntegrationName {
    switch self {
    case .health(let integration), .event(_, let integration, _, _): integration
    case .call(let entry): entry.integration
    case .sync(let sync): sync.integration
    case .records(_, let integration): integration
    case .alert(let alert): alert.integration
    }
  }
}

extension LiveUpdate: Encodable {
  private enum CodingKeys: String, CodingKey { case integration, id, type, status, model }

  /// The data of the stream's event: a call as in `GET /v1/requests`, an alert as in
  /// `GET /v1/alerts`, a sync as in `GET /v1/syncs`, otherwise what changed.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .call(let entry): try entry.encode(to: encoder)
    case .sync(let sync): try sync.encode(to: encoder)
    case .records(let model, let integration):
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(integration, forKey: .integration)
      try container.encode(model, forKey: .model)
    case .alert(let alert): try alert.encode(to: encoder)
    case .health(let integration):
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(integration, forKey: .integration)
    case .event(let id, let integration, let type, let status):
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(id, forKey: .id)
      try container.encode(integration, forKey: .integration)
      try container.encode(type, forKey: .type)
      try container.encode(status, forKey: .status)
    }
  }
}

/// Hands updates to whoever listens in this process. Publishing never waits: a subscriber that
/// falls behind loses its oldest updates.
public final class LiveUpdates: Sendable {
  private struct State {
    var nextID = 0
    var subscribers: [Int: AsyncStream<LiveUpdate>.Continuation] = [:]
  }

  private let state = Mutex(State())
  private let subscriberLimit: Int
  private let backlog: Int

  /// - Parameters:
  ///   - subscriberLimit: how many may listen at once.
  ///   - backlog: how many updates wait for a slow subscriber.
  public init(subscriberLimit: Int = 200, backlog: Int = 256) {
    self.subscriberLimit = max(0, subscriberLimit)
    self.backlog = max(1, backlog)
  }

  public var subscriberCount: Int { state.withLock { $0.subscribers.count } }
  var hasSubscribers: Bool { state.withLock { !$0.subscribers.isEmpty } }

  public func publish(_ update: LiveUpdate) {
    let subscribers = state.withLock { Array($0.subscribers.values) }
    for subscriber in subscribers { subscriber.yield(update) }
  }

  /// Everything published from now on. The subscription ends when its stream is dropped or its
  /// task cancelled.
  /// - Throws: `FairleadError` (`serviceUnavailable`) when too many listen already.
  public func subscribe() throws -> AsyncStream<LiveUpdate> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: LiveUpdate.self, bufferingPolicy: .bufferingNewest(backlog))
    let id = state.withLock { state -> Int? in
      guard state.subscribers.count < subscriberLimit else { return nil }
      state.nextID += 1
      state.subscribers[state.nextID] = continuation
      return state.nextID
    }
    guard let id else {
      throw FairleadError(
        .serviceUnavailable,
        "\(subscriberLimit) live views are open already. Close one, then reload.",
        retryAfter: .seconds(10))
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { state in state.subscribers[id] = nil }
    }
    return stream
  }

  /// Ends every stream, so that open pages do not hold up a shutdown. Later subscribers get an
  /// update stream as before.
  public func finish() {
    let subscribers = state.withLock { Array($0.subscribers.values) }
    for subscriber in subscribers { subscriber.finish() }
  }
}
