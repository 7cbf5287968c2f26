import HTTPTypes

/// The state of one logical call on its way through the pipeline; confined to the call's own task.
final class LogicalCall {
  let call: Call
  let lane: IntegrationLane
  let requestID: RequestID
  let startedAt: Timestamp
  let startedUptime: Duration
  let deadline: Deadline
  var owner: Owner?
  /// The connection with whose credential the call goes out; `nil` before there is one.
  var connection: Connection?
  /// `nil` before the path was found good.
  var url: UpstreamURL?
  /// Scheme, host and port of the last attempt.
  var origin = ""
  /// Of the definition where one matches, else the path.
  var path = ""
  var decision: RetryDecision?
  /// Attempts begun; a replay after a refresh belongs to its attempt.
  var attempts = 0
  var exchanges: [CallRecord.Attempt] = []
  var waited: Duration = .zero
  var waitReason: String?
  private var longestWait: Duration = .zero
  var holdsPermit = false
  var holdsBudget = false
  var lastRetryCost: Int?

  init(_ call: Call, lane: IntegrationLane, clock: any FairleadClock, random: RandomSource) {
    self.call = call
    self.lane = lane
    startedAt = clock.now
    startedUptime = clock.uptime
    requestID = RequestID(at: startedAt, random: random)
    deadline = Deadline(after: call.timeout, clock: clock)
  }

  var ownerKey: String { owner?.rawValue ?? "" }

  /// The reason that is reported is that of the longest wait.
  func waited(_ duration: Duration, for reason: @autoclosure () -> String) {
    guard duration > .zero else { return }
    waited += duration
    if duration > longestWait {
      longestWait = duration
      waitReason = reason()
    }
  }

  func error(
    _ code: ErrorCode, _ message: String, status: Int? = nil, retryAfter: Duration? = nil,
    retryable: Bool? = nil, detail: String? = nil
  ) -> FairleadError {
    FairleadError(
      code, message, integration: call.integration, status: status, retryable: retryable,
      retryAfter: retryAfter, requestID: requestID, detail: detail)
  }

  /// - Parameter uptime: when the answer's head was there, or the call had failed.
  func record(
    status: Int?, errorCode: ErrorCode?, errorClass: ErrorClass?, uptime: Duration,
    cancelled: Bool = false
  ) -> CallRecord {
    CallRecord(
      requestID: requestID, integration: call.integration, connection: call.connection,
      owner: owner, source: call.source, method: call.method.rawValue, path: path, status: status,
      errorCode: errorCode, errorClass: errorClass, attempts: attempts,
      attemptOutcomes: exchanges, waited: waited, waitReason: waitReason, startedAt: startedAt,
      duration: uptime - startedUptime,
      transient5xxCount: exchanges.count { ($0.status ?? 0) >= 500 }, fallback: false, bytes: 0,
      bodyEnd: .none, cancelled: cancelled)
  }
}
