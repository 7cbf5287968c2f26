import Fairlead

extension Controls {
  func githubConsent(_ bytes: [UInt8]) throws(ControlError) -> SimulatedResponse {
    let body = try ControlBody(bytes, allowed: ["decision"])
    guard let name = try body.text("decision"), let decision = ConsentDecision(rawValue: name)
    else {
      throw body.wrong("decision", "\"approve\", \"deny\" or \"ask\"")
    }
    github.setConsent(decision)
    return .json(["decision": .string(decision.rawValue)])
  }

  /// What an operator of GitHub decides: whether new tokens expire as a GitHub App's do, and how
  /// many requests a user has in an hour.
  func githubSettings(_ bytes: [UInt8]) throws(ControlError) -> SimulatedResponse {
    let body = try ControlBody(bytes, allowed: ["expiring_tokens", "rate_limit"])
    let expiring = body["expiring_tokens"] == nil ? nil : try body.flag("expiring_tokens")
    let limit = try body.number("rate_limit", in: 1...1_000_000)
    let settings = github.set(expiringTokens: expiring, rateLimit: limit)
    return .json([
      "expiring_tokens": .bool(settings.expiringTokens),
      "rate_limit": .int(Int64(settings.rateLimit)),
    ])
  }
}
