import Fairlead
import HTTPTypes
import Synchronization

/// Slack: OAuth v2 with token rotation, a part of the Web API, and signed events.
///
/// Not simulated: Enterprise organisations, installations without rotation, Slack's own rate limits
/// (use a `rate_limit` fault), and every method that answers `unknown_method`.
final class SlackSimulator: Simulator {
  let provider = SandboxProvider.slack
  private let seed: UInt64
  private let state: Mutex<SlackState>

  init(seed: UInt64) {
    self.seed = seed
    state = Mutex(SlackState(seed: seed))
  }

  func respond(to request: SimulatedRequest) -> SimulatedResponse {
    state.withLock { state in
      let segments = request.segments
      var response: SimulatedResponse
      if segments == ["oauth", "v2", "authorize"] {
        response = state.authorize(request)
      } else if segments.count == 2, segments[0] == "api" {
        response = state.call(segments[1], request)
      } else {
        response = .text("Not found", status: 404)
      }
      response.set("x-slack-req-id", state.random.hexadecimal(32))
      return response
    }
  }

  func setConsent(_ decision: ConsentDecision) {
    state.withLock { $0.consent = decision }
  }

  func faultAnswer(_ fault: Fault, now: Timestamp) -> SimulatedResponse {
    let limited = fault.kind == .rateLimit
    var response = SlackError(fault.code ?? (limited ? "ratelimited" : "service_unavailable"))
      .response
    response.status = fault.status ?? (limited ? 429 : 503)
    if let retryAfter = fault.retryAfter ?? (limited ? .seconds(1) : nil) {
      response.headers[.retryAfter] = retryAfter.text(now: now)
    }
    return response
  }

  func tooLarge(limit: Int) -> SimulatedResponse {
    var response = SlackError("request_too_large").response
    response.status = 413
    return response
  }

  func expireTokens(now: Timestamp) -> Int { state.withLock { $0.expireTokens(now: now) } }

  func revokeGrants(now: Timestamp) -> Int { state.withLock { $0.revokeGrants() } }

  func snapshot() -> JSONValue { state.withLock { $0.snapshot } }

  func reset() { state.withLock { $0 = SlackState(seed: seed) } }

  func makeEvents(_ order: EventOrder, now: Timestamp) throws(ControlError) -> [OutgoingEvent] {
    try state.withLock { state throws(ControlError) in
      try state.makeEvents(order, now: now)
    }
  }

  func sign(_ delivery: EventDelivery, time: Timestamp) -> [(name: String, value: String)] {
    let secret = Sandbox.credentials.slackSigningSecret
    var headers = WebhookSignature.slack(
      delivery.event.body, secret: delivery.forged ? "forged-\(secret)" : secret, time: time)
    if delivery.attempt > 0 {
      headers.append(("x-slack-retry-num", String(delivery.attempt)))
      headers.append(("x-slack-retry-reason", "http_timeout"))
    }
    return headers
  }
}
