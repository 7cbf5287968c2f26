import Fairlead
import Testing

@Suite struct HealthOutcomeTests {
  @Test(arguments: [
    (ErrorClass.transient, HealthOutcome.failure), (.authExpired, .failure),
    (.authRevoked, .failure), (.quotaExhausted, .failure), (.rateLimited, .neutral),
    (.conflictRetryable, .success), (.forbidden, .success), (.notFound, .success),
    (.invalid, .success), (.cursorExpired, .success),
  ])
  func theProvidersAnswerDecides(errorClass: ErrorClass, outcome: HealthOutcome) {
    // The code says something else each time, and loses.
    let code: ErrorCode = outcome == .failure ? .invalidRequest : .serviceUnavailable
    #expect(HealthOutcome.of(errorClass: errorClass, errorCode: code) == outcome)
  }

  @Test(arguments: [
    (ErrorCode.serviceUnavailable, HealthOutcome.failure), (.upstreamTimeout, .failure),
    (.outcomeUnknown, .failure), (.needsReauth, .failure), (.quotaExhausted, .failure),
    (.configurationError, .failure), (.rateLimitExceeded, .neutral), (.invalidRequest, .success),
    (.notFound, .success), (.forbidden, .success), (.payloadTooLarge, .success),
    (.conflict, .success), (.unauthenticated, .success),
  ])
  func withoutAnAnswerTheCodeDecides(code: ErrorCode, outcome: HealthOutcome) {
    #expect(HealthOutcome.of(errorClass: nil, errorCode: code) == outcome)
  }

  @Test func aCallWithoutErrorSucceededAndACancelledOneSaysNothing() {
    #expect(HealthOutcome.of(errorClass: nil) == .success)
    #expect(
      HealthOutcome.of(errorClass: .transient, errorCode: .upstreamTimeout, cancelled: true)
        == .neutral)
  }

  @Test(
    arguments: [
      (0, 0, HealthStatus.idle), (1, 0, .healthy), (1, 1, .down), (99, 1, .degraded),
      (100, 1, .degraded), (101, 1, .healthy), (1_000, 9, .healthy), (1_000, 10, .degraded),
      (1_000, 99, .degraded), (1_000, 100, .down), (10, 1, .down), (11, 1, .degraded),
      (1_000_000, 9_999, .healthy), (50, 4, .degraded), (50, 50, .down),
    ] as [(Int64, Int64, HealthStatus)])
  func exactlyOneAndTenPercentFallOnTheWorseSide(
    calls: Int64, failures: Int64, status: HealthStatus
  ) {
    #expect(HealthStatus.of(calls: calls, failures: failures) == status)
  }
}
