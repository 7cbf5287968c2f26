import HTTPTypes

/// How one exchange with the provider ended.
enum Exchange {
  case answered(Answer)
  case failed(TransportError)
}

extension RequestPipeline {
  /// One exchange, within its own timeout. The circuit breaker goes around this, inside the retries.
  /// - Throws: `FairleadError` for what no attempt can cure; `CancellationError`.
  func exchange(
    _ logical: LogicalCall, _ current: ConnectionCredential, url: UpstreamURL,
    headers: HTTPFields, body: OnceBody
  ) async throws -> Exchange {
    let lane = logical.lane
    let definition = lane.integration.definition
    var url = url
    var headers = headers
    do {
      try Authorization.apply(
        current.credential, placement: definition.apply, headers: &headers, url: &url)
    } catch let unusable as Authorization.Unusable {
      throw logical.error(
        .configurationError,
        "The credential stored for \(lane.provider) cannot be used. Connect \(lane.provider) again.",
        detail: unusable.reason)
    }
    let remaining = logical.deadline.remaining
    guard remaining > .zero else { throw Deadline.Exceeded() }
    let request = TransportRequest(
      method: logical.call.method, url: url.absolute(under: logical.origin), headers: headers,
      body: body.make())
    let started = clock.uptime
    do {
      let response = try await transport.send(request, timeout: min(definition.timeout, remaining))
      let duration = clock.uptime - started
      var answer = try await Answer.read(
        response, method: logical.call.method, classifier: lane.classifier,
        deadline: logical.deadline, now: clock.now)
      if answer.hint == nil, answer.meaning.errorClass == .rateLimited {
        answer.hint = lane.reset(in: answer.headers, now: clock.now) ?? answer.meaning.wait
      }
      logical.exchanges.append(
        CallRecord.Attempt(
          status: answer.status, errorClass: answer.meaning.errorClass, duration: duration))
      return .answered(answer)
    } catch {
      if Task.isCancelled { throw CancellationError() }
      let failure =
        error as? TransportError
        ?? TransportError(.disconnected, nothingSent: false, detail: "\(type(of: error))")
      logical.exchanges.append(
        CallRecord.Attempt(failure: failure.kind, duration: clock.uptime - started))
      return .failed(failure)
    }
  }
}
