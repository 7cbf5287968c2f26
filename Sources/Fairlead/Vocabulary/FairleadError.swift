/// The code of an error that is born in Fairlead, as callers script against it.
public enum ErrorCode: String, Sendable, Codable, CaseIterable {
  case serviceUnavailable = "SERVICE_UNAVAILABLE"
  case configurationError = "CONFIGURATION_ERROR"
  case rateLimitExceeded = "RATE_LIMIT_EXCEEDED"
  case quotaExhausted = "QUOTA_EXHAUSTED"
  case needsReauth = "NEEDS_REAUTH"
  case outcomeUnknown = "OUTCOME_UNKNOWN"
  case unauthenticated = "UNAUTHENTICATED"
  case forbidden = "FORBIDDEN"
  case notFound = "NOT_FOUND"
  case invalidRequest = "INVALID_REQUEST"
  case conflict = "CONFLICT"
  case payloadTooLarge = "PAYLOAD_TOO_LARGE"
  case upstreamTimeout = "UPSTREAM_TIMEOUT"

  /// The HTTP status the code is answered with.
  public var status: Int {
    switch self {
    case .serviceUnavailable: 503
    case .configurationError: 500
    case .rateLimitExceeded: 429
    case .quotaExhausted: 402
    case .needsReauth, .outcomeUnknown: 424
    case .unauthenticated: 401
    case .forbidden: 403
    case .notFound: 404
    case .invalidRequest: 400
    case .conflict: 409
    case .payloadTooLarge: 413
    case .upstreamTimeout: 504
    }
  }

  /// Whether the same request may succeed later, unchanged, without risk of a duplicate.
  public var retryable: Bool {
    switch self {
    case .serviceUnavailable, .rateLimitExceeded, .upstreamTimeout: true
    default: false
    }
  }
}

/// The one error a user of Fairlead meets, in Swift and (as JSON) over HTTP.
///
/// `message` is fit for an end user: what happened and what to do, without secrets, never a bare
/// status code. `detail` is for the operator's log and is not sent over HTTP.
public struct FairleadError: Error, Sendable {
  public var code: ErrorCode
  public var message: String
  /// The integration concerned, where there is one.
  public var integration: IntegrationName?
  /// The provider's HTTP status, where it answered.
  public var status: Int?
  public var retryable: Bool
  /// How long to wait before the same call may work.
  public var retryAfter: Duration?
  public var requestID: RequestID?
  /// A page that explains the error.
  public var docs: String?
  public var detail: String?
  /// How many attempts a call took before it failed, where it was one.
  public var attempts: Int?
  /// How long it waited on purpose, and why.
  public var waited: Duration?
  public var waitReason: String?

  public init(
    _ code: ErrorCode, _ message: String, integration: IntegrationName? = nil, status: Int? = nil,
    retryable: Bool? = nil, retryAfter: Duration? = nil, requestID: RequestID? = nil,
    docs: String? = nil, detail: String? = nil
  ) {
    self.code = code
    self.message = message
    self.integration = integration
    self.status = status
    self.retryable = retryable ?? code.retryable
    self.retryAfter = retryAfter
    self.requestID = requestID
    self.docs = docs
    self.detail = detail
  }
}

extension FairleadError: CustomStringConvertible {
  public var description: String {
    detail.map { "\(code.rawValue): \(message) (\($0))" } ?? "\(code.rawValue): \(message)"
  }
}
