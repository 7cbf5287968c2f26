import HTTPTypes
public import Logging

/// Every call to a provider passes here: deadline, then bulkhead and rate gate, then retries, then
/// the circuit breaker, then one attempt at a time with its own timeout; a refresh of the credential
/// and one replay happen inside an attempt. A fallback may stand in for what finally failed.
///
/// Thread-safe; one for the whole process, because limits and budgets live in it.
public final class RequestPipeline: Sendable {
  private let integrations: IntegrationRegistry
  let lanes: [IntegrationName: IntegrationLane]
  let credentials: any CredentialSource
  let transport: any Transport
  let clock: any FairleadClock
  let random: RandomSource
  let observer: any CallObserver
  let logger: Logger

  public init(
    integrations: IntegrationRegistry, credentials: any CredentialSource, transport: any Transport,
    clock: any FairleadClock, random: RandomSource, observer: any CallObserver, logger: Logger
  ) {
    self.integrations = integrations
    self.credentials = credentials
    self.transport = transport
    self.clock = clock
    self.random = random
    self.observer = observer
    self.logger = logger
    lanes = Dictionary(
      integrations.all.map { ($0.name, IntegrationLane($0, clock: clock, random: random)) },
      uniquingKeysWith: { first, _ in first })
  }

  /// Makes a logical call.
  ///
  /// Returns as soon as the head of the final answer is there, whether it is a success or a failure
  /// that the provider answered (then `report.error` says what it means). The body passes chunk by
  /// chunk; the call holds its permit until the body has ended or is dropped.
  /// - Throws: `FairleadError` when the call ended without an answer; `CancellationError`.
  public func send(_ call: Call) async throws -> CallResult {
    let integration = try integrations.require(call.integration)
    guard let lane = lanes[call.integration] else {
      throw FairleadError(
        .configurationError, "The integration \(integration.name) is not ready.",
        integration: integration.name)
    }
    let logical = LogicalCall(call, lane: lane, clock: clock, random: random)
    do {
      return try await perform(logical)
    } catch {
      if let result = substitute(logical, for: error) { return result }
      throw close(logical, failed: error)
    }
  }

  // MARK: - Ends

  /// The result for an answer, success or not.
  func close(_ logical: LogicalCall, with answer: Answer, error: FairleadError?) -> CallResult {
    let record = logical.record(
      status: answer.status, errorCode: error?.code, errorClass: answer.meaning.errorClass,
      uptime: clock.uptime)
    let completion = settle(logical, record, succeeded: error == nil)
    var body = answer.body
    if let bytes = answer.bufferedBytes {
      completion.count(bytes)
      completion.finish(.complete)
    } else {
      // A write that was answered as done may well be done: that must not invite a second one.
      let isUnsure = error == nil && logical.decision?.idempotency.callerMayRepeat != true
      let provider = logical.lane.provider
      let brokenOff =
        error
        ?? logical.error(
          isUnsure ? .outcomeUnknown : .serviceUnavailable,
          isUnsure
            ? "We could not confirm whether \(provider) did this. Check before trying again."
            : "\(provider) broke off in the middle of its answer. Try again in a moment.",
          status: answer.status, retryable: false)
      body = completion.track(body) { cause in
        if cause is CancellationError { return cause }
        var error = brokenOff
        error.detail = (cause as? TransportError)?.detail ?? "\(type(of: cause))"
        return error
      }
    }
    if error == nil { body = recorded(body, of: answer, logical) }
    return CallResult(
      status: answer.status, headers: answer.headers, body: body,
      report: CallReport(
        requestID: logical.requestID, attempts: logical.attempts, waited: logical.waited,
        waitReason: logical.waitReason, error: error,
        errorClass: error == nil ? nil : answer.meaning.errorClass))
  }

  /// The result for a call that failed and that something stands in for. It counts as failed.
  func close(
    _ logical: LogicalCall, with substitute: Substitute, error: FairleadError, answer: Answer?
  ) -> CallResult {
    var record = logical.record(
      status: answer?.status, errorCode: error.code,
      errorClass: answer?.meaning.errorClass ?? Self.errorClass(error.code), uptime: clock.uptime)
    record.fallback = true
    let completion = settle(logical, record, succeeded: false)
    completion.count(substitute.bytes)
    completion.finish(.complete)
    var report = CallReport(
      requestID: logical.requestID, attempts: logical.attempts, waited: logical.waited,
      waitReason: logical.waitReason, error: error)
    report.fallback = substitute.kind
    return CallResult(
      status: substitute.status, headers: substitute.headers, body: substitute.body, report: report)
  }

  /// What the caller gets for a call without an answer.
  private func close(_ logical: LogicalCall, failed error: any Error) -> any Error {
    var failure = error
    if Task.isCancelled || error is CancellationError {
      failure = CancellationError()
    } else {
      failure = fairleadError(for: error, logical)
    }
    let code = (failure as? FairleadError)?.code
    let record = logical.record(
      status: nil, errorCode: code, errorClass: code.flatMap(Self.errorClass),
      uptime: clock.uptime, cancelled: failure is CancellationError)
    settle(logical, record, succeeded: false).finish(.none)
    return failure
  }

  private func settle(
    _ logical: LogicalCall, _ record: CallRecord, succeeded: Bool
  ) -> Completion {
    if logical.holdsBudget {
      logical.lane.budgets.end(
        owner: logical.ownerKey, succeeded: succeeded, lastCost: logical.lastRetryCost)
    }
    return Completion(
      record, observer: observer, bulkhead: logical.holdsPermit ? logical.lane.bulkhead : nil)
  }

  func fairleadError(for error: any Error, _ logical: LogicalCall) -> FairleadError {
    let provider = logical.lane.provider
    var failure: FairleadError
    switch error {
    case let error as FairleadError: failure = error
    case is Deadline.Exceeded:
      failure = logical.error(
        .upstreamTimeout, "\(provider) took too long to answer. Try again in a moment.",
        detail: "the deadline of \(logical.call.timeout) passed")
    default:
      failure = logical.error(
        .serviceUnavailable, "\(provider) cannot be reached right now. Try again in a moment.",
        detail: "\(type(of: error))")
    }
    failure.integration = failure.integration ?? logical.call.integration
    failure.requestID = failure.requestID ?? logical.requestID
    // An attempt went out before the call failed elsewhere; whether it had its effect is not known.
    if failure.retryable, logical.decision?.outcomeIsUnknown == true {
      failure = logical.error(
        .outcomeUnknown,
        "We could not confirm whether \(provider) did this. Check before trying again.",
        detail: failure.detail)
    }
    failure.attempts = logical.attempts
    failure.waited = logical.waited
    failure.waitReason = logical.waitReason
    return failure
  }

  /// How a failure without an answer counts.
  private static func errorClass(_ code: ErrorCode) -> ErrorClass? {
    switch code {
    case .serviceUnavailable, .upstreamTimeout, .outcomeUnknown: .transient
    case .rateLimitExceeded: .rateLimited
    case .needsReauth: .authRevoked
    case .quotaExhausted: .quotaExhausted
    case .forbidden: .forbidden
    case .notFound: .notFound
    case .invalidRequest, .payloadTooLarge, .conflict: .invalid
    case .configurationError, .unauthenticated: nil
    }
  }
}
