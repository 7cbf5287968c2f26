/// One event on its way to one handler.
public struct Delivery: Sendable, Hashable {
  public enum Status: String, Sendable, Hashable, Codable, CaseIterable {
    /// Not tried yet.
    case pending
    /// Failed; tried again at `nextAttemptAt`.
    case waiting
    case succeeded
    /// Given up.
    case dead
    /// No longer wanted: its event was replayed meanwhile, or its destination deleted.
    case cancelled

    var isOpen: Bool { self == .pending || self == .waiting }
  }

  /// Who gets the event.
  public enum Target: Sendable, Hashable {
    /// Swift code, by the name it was registered with.
    case handler(String)
    case destination(DestinationID)
  }

  public var id: DeliveryID
  public var event: EventID
  public var target: Target
  public var status: Status
  /// Attempts that ended, well or not.
  public var attempts: Int
  /// Attempts during which the process ended.
  public var crashes: Int
  public var createdAt: Timestamp
  public var updatedAt: Timestamp
  public var nextAttemptAt: Timestamp?
  public var error: String?
  /// Oldest first; at most the newest 20.
  public var history: [DeliveryAttempt] = []
}

/// One attempt and how it ended.
public struct DeliveryAttempt: Sendable, Hashable {
  public var number: Int
  public var startedAt: Timestamp
  public var duration: Duration
  public var succeeded: Bool
  /// The destination's HTTP status, where it answered.
  public var status: Int?
  public var error: String?
  /// The start of the destination's answer, up to 1 KiB, without what looks like a secret.
  public var response: String?
}

/// Which deliveries a list holds. Empty parts match everything.
public struct DeliveryFilter: Sendable {
  public var event: EventID?
  public var destination: DestinationID?
  public var status: Delivery.Status?

  public init(
    event: EventID? = nil, destination: DestinationID? = nil, status: Delivery.Status? = nil
  ) {
    self.event = event
    self.destination = destination
    self.status = status
  }
}

// MARK: - JSON

extension Delivery: Encodable {
  private enum CodingKeys: String, CodingKey {
    case id, event, handler, destination, status, attempts, crashes, error, history
    case createdAt = "created_at"
    case updatedAt = "updated_at"
    case nextAttemptAt = "next_attempt_at"
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(event, forKey: .event)
    switch target {
    case .handler(let name): try container.encode(name, forKey: .handler)
    case .destination(let id): try container.encode(id, forKey: .destination)
    }
    try container.encode(status, forKey: .status)
    try container.encode(attempts, forKey: .attempts)
    try container.encode(crashes, forKey: .crashes)
    try container.encode(createdAt, forKey: .createdAt)
    try container.encode(updatedAt, forKey: .updatedAt)
    try container.encodeIfPresent(nextAttemptAt, forKey: .nextAttemptAt)
    try container.encodeIfPresent(error, forKey: .error)
    try container.encode(history, forKey: .history)
  }
}

extension DeliveryAttempt: Encodable {
  private enum CodingKeys: String, CodingKey {
    case number, succeeded, status, error, response
    case startedAt = "started_at"
    case duration = "duration_ms"
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(number, forKey: .number)
    try container.encode(startedAt, forKey: .startedAt)
    try container.encode(Double(duration.microseconds) / 1_000, forKey: .duration)
    try container.encode(succeeded, forKey: .succeeded)
    try container.encodeIfPresent(status, forKey: .status)
    try container.encodeIfPresent(error, forKey: .error)
    try container.encodeIfPresent(response, forKey: .response)
  }
}
