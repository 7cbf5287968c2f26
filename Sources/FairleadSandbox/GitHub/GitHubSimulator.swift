import Fairlead
import HTTPTypes
import Synchronization

/// GitHub: the OAuth flow (also with the expiring, rotating tokens of a GitHub App), a part of the
/// REST API around repositories, issues and comments, and signed webhooks.
///
/// The pages of github.com and the API of api.github.com share the address here; their paths do not
/// meet. Not simulated: Git itself, pull requests, organisations, GraphQL, GitHub's secondary limits
/// (use a `rate_limit` fault with the code `secondary`), and every path that answers 404.
final class GitHubSimulator: Simulator {
  let provider = SandboxProvider.github
  private let seed: UInt64
  private let state: Mutex<GitHubState>

  init(seed: UInt64) {
    self.seed = seed
    state = Mutex(GitHubState(seed: seed))
  }

  func respond(to request: SimulatedRequest) -> SimulatedResponse {
    state.withLock { state in
      var response: SimulatedResponse
      switch request.segments {
      case ["login", "oauth", "authorize"]: response = state.authorize(request)
      case ["login", "oauth", "access_token"]: response = state.accessToken(request)
      default: response = state.call(request)
      }
      response.set("x-github-request-id", state.random.hexadecimal(24))
      return response
    }
  }

  func setConsent(_ decision: ConsentDecision) {
    state.withLock { $0.consent = decision }
  }

  /// What is `nil` stays as it is. Returns what holds afterwards.
  func set(
    expiringTokens: Bool?, rateLimit: Int?
  ) -> (expiringTokens: Bool, rateLimit: Int) {
    state.withLock { state in
      if let expiringTokens { state.expiringTokens = expiringTokens }
      if let rateLimit { state.rateLimit = rateLimit }
      return (state.expiringTokens, state.rateLimit)
    }
  }

  /// `rate_limit` is the hourly one, which says when it ends in `x-ratelimit-reset`; with the code
  /// `secondary` it is the other, which says so in `Retry-After` or not at all.
  func faultAnswer(_ fault: Fault, now: Timestamp) -> SimulatedResponse {
    guard fault.kind == .rateLimit else {
      var response = GitHubError(fault.status ?? 502, fault.code ?? "Server Error").response
      response.headers[.retryAfter] = fault.retryAfter?.text(now: now)
      return response
    }
    let isSecondary = fault.code == "secondary"
    var response = GitHubError(
      fault.status ?? 403,
      isSecondary
        ? "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        : fault.code ?? "API rate limit exceeded for user."
    ).response
    if isSecondary {
      response.headers[.retryAfter] = fault.retryAfter?.text(now: now)
      return response
    }
    var seconds = 1
    if case .seconds(let asked)? = fault.retryAfter { seconds = asked }
    // The end is told in whole seconds: rounded up, so that who waits for it does not come early.
    let reset = (now + .seconds(seconds) + .milliseconds(999)).seconds
    for (name, value) in GitHubState.rateHeaders(limit: 5_000, used: 5_000, reset: reset) {
      response.set(name, value)
    }
    return response
  }

  func tooLarge(limit: Int) -> SimulatedResponse {
    GitHubError(413, "The body is larger than \(limit >> 20) MiB.").response
  }

  func expireTokens(now: Timestamp) -> Int { state.withLock { $0.expireTokens(now: now) } }

  func revokeGrants(now: Timestamp) -> Int { state.withLock { $0.revokeGrants() } }

  func snapshot() -> JSONValue { state.withLock { $0.snapshot } }

  func reset() { state.withLock { $0 = GitHubState(seed: seed) } }

  func makeEvents(_ order: EventOrder, now: Timestamp) throws(ControlError) -> [OutgoingEvent] {
    try state.withLock { state throws(ControlError) in
      try state.makeEvents(order, now: now)
    }
  }

  func sign(_ delivery: EventDelivery, time: Timestamp) -> [(name: String, value: String)] {
    let secret = Sandbox.credentials.githubWebhookSecret
    let event = delivery.event.type.prefix { $0 != "." }
    return WebhookSignature.github(
      delivery.event.body, secret: delivery.forged ? "forged-\(secret)" : secret)
      + [
        ("x-github-event", String(event)), ("x-github-delivery", delivery.event.id),
        ("x-github-hook-id", "1"), ("user-agent", "GitHub-Hookshot/sandbox"),
      ]
  }
}
