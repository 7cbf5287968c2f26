import HTTPTypes
import Logging

extension RequestPipeline {
  /// The policies, outside in.
  func perform(_ logical: LogicalCall) async throws -> CallResult {
    let call = logical.call
    let lane = logical.lane
    let url = try target(of: logical)
    logical.url = url
    let endpoint = lane.endpoint(of: url.path)
    logical.path = endpoint ?? String(url.path.prefix(512))
    var current = try await usableCredential(logical)
    guard current.connection.integration == call.integration else {
      throw logical.error(.notFound, "There is no such connection to \(lane.provider) here.")
    }
    logical.owner = current.connection.owner
    try adopt(current, logical)
    try refuseWhileOpen(logical)
    try await enterBulkhead(logical)
    let places = lane.gate.places(
      connection: call.connection, method: call.method.rawValue, path: url.path[...],
      endpoint: endpoint)
    try await passGate(logical, places)
    // A token may have run out while we waited.
    if logical.waited > .zero {
      current = try await usableCredential(logical)
      try adopt(current, logical)
    }

    var headers = Headers.outgoing(call.headers, source: call.source)
    Headers.add(lane.integration.definition.defaultHeaders, to: &headers)
    if lane.needsPlainBodies { headers[.acceptEncoding] = "identity" }
    let idempotency = Idempotency.establish(
      method: call.method, headers: &headers,
      settings: lane.integration.definition.idempotency, random: random)
    let body = OnceBody(call.body)
    logical.decision = RetryDecision(policy: lane.policy, idempotency: idempotency)
    lane.budgets.begin(owner: logical.ownerKey)
    logical.holdsBudget = true

    while true {
      let exchange = try await guardedExchange(
        logical, current, url: url, headers: headers, body: body, places: places)
      if case .answered(let answer) = exchange { heed(answer, logical, places) }
      guard let action = decide(logical, exchange, current, body) else {
        throw logical.error(.configurationError, "This call has no retry policy.")
      }
      switch (action, exchange) {
      case (.succeed, .answered(let answer)):
        return close(logical, with: answer, error: nil)
      case (.retry(let delay, let reason), _):
        logger.debug(
          "Retrying a call",
          metadata: [
            "integration": "\(call.integration)", "request": "\(logical.requestID)",
            "attempt": "\(logical.attempts)", "delay_ms": "\(delay.milliseconds)",
          ])
        try await clock.sleep(for: delay)
        logical.waited(
          delay, for: FailureMessages.waitReason(reason, provider: lane.provider))
        for place in places { place.bucket.charge() }
        current = try await usableCredential(logical)
        try adopt(current, logical)
      case (.refresh, .answered(let answer)):
        do {
          current = try await refreshed(logical, current)
          try adopt(current, logical)
          for place in places { place.bucket.charge() }
        } catch var error as FairleadError {
          error.status = answer.status
          if error.integration != nil,
            let result = substitute(logical, for: error, answer: answer)
          {
            return result
          }
          error.integration = call.integration
          error.requestID = logical.requestID
          return close(logical, with: answer, error: error)
        }
      case (.fail(let failure), .answered(let answer)):
        return try await end(logical, answer, failure, current)
      case (.fail(let failure), .failed(let error)):
        throw noAnswer(logical, error, failure, current)
      case (.succeed, .failed(let error)), (.refresh, .failed(let error)):
        throw error
      }
    }
  }

  // MARK: - Before the first attempt

  /// Whose credential the next attempt carries, and where it goes.
  private func adopt(_ current: ConnectionCredential, _ logical: LogicalCall) throws {
    logical.connection = current.connection
    logical.origin = try logical.lane.origin(
      host: logical.call.host, params: current.connection.params)
  }

  private func target(of logical: LogicalCall) throws -> UpstreamURL {
    do {
      return try UpstreamURL(logical.call.path)
    } catch let refused as UpstreamURL.Refused {
      throw logical.error(
        .invalidRequest,
        "The path cannot be sent to \(logical.lane.provider): \(refused.reason).")
    }
  }

  private func usableCredential(_ logical: LogicalCall) async throws -> ConnectionCredential {
    let credentials = credentials
    let connection = logical.call.connection
    return try await logical.deadline.limit {
      try await credentials.usableCredential(for: connection)
    }
  }

  private func refreshed(
    _ logical: LogicalCall, _ failed: ConnectionCredential
  ) async throws -> ConnectionCredential {
    let credentials = credentials
    let connection = logical.call.connection
    let version = failed.connection.version
    return try await logical.deadline.limit {
      try await credentials.refreshedCredential(for: connection, after: version)
    }
  }

  private func enterBulkhead(_ logical: LogicalCall) async throws {
    let lane = logical.lane
    if !lane.bulkhead.tryAcquire() {
      let before = clock.uptime
      do {
        try await lane.bulkhead.acquire(
          owner: logical.ownerKey, priority: logical.call.priority, deadline: logical.deadline)
      } catch let error where error is Bulkhead.Full || error is Deadline.Exceeded {
        throw logical.error(
          .serviceUnavailable,
          "Too many calls to \(lane.provider) are under way. Try again in a moment.",
          detail: "bulkhead of \(lane.integration.definition.bulkhead)")
      }
      logical.waited(
        clock.uptime - before, for: "waited for earlier calls to \(lane.provider) to end")
    }
    logical.holdsPermit = true
  }

