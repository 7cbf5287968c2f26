import Fairlead
import HTTPTypes
import Synchronization

/// Google: OAuth with consent by scope, identity, and Calendar v3 with sync tokens and watches.
///
/// Not simulated: other Google APIs, calendars that are made, shared or deleted, recurrence rules
/// beyond days and weeks, ID tokens, and batch requests.
final class GoogleSimulator: Simulator {
  let provider = SandboxProvider.google
  /// Notifications on their way to who watches.
  let pushes = GooglePushQueue()
  private let seed: UInt64
  private let state: Mutex<GoogleState>

  init(seed: UInt64) {
    self.seed = seed
    state = Mutex(GoogleState(seed: seed))
  }

  func respond(to request: SimulatedRequest) -> SimulatedResponse {
    let (response, outgoing) = state.withLock { state in
      (state.respond(to: request), state.takeOutgoing())
    }
    pushes.send(outgoing)
    return response
  }

  /// Changes the state as a control asks; what the watchers are to be told comes back.
  func control<Result: Sendable>(
    _ body: (inout GoogleState) throws(GoogleError) -> Result
  ) throws(ControlError) -> (result: Result, pushes: [GooglePush]) {
    try state.withLock { state throws(ControlError) in
      do throws(GoogleError) {
        let result = try body(&state)
        return (result, state.takeOutgoing())
      } catch {
        throw ControlError(error.status == 404 ? .notFound : .invalidRequest, error.message)
      }
    }
  }

  func faultAnswer(_ fault: Fault, now: Timestamp) -> SimulatedResponse {
    var error: GoogleError
    if fault.kind == .rateLimit {
      error = .rateLimited
      error.status = fault.status ?? 403
    } else {
      let status = fault.status ?? 503
      error =
        status == 410
        ? .fullSyncRequired : GoogleError(status, "backendError", "Backend Error")
    }
    if let code = fault.code { error.reason = code }
    var response = error.response
    if let retryAfter = fault.retryAfter {
      response.headers[.retryAfter] = retryAfter.text(now: now)
    }
    return response
  }

  func tooLarge(limit: Int) -> SimulatedResponse {
    GoogleError(413, "uploadTooLarge", "The request is larger than \(limit) bytes.").response
  }

  func expireTokens(now: Timestamp) -> Int { state.withLock { $0.expireTokens(now: now) } }

  func revokeGrants(now: Timestamp) -> Int { state.withLock { $0.revokeGrants() } }

  func snapshot() -> JSONValue { state.withLock { $0.snapshot } }

  func reset() { state.withLock { $0 = GoogleState(seed: seed) } }

  func makeEvents(_ order: EventOrder, now: Timestamp) throws(ControlError) -> [OutgoingEvent] {
    try state.withLock { state throws(ControlError) in
      try state.makeEvents(order, now: now)
    }
  }

  /// A watch names where its messages go.
  func destination(of order: EventOrder, now: Timestamp) throws(ControlError) -> String? {
    try state.withLock { state throws(ControlError) in
      try state.orderedChannel(order, now: now).address
    }
  }

  func sign(_ delivery: EventDelivery, time: Timestamp) -> [(name: String, value: String)] {
    state.withLock { $0.sentPushes[delivery.event.id] }?.headers(forged: delivery.forged) ?? []
  }
}

extension GoogleState {
  mutating func takeOutgoing() -> [GooglePush] {
    defer { outgoing = [] }
    return outgoing
  }
}
