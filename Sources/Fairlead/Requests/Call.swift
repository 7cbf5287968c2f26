public import HTTPTypes

/// One logical call to a provider; it may take several attempts.
public struct Call: Sendable {
  public enum Priority: Int, Sendable { case interactive, background }
  public enum Source: String, Sendable { case proxy, api, library, sync }

  public var integration: IntegrationName
  public var connection: ConnectionID
  /// A name from the definition's `hosts`; the base URL when `nil`.
  public var host: String?
  public var method: HTTPRequest.Method
  /// Path and query from the provider's root, as they are sent: `/v1/customers?limit=3`.
  public var path: String
  /// The caller's headers, its own Fairlead credentials already removed.
  public var headers: HTTPFields
  public var body: RequestBody
  /// The total deadline, waits included.
  public var timeout: Duration
  public var priority: Priority
  public var source: Source
  /// Whether a fallback may stand in for the answer, where the integration has one.
  public var allowsFallback = true

  public init(
    integration: IntegrationName, connection: ConnectionID, host: String? = nil,
    method: HTTPRequest.Method, path: String, headers: HTTPFields = [:],
    body: RequestBody = .none, timeout: Duration = .seconds(60),
    priority: Priority = .interactive, source: Source = .library
  ) {
    self.integration = integration
    self.connection = connection
    self.host = host
    self.method = method
    self.path = path
    self.headers = headers
    self.body = body
    self.timeout = timeout
    self.priority = priority
    self.source = source
  }
}

/// What a logical call ended with when the provider answered, success or not. Calls that ended
/// without an answer throw `FairleadError` instead.
public struct CallResult: Sendable {
  public var status: Int
  /// The provider's headers without hop-by-hop ones.
  public var headers: HTTPFields
  /// Iterated once at most.
  public var body: BodyStream
  public var report: CallReport

  public init(status: Int, headers: HTTPFields, body: BodyStream, report: CallReport) {
    self.status = status
    self.headers = headers
    self.body = body
    self.report = report
  }
}

/// How a logical call went, for the answer's `fairlead-*` headers and the call log.
public struct CallReport: Sendable {
  /// What stood in for the provider's answer.
  public enum Fallback: String, Sendable {
    /// Made up here, as the operator set it.
    case canned
    /// The last good answer to the same request.
    case stale
  }

  public var requestID: RequestID
  public var attempts: Int
  /// Time spent waiting on purpose: for quota, for `Retry-After`, in backoff.
  public var waited: Duration
  /// Why, in words: `rate limit of default`, `Retry-After from Slack`.
  public var waitReason: String?
  /// Our reading of a final failure that the provider answered, or that a fallback stands in for;
  /// `nil` for a success.
  public var error: FairleadError?
  /// What the failure means; `nil` for a success.
  public var errorClass: ErrorClass?
  /// Set when the answer is not the provider's; `error` says why.
  public var fallback: Fallback?

  public init(
    requestID: RequestID, attempts: Int = 0, waited: Duration = .zero, waitReason: String? = nil,
    error: FairleadError? = nil, errorClass: ErrorClass? = nil
  ) {
    self.requestID = requestID
    self.attempts = attempts
    self.waited = waited
    self.waitReason = waitReason
    self.error = error
    self.errorClass = errorClass
  }
}
