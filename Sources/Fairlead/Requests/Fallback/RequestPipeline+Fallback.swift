import HTTPTypes
import Logging

extension RequestPipeline {
  /// What stands in for a call that ended with an error, if anything may.
  ///
  /// Only a failure of the provider's is covered: storage that fails here says nothing about it.
  func substitute(_ logical: LogicalCall, for error: any Error) -> CallResult? {
    if Task.isCancelled || error is CancellationError { return nil }
    switch error {
    case let error as FairleadError where error.integration != logical.call.integration: return nil
    case is FairleadError: break
    case is Deadline.Exceeded where logical.connection != nil: break
    default: return nil
    }
    return substitute(logical, for: fairleadError(for: error, logical), answer: nil)
  }

  /// What stands in for a final failure, if anything may: the last good answer, else a canned one.
  /// - Parameter answer: what the provider answered, where it did.
  func substitute(
    _ logical: LogicalCall, for error: FairleadError, answer: Answer?
  ) -> CallResult? {
    let call = logical.call
    let lane = logical.lane
    // A sync stores what it gets, and a call through the API waits for the real thing.
    guard call.allowsFallback, call.source == .proxy || call.source == .library,
      let policy = lane.fallback, policy.covers(error.code), let url = logical.url
    else { return nil }
    guard
      let substitute = stale(logical)
        ?? policy.canned(
          for: call, path: url.path, mayHaveHappened: error.code == .outcomeUnknown,
          now: clock.now, random: random)
    else { return nil }
    logger.info(
      "A fallback stands in for a provider's answer",
      metadata: [
        "integration": "\(call.integration)", "request": "\(logical.requestID)",
        "kind": "\(substitute.kind)", "code": "\(error.code.rawValue)",
      ])
    return close(logical, with: substitute, error: error, answer: answer)
  }

  // MARK: - The last good answer

  private func stale(_ logical: LogicalCall) -> Substitute? {
    guard let stale = logical.lane.stale, let (key, connection) = staleKey(logical) else {
      return nil
    }
    return stale.substitute(
      for: key, account: .init(connection), request: logical.call.headers)
  }

  /// The body of a good answer; kept for bad times where that is wanted and allowed.
  func recorded(_ body: BodyStream, of answer: Answer, _ logical: LogicalCall) -> BodyStream {
    guard let stale = logical.lane.stale, let limit = logical.lane.fallback?.staleIfError,
      answer.status == 200, let (key, connection) = staleKey(logical)
    else { return body }
    let request = logical.call.headers
    guard
      let lifetime = StaleRules.lifetime(
        request: request, answer: answer.headers, limit: limit, isShared: connection.owner == nil)
    else { return body }
    if let length = answer.headers[.contentLength].flatMap({ Int($0) }),
      length > StaleAnswers.largestBody
    {
      return body
    }
    let selectedBy = StaleRules.selecting(answer.headers).map { ($0, request.text($0)) }
    let age = answer.headers[.age].flatMap { Int64($0) } ?? 0
    let clock = clock
    let answeredAt = clock.uptime
    return stale.recording(body) { whole in
      stale.store(
        StaleAnswers.Entry(
          account: .init(connection), status: answer.status, headers: answer.headers, body: whole,
          selectedBy: Dictionary(selectedBy, uniquingKeysWith: { first, _ in first }),
          age: .seconds(min(max(0, age), 86_400)), lifetime: lifetime, storedAt: answeredAt),
        for: key)
    }
  }

  private func staleKey(
    _ logical: LogicalCall
  ) -> (key: StaleAnswers.Key, connection: Connection)? {
    guard logical.call.method == .get, let connection = logical.connection else { return nil }
    let key = StaleAnswers.Key(
      connection: connection.id, origin: logical.origin, target: logical.call.path,
      headers: StaleRules.choosing(logical.call.headers, source: logical.call.source))
    return (key, connection)
  }

  /// Forgets what a connection was answered: it has ended, or is another account's now.
  public func forgetAnswers(of connection: ConnectionID) {
    for lane in lanes.values { lane.stale?.forget(connection) }
  }

  /// Whether something can stand in for an integration's answers.
  public func hasFallback(_ integration: IntegrationName) -> Bool {
    lanes[integration]?.fallback != nil
  }
}
