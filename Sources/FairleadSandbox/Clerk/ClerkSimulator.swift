import Fairlead
import HTTPTypes
import Synchronization

/// Clerk: users, sessions, session tokens with their key set, and signed events.
///
/// The issuer of its tokens is the URL under which it is reached, `…/clerk`, so that the key set is
/// where verifiers look for it. Its RSA keys are made when they are first needed and are the one
/// thing that does not come from the seed. Not simulated: organisations, invitations, the Frontend
/// API beyond its key set, JWT templates other than the session token.
final class ClerkSimulator: Simulator {
  let provider = SandboxProvider.clerk
  private let seed: UInt64
  private let state: Mutex<ClerkState>

  init(seed: UInt64) {
    self.seed = seed
    state = Mutex(ClerkState(seed: seed))
  }

  func respond(to request: SimulatedRequest) -> SimulatedResponse {
    state.withLock { $0.respond(to: request) }
  }

  func faultAnswer(_ fault: Fault, now: Timestamp) -> SimulatedResponse {
    let limited = fault.kind == .rateLimit
    let error = ClerkError(
      status: fault.status ?? (limited ? 429 : 500),
      code: fault.code ?? (limited ? "too_many_requests" : "internal_clerk_error"),
      message: limited
        ? "Too many requests. Please try again in a bit."
        : "There was an internal error on our servers. We've been notified and are working on "
          + "fixing it.")
    var response = error.response
    if let retryAfter = fault.retryAfter ?? (limited ? .seconds(1) : nil) {
      response.headers[.retryAfter] = retryAfter.text(now: now)
    }
    return response
  }

  func tooLarge(limit: Int) -> SimulatedResponse {
    ClerkError(
      status: 413, code: "request_body_too_large",
      message: "The request body is larger than \(limit >> 20) MiB."
    ).response
  }

  /// The secret key is refused until it is restored; Clerk does not tell expired keys from others.
  func expireTokens(now: Timestamp) -> Int {
    state.withLock { $0.key = .expired }
    return 1
  }

  func revokeGrants(now: Timestamp) -> Int {
    state.withLock { $0.key = .revoked }
    return 1
  }

  func restoreKeys() { state.withLock { $0.key = .accepted } }

  func reset() { state.withLock { $0 = ClerkState(seed: seed) } }

  func snapshot() -> JSONValue {
    state.withLock { state in
      [
        "instance_id": .string(state.instanceID), "requests": .int(Int64(state.requestCount)),
        "user_count": .int(Int64(state.users.count)),
        "users": .array(state.users.newestFirst.prefix(1_000).map { .object($0.value) }),
        "sessions": .array(state.sessions.newestFirst.prefix(1_000).map { .object($0.value) }),
        "keys": .array(state.signingKeys.map { .string($0.id) }),
        "events": .array(
          state.events.newestFirst.prefix(1_000).map {
            ["id": .string($0.id), "type": .string($0.value.type)]
          }),
      ]
    }
  }

  func makeEvents(_ order: EventOrder, now: Timestamp) throws(ControlError) -> [OutgoingEvent] {
    try state.withLock { state throws(ControlError) in
      try state.makeEvents(order, now: now)
    }
  }

  func sign(_ delivery: EventDelivery, time: Timestamp) -> [(name: String, value: String)] {
    let secret = Sandbox.credentials.clerkWebhookSecret
    return WebhookSignature.standard(
      delivery.event.body, id: delivery.event.id,
      secret: delivery.forged ? "whsec_Zm9yZ2Vk" : secret, time: time
    ).map { ($0.name.replacing("webhook-", with: "svix-"), $0.value) }
  }

  // MARK: - Controls

  /// `POST /_sandbox/clerk/tokens` and `POST /_sandbox/clerk/keys/rotate`; `nil` for anything else.
  /// - Parameters:
  ///   - path: what follows `/_sandbox/clerk/`.
  ///   - now: the machine's time, in which the tokens' verifiers live.
  func control(
    _ request: SimulatedRequest, path: [String], now: Timestamp
  ) throws(ControlError) -> SimulatedResponse? {
    guard request.method == "POST" else { return nil }
    switch path {
    case ["tokens"]:
      let order = try ClerkTokenOrder(parsing: request.body)
      return try state.withLock { state throws(ControlError) in
        state.now = now
        return .json(try state.issue(order, issuer: ClerkState.issuer(of: request)), status: 201)
      }
    case ["keys", "rotate"]:
      let body = try ControlBody(request.body, allowed: ["drop_old"])
      let dropsOld = try body.flag("drop_old")
      return state.withLock { state in
        _ = state.currentKey()
        let key = state.addKey()
        if dropsOld { state.signingKeys = [key] }
        return .json(["kid": .string(key.id), "keys": .int(Int64(state.signingKeys.count))])
      }
    default: return nil
    }
  }
}
