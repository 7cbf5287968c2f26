import HTTPTypes
import Logging

/// A circuit breaker opened, began to try again, or closed.
public struct BreakerChange: Sendable, Equatable {
  public var integration: IntegrationName
  public var position: IntegrationHealth.Breaker
  /// Scheme, host and port.
  public var origin: String
  /// How long calls are refused, after it opened.
  public var pause: Duration?

  public init(
    integration: IntegrationName, position: IntegrationHealth.Breaker, origin: String,
    pause: Duration? = nil
  ) {
    self.integration = integration
    self.position = position
    self.origin = origin
    self.pause = pause
  }
}

extension RequestPipeline {
  /// Ends a call at once while its origin's breaker refuses, before it waits for a permit or quota.
  func refuseWhileOpen(_ logical: LogicalCall) throws {
    guard let wait = logical.lane.breakers.refusal(logical.origin, counted: true) else { return }
    throw refused(logical, wait)
  }

  /// One exchange, if the breaker lets it out.
  /// - Throws: as `exchange`, and `FairleadError` (`serviceUnavailable`) when nothing was sent
  ///   because the breaker is open.
  func guardedExchange(
    _ logical: LogicalCall, _ current: ConnectionCredential, url: UpstreamURL,
    headers: HTTPFields, body: OnceBody, places: [RateGate.Place]
  ) async throws -> Exchange {
    let breakers = logical.lane.breakers
    let origin = logical.origin
    let (ticket, refusal, transition) = breakers.admit(origin)
    report(transition, logical)
    if let refusal {
      for place in places { place.bucket.giveBack() }
      throw refused(logical, refusal)
    }
    logical.attempts = logical.decision?.attempt ?? 0
    let allowed = min(logical.lane.integration.definition.timeout, logical.deadline.remaining)
    do {
      let exchange = try await exchange(
        logical, current, url: url, headers: headers, body: body)
      if let ticket {
        let outcome = Self.outcome(
          of: exchange, given: allowed, timeout: logical.lane.integration.definition.timeout)
        report(breakers.settle(ticket, outcome, at: origin), logical)
      }
      return exchange
    } catch {
      if let ticket { report(breakers.settle(ticket, .ignored, at: origin), logical) }
      throw error
    }
  }

  /// What an exchange says about the origin. A refusal for rate says nothing: it opens no breaker,
  /// and it is no proof that calls work again.
  /// - Parameter given: what the attempt had. A caller that gave it much less than the definition
  ///   does must not close the origin to the others by its impatience.
  static func outcome(
    of exchange: Exchange, given: Duration, timeout: Duration
  ) -> CircuitBreaker.Outcome {
    switch exchange {
    case .answered(let answer):
      switch answer.meaning.errorClass {
      case .transient: return .failure
      case .rateLimited: return .ignored
      default: return .success
      }
    case .failed(let error):
      switch error.kind {
      case .connect, .disconnected, .malformed: return .failure
      case .timeout: return given >= min(timeout / 6, .seconds(30)) ? .failure : .ignored
      case .refusedAddress, .requestBody, .request: return .ignored
      }
    }
  }

  private func refused(_ logical: LogicalCall, _ wait: Duration) -> FairleadError {
    let provider = logical.lane.provider
    return logical.error(
      .serviceUnavailable,
      "\(provider) is temporarily unavailable. Try again in \(FailureMessages.duration(wait)).",
      retryAfter: wait, detail: "circuit breaker of \(logical.origin)")
  }

  private func report(_ transition: CircuitBreaker.Transition?, _ logical: LogicalCall) {
    guard let transition else { return }
    let integration = logical.call.integration
    let origin = logical.origin
    var change = BreakerChange(integration: integration, position: .closed, origin: origin)
    switch transition {
    case .opened(let pause):
      change.position = .open
      change.pause = pause
      logger.warning(
        "A circuit breaker opened: calls are refused for a while",
        metadata: [
          "integration": "\(integration)", "origin": "\(origin)",
          "pause_ms": "\(pause.milliseconds)",
        ])
    case .halfOpened:
      change.position = .halfOpen
      logger.info(
        "A circuit breaker lets a call out to try",
        metadata: ["integration": "\(integration)", "origin": "\(origin)"])
    case .closed:
      logger.notice(
        "A circuit breaker closed: calls go out again",
        metadata: ["integration": "\(integration)", "origin": "\(origin)"])
    }
    observer.breakerChanged(change)
  }
}

// MARK: - For health and metrics

extension RequestPipeline {
  /// Where an integration's circuit breaker stands now; `closed` for one that is not known.
  public func breaker(of integration: IntegrationName) -> IntegrationHealth.Breaker {
    lanes[integration]?.breakers.position ?? .closed
  }

  func breakerFamilies() -> [MetricFamily] {
    var state = MetricFamily(
      "fairlead_breaker_state", .gauge,
      help: "Circuit breaker of the integration: 0 closed, 1 half open, 2 open.")
    var opened = MetricFamily(
      "fairlead_breaker_opened_total", .counter, help: "How often a circuit breaker opened.")
    var refused = MetricFamily(
      "fairlead_breaker_refused_total", .counter,
      help: "Calls that ended at once because a circuit breaker was open.")
    for (name, lane) in lanes.sorted(by: { $0.key < $1.key }) {
      let labels = [(name: "integration", value: name.rawValue)]
      let counts = lane.breakers.counts
      let position: Double =
        switch lane.breakers.position {
        case .closed: 0
        case .halfOpen: 1
        case .open: 2
        }
      state.samples.append(.init(labels: labels, value: position))
      opened.samples.append(.init(labels: labels, value: Double(counts.opened)))
      refused.samples.append(.init(labels: labels, value: Double(counts.refused)))
    }
    return [state, opened, refused]
  }
}