  private func passGate(_ logical: LogicalCall, _ places: [RateGate.Place]) async throws {
    let lane = logical.lane
    do {
      let (waited, limit) = try await lane.gate.acquire(
        places, owner: logical.ownerKey, priority: logical.call.priority,
        deadline: logical.deadline.uptime)
      logical.waited(
        waited,
        for: limit.map { "\(lane.provider)'s rate limit (\($0))" }
          ?? "\(lane.provider) asked us to wait")
    } catch let late as RateGate.TooLong {
      let failure = RetryDecision.Failure(
        code: .rateLimitExceeded, retryAfter: late.retryAfter)
      throw logical.error(
        .rateLimitExceeded,
        FailureMessages.text(
          failure, provider: lane.provider, ownWords: nil, credential: .none),
        retryAfter: late.retryAfter, detail: late.limit.map { "limit \($0)" })
    }
  }

  // MARK: - After an attempt

  private func decide(
    _ logical: LogicalCall, _ exchange: Exchange, _ current: ConnectionCredential,
    _ body: OnceBody
  ) -> RetryDecision.Action? {
    let outcome: RetryDecision.Outcome =
      switch exchange {
      case .answered(let answer):
        .answered(
          answer.meaning, status: answer.status, hint: answer.hint,
          shouldRetry: answer.shouldRetry)
      case .failed(let error): .failed(error)
      }
    let circumstances = RetryDecision.Circumstances(
      bodyReplayable: body.isReplayable, refreshable: current.credential.isRefreshable,
      remaining: logical.deadline.remaining,
      refusedFor: logical.lane.breakers.refusal(logical.origin), random: random,
      takeFromBudget: { cost in
        let taken = logical.lane.budgets.take(
          cost: cost, isRetrying: logical.lastRetryCost != nil, owner: logical.ownerKey)
        if taken { logical.lastRetryCost = cost }
        return taken
      })
    return logical.decision?.next(after: outcome, circumstances)
  }

  /// What an answer teaches about limits, whatever becomes of the call.
  private func heed(_ answer: Answer, _ logical: LogicalCall, _ places: [RateGate.Place]) {
    logical.lane.learn(from: answer.headers, at: places, now: clock.now)
    guard answer.meaning.errorClass == .rateLimited else { return }
    if let hint = answer.hint { places.narrowest?.bucket.pause(for: min(hint, .seconds(3_600))) }
    observer.rateLimited(
      logical.call.integration, connection: logical.call.connection, retryAfter: answer.hint)
  }

  private func end(
    _ logical: LogicalCall, _ answer: Answer, _ failure: RetryDecision.Failure,
    _ current: ConnectionCredential
  ) async throws -> CallResult {
    let error = logical.error(
      failure.code,
      FailureMessages.text(
        failure, provider: logical.lane.provider, ownWords: answer.meaning.message,
        credential: current.credential),
      status: answer.status, retryAfter: failure.retryAfter,
      retryable: failure.refreshForNext ? true : nil,
      detail: failure.budgetExhausted ? "retry budget exhausted" : nil)
    do {
      if failure.grantDied {
        logger.warning(
          "The provider refused a credential",
          metadata: [
            "integration": "\(logical.call.integration)",
            "connection": "\(logical.call.connection)", "status": "\(answer.status)",
          ])
        try await credentials.grantDied(
          of: logical.call.connection, version: current.connection.version,
          reason: error.message)
      } else if failure.refreshForNext {
        _ = try await refreshed(logical, current)
      }
    } catch {
      if error is CancellationError { throw error }
      // The call has its answer; that the connection could not be updated is the operator's to know.
      logger.warning(
        "A connection could not be updated after its credential was refused",
        metadata: [
          "connection": "\(logical.call.connection)", "error": "\(type(of: error))",
        ])
    }
    if !failure.refreshForNext,
      let result = substitute(logical, for: error, answer: answer)
    {
      return result
    }
    return close(logical, with: answer, error: error)
  }

  private func noAnswer(
    _ logical: LogicalCall, _ error: TransportError, _ failure: RetryDecision.Failure,
    _ current: ConnectionCredential
  ) -> FairleadError {
    let provider = logical.lane.provider
    let specific =
      failure.code == .outcomeUnknown ? nil : FailureMessages.text(error, provider: provider)
    return logical.error(
      failure.code,
      specific
        ?? FailureMessages.text(
          failure, provider: provider, ownWords: nil, credential: current.credential),
      detail: failure.budgetExhausted
        ? "retry budget exhausted; \(error.detail)" : "\(error.kind): \(error.detail)")
  }
}

extension Credential {
  /// Whether a new access token can be had without its person.
  var isRefreshable: Bool {
    if case .oauth2(let tokens) = self { tokens.refreshToken != nil } else { false }
  }
}
