import Fairlead
import HTTPTypes
import Synchronization

/// Stripe: customers, products, prices, subscriptions with their first invoice, payment intents,
/// payment methods, charges and events of API v1, with idempotency and signed webhooks.
///
/// Every customer counts as having a working test card unless a declining one is its default, so a
/// subscription without a payment method becomes `active`. Not simulated: Connect, API v2, later
/// invoices of a subscription, taxes, refunds and rate limits (use a `rate_limit` fault).
final class StripeSimulator: Simulator {
  let provider = SandboxProvider.stripe
  private let seed: UInt64
  private let state: Mutex<StripeState>
  /// Idempotency keys whose first request is under way.
  private let inFlight = Mutex<Set<String>>([])

  init(seed: UInt64) {
    self.seed = seed
    state = Mutex(StripeState(seed: seed))
  }

  func respond(to request: SimulatedRequest) -> SimulatedResponse {
    state.withLock { $0.respond(to: request) }
  }

  func admit(_ request: SimulatedRequest) -> SimulatedResponse? {
    guard let key = Self.idempotencyKey(request) else { return nil }
    guard !inFlight.withLock({ $0.insert(key).inserted }) else { return nil }
    var error = StripeError(
      status: 409, type: "invalid_request_error",
      message: "Another request with this idempotency key is in progress.")
    error.code = "idempotency_key_in_use"
    var response = error.response
    response.set("Request-Id", "req_" + state.withLock { $0.random.alphanumeric(14) })
    return response
  }

  func finish(_ request: SimulatedRequest) {
    guard let key = Self.idempotencyKey(request) else { return }
    _ = inFlight.withLock { $0.remove(key) }
  }

  private static func idempotencyKey(_ request: SimulatedRequest) -> String? {
    guard request.method == "POST", let key = request.header("idempotency-key"), !key.isEmpty
    else { return nil }
    return key
  }

  func faultAnswer(_ fault: Fault, now: Timestamp) -> SimulatedResponse {
    let limited = fault.kind == .rateLimit
    var error = StripeError(
      status: fault.status ?? (limited ? 429 : 500),
      type: limited ? "invalid_request_error" : "api_error",
      message: limited
        ? "Too many requests in a short time. Slow down." : "Something went wrong on our side.")
    error.code = fault.code ?? (limited ? "rate_limit" : nil)
    var response = error.response
    response.set("Request-Id", "req_" + state.withLock { $0.random.alphanumeric(14) })
    if limited, fault.code != "lock_timeout" {
      response.set("Stripe-Rate-Limited-Reason", "global-rate")
    }
    if let retryAfter = fault.retryAfter {
      response.headers[.retryAfter] = retryAfter.text(now: now)
    }
    return response
  }

  func tooLarge(limit: Int) -> SimulatedResponse {
    StripeError(
      status: 413, type: "invalid_request_error",
      message: "The request body is larger than \(limit >> 20) MiB."
    ).response
  }

  /// The secret key answers as an expired one until it is restored.
  func expireTokens(now: Timestamp) -> Int {
    state.withLock { $0.key = .expired }
    return 1
  }

  /// The secret key answers as an unknown one until it is restored.
  func revokeGrants(now: Timestamp) -> Int {
    state.withLock { $0.key = .revoked }
    return 1
  }

  func restoreKeys() { state.withLock { $0.key = .accepted } }

  func snapshot() -> JSONValue { state.withLock { $0.snapshot } }

  func reset() {
    state.withLock { $0 = StripeState(seed: seed) }
  }

  func makeEvents(_ order: EventOrder, now: Timestamp) throws(ControlError) -> [OutgoingEvent] {
    try state.withLock { state throws(ControlError) in
      try state.makeEvents(order, now: now)
    }
  }

  func sign(_ delivery: EventDelivery, time: Timestamp) -> [(name: String, value: String)] {
    let secret = Sandbox.credentials.stripeWebhookSecret
    return WebhookSignature.stripe(
      delivery.event.body, secret: delivery.forged ? "\(secret)-forged" : secret, time: time)
  }
}

extension StripeState {
  private static let snapshotLimit = 1_000

  /// The newest objects of each kind, newest first, and how many idempotency keys are kept.
  var snapshot: JSONValue {
    var members: [String: JSONValue] = ["idempotency_keys": .int(Int64(idempotency.count))]
    for kind in StripeKind.allCases {
      let newest = objects[kind]?.newestFirst.prefix(Self.snapshotLimit).map { item in
        JSONValue.object(item.value.filter { $0.key.first != Self.hidden })
      }
      members[kind.collection] = .array(newest ?? [])
    }
    return .object(members)
  }
}
