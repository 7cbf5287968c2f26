/// One logical call as the call log keeps it: what was asked, how it ended, how long it took.
/// Holds no query, header or body, so nothing secret.
public struct CallLogEntry: Sendable, Equatable {
  public var requestID: RequestID
  public var integration: IntegrationName
  public var connection: ConnectionID
  public var owner: Owner?
  /// Where the call came from: `proxy`, `api`, `library`, `sync`.
  public var source: String
  public var method: String
  /// The endpoint's template where one matched, else the path; without the query.
  public var path: String
  /// The provider's last status; `nil` when it never answered.
  public var status: Int?
  public var errorCode: ErrorCode?
  public var errorClass: ErrorClass?
  public var attempts: Int
  /// How many attempts were answered with a 5xx.
  public var serverErrors: Int
  /// How often a limit held the call back: our own gate or the provider's 429.
  public var rateLimitHits: Int
  /// Time spent waiting on purpose; part of `duration`.
  public var waited: Duration
  public var waitReason: String?
  public var startedAt: Timestamp
  /// From the call's start until its result was known, waits included.
  public var duration: Duration
  public var outcome: HealthOutcome
  /// Whether the caller got a fallback in place of the provider's answer.
  public var fallback: Bool

  public init(
    requestID: RequestID, integration: IntegrationName, connection: ConnectionID,
    owner: Owner? = nil, source: String, method: String, path: String, status: Int? = nil,
    errorCode: ErrorCode? = nil, errorClass: ErrorClass? = nil, attempts: Int = 1,
    serverErrors: Int = 0, rateLimitHits: Int = 0, waited: Duration = .zero,
    waitReason: String? = nil, startedAt: Timestamp, duration: Duration,
    outcome: HealthOutcome, fallback: Bool = false
  ) {
    self.requestID = requestID
    self.integration = integration
    self.connection = connection
    self.owner = owner
    self.source = source
    self.method = method
    self.path = path
    self.status = status
    self.errorCode = errorCode
    self.errorClass = errorClass
    self.attempts = attempts
    self.serverErrors = serverErrors
    self.rateLimitHits = rateLimitHits
    self.waited = waited
    self.waitReason = waitReason
    self.startedAt = startedAt
    self.duration = duration
    self.outcome = outcome
    self.fallback = fallback
  }

  /// When the result was known. Health counts a call at this time.
  public var endedAt: Timestamp { startedAt + duration }

  /// What the provider took: the duration without deliberate waits. Latencies are made of it, so
  /// that a queue in front of a rate limit does not look like a slow provider.
  public var latency: Duration { max(.zero, duration - max(.zero, waited)) }
}

extension CallLogEntry: Encodable {
  private enum CodingKeys: String, CodingKey {
    case id, integration, connection, owner, source, method, path, status
    case errorCode = "error_code"
    case errorClass = "error_class"
    case attempts
    case serverErrors = "server_errors"
    case rateLimitHits = "rate_limit_hits"
    case waitedMS = "waited_ms"
    case waitReason = "wait_reason"
    case startedAt = "started_at"
    case durationMS = "duration_ms"
    case outcome, fallback
  }

  /// The shape of one item of `GET /v1/requests`; times in milliseconds.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(requestID, forKey: .id)
    try container.encode(integration, forKey: .integration)
    try container.encode(connection, forKey: .connection)
    try container.encode(owner, forKey: .owner)
    try container.encode(source, forKey: .source)
    try container.encode(method, forKey: .method)
    try container.encode(path, forKey: .path)
    try container.encode(status, forKey: .status)
    try container.encode(errorCode, forKey: .errorCode)
    try container.encode(errorClass, forKey: .errorClass)
    try container.encode(attempts, forKey: .attempts)
    try container.encode(serverErrors, forKey: .serverErrors)
    try container.encode(rateLimitHits, forKey: .rateLimitHits)
    try container.encode(waited.milliseconds, forKey: .waitedMS)
    try container.encode(waitReason, forKey: .waitReason)
    try container.encode(startedAt, forKey: .startedAt)
    try container.encode(Double(duration.microseconds) / 1_000, forKey: .durationMS)
    try container.encode(outcome, forKey: .outcome)
    try container.encode(fallback, forKey: .fallback)
  }
}
