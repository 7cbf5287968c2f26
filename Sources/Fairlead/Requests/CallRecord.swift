/// How one logical call went, for health and the call log. Emitted exactly once per logical call.
public struct CallRecord: Sendable {
  /// One exchange with the provider; a replay after a refresh is one more within its attempt.
  public struct Attempt: Sendable, Equatable {
    /// `nil` when there was no answer.
    public var status: Int?
    /// Our reading of a failure that the provider answered.
    public var errorClass: ErrorClass?
    /// Why there was no answer.
    public var failure: TransportError.Kind?
    /// To the answer's head, or to the failure.
    public var duration: Duration

    public init(
      status: Int? = nil, errorClass: ErrorClass? = nil, failure: TransportError.Kind? = nil,
      duration: Duration
    ) {
      self.status = status
      self.errorClass = errorClass
      self.failure = failure
      self.duration = duration
    }
  }

  /// How the answer's body ended.
  public enum BodyEnd: String, Sendable {
    case complete
    /// The provider or the network broke it off.
    case broken
    /// The caller stopped reading, or was cancelled.
    case dropped
    /// There was no answer.
    case none
  }

  public var requestID: RequestID
  public var integration: IntegrationName
  public var connection: ConnectionID
  public var owner: Owner?
  public var source: Call.Source
  public var method: String
  /// The definition's template where one matches, else the path itself; never the query.
  public var path: String
  /// The provider's status; `nil` when the call ended without an answer.
  public var status: Int?
  /// `nil` for a success, and for a call that its caller cancelled.
  public var errorCode: ErrorCode?
  public var errorClass: ErrorClass?
  public var attempts: Int
  public var attemptOutcomes: [Attempt]
  public var waited: Duration
  public var waitReason: String?
  public var startedAt: Timestamp
  /// From the start to the final answer's head, waits included.
  public var duration: Duration
  /// Exchanges answered with a 5xx.
  public var transient5xxCount: Int
  /// The answer did not come from the provider.
  public var fallback: Bool
  /// Of the answer's body, as far as it was read.
  public var bytes: Int
  public var bodyEnd: BodyEnd
  /// The caller gave up before there was an answer.
  public var cancelled: Bool

  public init(
    requestID: RequestID, integration: IntegrationName, connection: ConnectionID,
    owner: Owner? = nil, source: Call.Source = .library, method: String, path: String,
    status: Int? = nil, errorCode: ErrorCode? = nil, errorClass: ErrorClass? = nil,
    attempts: Int = 1, attemptOutcomes: [Attempt] = [], waited: Duration = .zero,
    waitReason: String? = nil, startedAt: Timestamp, duration: Duration,
    transient5xxCount: Int = 0, fallback: Bool = false, bytes: Int = 0,
    bodyEnd: BodyEnd = .complete, cancelled: Bool = false
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
    self.attemptOutcomes = attemptOutcomes
    self.waited = waited
    self.waitReason = waitReason
    self.startedAt = startedAt
    self.duration = duration
    self.transient5xxCount = transient5xxCount
    self.fallback = fallback
    self.bytes = bytes
    self.bodyEnd = bodyEnd
    self.cancelled = cancelled
  }
}

/// Learns of every logical call. Called synchronously on the call's own path: an observer must
/// return at once and never block or wait.
public protocol CallObserver: Sendable {
  func callEnded(_ record: CallRecord)

  /// The provider refused an attempt for its rate; it may still succeed after a wait.
  func rateLimited(
    _ integration: IntegrationName, connection: ConnectionID, retryAfter: Duration?)

  /// A circuit breaker opened, began to try again, or closed.
  func breakerChanged(_ change: BreakerChange)
}

extension CallObserver {
  public func rateLimited(
    _ integration: IntegrationName, connection: ConnectionID, retryAfter: Duration?
  ) {}

  public func breakerChanged(_ change: BreakerChange) {}
}
