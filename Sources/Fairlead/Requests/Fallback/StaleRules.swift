import HTTPTypes

/// Which answers may be kept for bad times and for how long, as RFC 9111 and RFC 5861 have it.
enum StaleRules {
  /// - Parameters:
  ///   - limit: the operator's `stale_if_error`.
  ///   - isShared: many people's calls go through the connection.
  /// - Returns: how old the answer may be when it is given; `nil` when it must not be kept.
  static func lifetime(
    request: HTTPFields, answer: HTTPFields, limit: Duration, isShared: Bool
  ) -> Duration? {
    let asked = directives(request)
    guard asked["no-store"] == nil, request[.range] == nil, answer[.contentRange] == nil else {
      return nil
    }
    let said = directives(answer)
    for refusal in ["no-store", "no-cache", "must-revalidate"] where said[refusal] != nil {
      return nil
    }
    if isShared, said["private"] != nil || said["proxy-revalidate"] != nil { return nil }
    if answer[.vary]?.contains("*") == true { return nil }
    if answer[.contentType]?.lowercased().hasPrefix("text/event-stream") == true { return nil }
    let fresh = said["max-age"].flatMap(seconds) ?? .zero
    return fresh + min(limit, said["stale-if-error"].flatMap(seconds) ?? limit)
  }

  /// Whether a request takes an answer that is not fresh.
  static func accepts(_ request: HTTPFields) -> Bool {
    let asked = directives(request)
    return asked["no-cache"] == nil && asked["no-store"] == nil && request[.range] == nil
  }

  /// The headers that the answer depends on, in lower case: those it names, and always those by
  /// which a representation is chosen.
  static func selecting(_ answer: HTTPFields) -> Set<String> {
    let named = (answer[.vary] ?? "").split(separator: ",").map { $0.trimmed.lowercased() }
    return Set(named).union(["accept", "accept-encoding", "accept-language"])
  }

  /// What a request says beside its path that may choose what is answered, by name in lower case.
  ///
  /// One connection may speak for many accounts, and providers choose among them by headers of their
  /// own (`Stripe-Account`, `OpenAI-Organization`), which no `Vary` names. So every header counts that
  /// is not known to choose nothing.
  static func choosing(_ request: HTTPFields, source: Call.Source) -> [String: String] {
    var chosen: [String: String] = [:]
    for field in Headers.outgoing(request, source: source) {
      let name = field.name.canonicalName
      if indifferent.contains(name) || indifferentPrefixes.contains(where: name.hasPrefix) {
        continue
      }
      // Folded as RFC 9110 section 5.3 has it.
      chosen[name] = chosen[name].map { "\($0), \(field.value)" } ?? field.value
    }
    return chosen
  }

  /// Conditions and wishes about caching, which are seen to by themselves; who calls with what
  /// software; traces; the caller's credential, which is replaced.
  private static let indifferent: Set<String> = [
    "authorization", "user-agent", "accept-encoding", "cache-control", "pragma", "if-none-match",
    "if-modified-since", "priority", "origin", "referer", "date", "dnt", "idempotency-key",
    "traceparent", "tracestate", "baggage", "b3", "sentry-trace", "newrelic", "x-request-id",
    "x-correlation-id", "x-client-request-id", "x-amzn-trace-id", "x-cloud-trace-context",
    "x-goog-api-client", "x-stripe-client-user-agent", "x-stripe-client-telemetry",
  ]

  private static let indifferentPrefixes = ["sec-", "x-b3-", "x-datadog-", "x-stainless-"]

  private static func directives(_ headers: HTTPFields) -> [String: String] {
    var directives: [String: String] = [:]
    for part in (headers[.cacheControl] ?? "").prefix(2_000).split(separator: ",") {
      let pair = part.split(separator: "=", maxSplits: 1)
      guard let name = pair.first?.trimmed.lowercased(), !name.isEmpty else { continue }
      directives[name] = pair.count > 1 ? pair[1].trimmed.replacing("\"", with: "") : ""
    }
    return directives
  }

  /// At most a day.
  private static func seconds(_ text: String) -> Duration? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    guard let seconds = Int64(text) else { return .seconds(86_400) }
    return .seconds(min(seconds, 86_400))
  }
}
