import HTTPTypes

/// What all calls to one integration share: its limits, permits, budgets, and its definition made
/// ready for use.
final class IntegrationLane: Sendable {
  let integration: Integration
  let policy: RetryPolicy
  let classifier: Classifier
  let gate: RateGate
  let bulkhead: Bulkhead
  let budgets = RetryBudgets()
  let breakers: Breakers
  let fallback: FallbackPolicy?
  /// Where last good answers are kept; `nil` when they are not.
  let stale: StaleAnswers?
  /// A body that is compressed cannot be classified, nor addresses in it rewritten.
  let needsPlainBodies: Bool
  private let endpoints: [PathTemplate]
  private let limitHeaders: LimitHeaders?

  private struct LimitHeaders: Sendable {
    let remaining: HTTPField.Name
    let reset: HTTPField.Name
    let format: ProviderDefinition.LimitHeaders.Format
  }

  init(_ integration: Integration, clock: any FairleadClock, random: RandomSource) {
    let definition = integration.definition
    self.integration = integration
    policy = RetryPolicy(definition.retry)
    classifier = Classifier(definition.errors)
    gate = RateGate(limits: integration.limits, clock: clock)
    bulkhead = Bulkhead(limit: definition.bulkhead)
    needsPlainBodies =
      definition.errors.contains { !$0.when.bodyPaths.isEmpty }
      || !definition.rewrite.bodyURLs.isEmpty
    breakers = Breakers(definition, clock: clock, random: random)
    fallback = FallbackPolicy(integration.activeFallback)
    stale = fallback?.staleIfError == nil ? nil : StaleAnswers(clock: clock)
    endpoints = definition.endpoints.map(PathTemplate.init)
    limitHeaders = definition.limitHeaders.flatMap { headers in
      guard let remaining = HTTPField.Name(headers.remaining),
        let reset = HTTPField.Name(headers.reset)
      else { return nil }
      return LimitHeaders(remaining: remaining, reset: reset, format: headers.resetFormat)
    }
  }

  /// When a refused call may come again, by the limit's own headers: where nothing is left, at its
  /// reset.
  func reset(in headers: HTTPFields, now: Timestamp) -> Duration? {
    guard let limitHeaders, headers[limitHeaders.remaining]?.trimmed == "0",
      let text = headers[limitHeaders.reset]
    else { return nil }
    return RetryAfter.reset(text, format: limitHeaders.format, headers: headers, now: now)
  }

  var provider: String { integration.definition.displayName }

  /// The endpoint template a path matches.
  func endpoint(of path: String) -> String? {
    endpoints.first { $0.matches(path[...]) }?.text
  }

  /// Where a call goes.
  /// - Throws: `FairleadError`.
  func origin(host: String?, params: [String: String]) throws -> String {
    let origin = try integration.origin(host: host, params: params)
    if params.isEmpty || Self.isSafe(origin) { return origin }
    throw FairleadError(
      .configurationError,
      "This connection to \(provider) has a parameter that is no part of a host name. Connect it again.",
      integration: integration.name)
  }

  /// A parameter must not have brought user info, a path or a query into the host.
  private static func isSafe(_ origin: String) -> Bool {
    guard let scheme = origin.firstRange(of: "://") else { return false }
    let host = origin[scheme.upperBound...].prefix { $0 != "/" }
    return !host.isEmpty
      && host.utf8.allSatisfy {
        switch $0 {
        case 48...57, 65...90, 97...122, 45, 46, 58, 91, 93: true
        default: false
        }
      }
  }

  /// Lets the provider's own count correct ours, downwards.
  func learn(from headers: HTTPFields, at places: [RateGate.Place], now: Timestamp) {
    guard let limitHeaders, let text = headers[limitHeaders.remaining]?.trimmed,
      let remaining = Int(text), let bucket = places.narrowest?.bucket
    else { return }
    let reset = headers[limitHeaders.reset].flatMap {
      RetryAfter.reset($0, format: limitHeaders.format, headers: headers, now: now)
    }
    // A provider whose clock or header is off must not silence itself for longer than an hour.
    bucket.correct(remaining: remaining, reset: reset.map { min($0, .seconds(3_600)) })
  }
}
