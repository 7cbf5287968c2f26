import Fairlead

/// How many requests a caller made in its hour.
struct GitHubRateWindow: Sendable {
  static let length = Duration.seconds(3_600)

  var reset: Timestamp
  var used = 0
}

extension GitHubState {
  /// Counts a request against its caller's hour.
  /// - Returns: the `x-ratelimit-*` headers, and whether the request is over the limit.
  mutating func count(
    _ caller: GitHubCaller, now: Timestamp, costs: Bool = true
  ) -> (headers: [(name: String, value: String)], isOver: Bool) {
    let key = caller.login ?? ""
    let limit = caller.grant == nil ? min(60, rateLimit) : rateLimit
    var window = windows[key] ?? GitHubRateWindow(reset: now + GitHubRateWindow.length)
    if window.reset <= now { window = GitHubRateWindow(reset: now + GitHubRateWindow.length) }
    let isOver = costs && window.used >= limit
    if costs && !isOver { window.used += 1 }
    windows[key] = window
    return (
      Self.rateHeaders(limit: limit, used: min(window.used, limit), reset: window.reset.seconds),
      isOver
    )
  }

  static func rateHeaders(
    limit: Int, used: Int, reset: Int64
  ) -> [(name: String, value: String)] {
    [
      ("x-ratelimit-limit", String(limit)), ("x-ratelimit-remaining", String(limit - used)),
      ("x-ratelimit-used", String(used)), ("x-ratelimit-reset", String(reset)),
      ("x-ratelimit-resource", "core"),
    ]
  }

  /// `GET /rate_limit`, which costs nothing.
  mutating func rateLimits(_ caller: GitHubCaller, now: Timestamp) -> SimulatedResponse {
    _ = count(caller, now: now, costs: false)
    let limit = caller.grant == nil ? min(60, rateLimit) : rateLimit
    let window = windows[caller.login ?? ""] ?? GitHubRateWindow(reset: now)
    let used = min(window.used, limit)
    let core: JSONValue = [
      "limit": .int(Int64(limit)), "used": .int(Int64(used)),
      "remaining": .int(Int64(limit - used)), "reset": .int(window.reset.seconds),
    ]
    return .json(["resources": ["core": core], "rate": core])
  }
}
