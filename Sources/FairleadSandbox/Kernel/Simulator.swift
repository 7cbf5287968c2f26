import Fairlead
import HTTPTypes

/// One provider's API, answered from stored state. Thread-safe.
protocol Simulator: Sendable {
  var provider: SandboxProvider { get }

  /// Performs the request's effect and answers it.
  func respond(to request: SimulatedRequest) -> SimulatedResponse

  /// Asked before a request waits for a `slow` fault: a request that may not run beside one under
  /// way is refused here. Whatever is admitted is given to `finish` at its end.
  func admit(_ request: SimulatedRequest) -> SimulatedResponse?
  func finish(_ request: SimulatedRequest)

  /// The provider's own error for a `rate_limit` or `server_error` fault.
  func faultAnswer(_ fault: Fault, now: Timestamp) -> SimulatedResponse

  /// The provider's own error for a body above the kernel's bound.
  func tooLarge(limit: Int) -> SimulatedResponse

  /// Makes every access token issued so far expired. Returns how many it was.
  func expireTokens(now: Timestamp) -> Int

  /// Makes every grant given so far revoked. Returns how many it was.
  func revokeGrants(now: Timestamp) -> Int

  /// Accepts fixed API keys again that a fault made expired or revoked.
  func restoreKeys()

  /// What is stored, for the controls.
  func snapshot() -> JSONValue

  /// Back to the state the seed gives.
  func reset()

  /// Makes (and stores, where the provider keeps events) the events that were ordered.
  func makeEvents(_ order: EventOrder, now: Timestamp) throws(ControlError) -> [OutgoingEvent]

  /// Where the events go that an order without `to` asks for, where the provider itself knows.
  func destination(of order: EventOrder, now: Timestamp) throws(ControlError) -> String?

  /// The headers of one delivery. `time` is the machine's, not the simulators', because receivers
  /// compare it with theirs.
  func sign(_ delivery: EventDelivery, time: Timestamp) -> [(name: String, value: String)]
}

extension Simulator {
  func admit(_ request: SimulatedRequest) -> SimulatedResponse? { nil }
  func finish(_ request: SimulatedRequest) {}
  func restoreKeys() {}
  func destination(of order: EventOrder, now: Timestamp) throws(ControlError) -> String? { nil }
}
