import Synchronization

/// The circuit breakers of one integration, one an origin: what one shop's server does says nothing
/// about another's. Thread-safe; nothing here waits.
final class Breakers: Sendable {
  /// Origins that worked are forgotten when there are more than this; beyond the second figure new
  /// ones have no breaker.
  private static let sweepAbove = 1_024
  private static let limit = 4_096

  private struct State {
    var breakers: [String: CircuitBreaker] = [:]
    var counts = Counts()
  }

  /// Since the process started.
  struct Counts: Sendable, Equatable {
    var opened: Int64 = 0
    var refused: Int64 = 0
  }

  /// `nil`: the definition turned them off.
  private let settings: ProviderDefinition.BreakerSettings?
  /// A connection's own host is part of the origin.
  private let isTemplated: Bool
  private let clock: any FairleadClock
  private let random: RandomSource
  private let state = Mutex(State())

  init(_ definition: ProviderDefinition, clock: any FairleadClock, random: RandomSource) {
    settings = definition.breaker
    isTemplated = definition.baseURL.contains("{")
    self.clock = clock
    self.random = random
  }

  /// Asks for an attempt to go out; `nil` as ticket where there is no breaker.
  func admit(
    _ origin: String
  ) -> (ticket: CircuitBreaker.Ticket?, refusal: Duration?, transition: CircuitBreaker.Transition?)
  {
    guard let settings else { return (nil, nil, nil) }
    let now = clock.uptime
    return state.withLock { state in
      if state.breakers[origin] == nil {
        if state.breakers.count >= Self.sweepAbove {
          state.breakers = state.breakers.filter { !$0.value.isIdle(at: now) }
        }
        guard state.breakers.count < Self.limit else { return (nil, nil, nil) }
      }
      let (admission, transition) =
        state.breakers[origin, default: CircuitBreaker(settings)].admit(at: now)
      switch admission {
      case .admitted(let ticket): return (ticket, nil, transition)
      case .refused(let wait):
        state.counts.refused += 1
        return (nil, wait, transition)
      }
    }
  }

  func settle(
    _ ticket: CircuitBreaker.Ticket, _ outcome: CircuitBreaker.Outcome, at origin: String
  ) -> CircuitBreaker.Transition? {
    let jitter = outcome == .failure ? random.unit() : 0
    let now = clock.uptime
    return state.withLock { state in
      let transition = state.breakers[origin]?.settle(ticket, outcome, at: now, jitter: jitter)
      if case .opened? = transition { state.counts.opened += 1 }
      return transition
    }
  }

  /// How long an attempt would be refused now; `nil` when it would go out.
  func refusal(_ origin: String, counted: Bool = false) -> Duration? {
    guard settings != nil else { return nil }
    let now = clock.uptime
    return state.withLock { state in
      let wait = state.breakers[origin]?.refusal(at: now)
      if counted, wait != nil { state.counts.refused += 1 }
      return wait
    }
  }

  /// Where the integration stands as a whole: where its worst origin does. Where every connection
  /// has an origin of its own, one that works is enough.
  var position: IntegrationHealth.Breaker {
    let now = clock.uptime
    let positions = state.withLock { $0.breakers.values.map { $0.position(at: now) } }
    let order: [IntegrationHealth.Breaker] =
      isTemplated ? [.closed, .halfOpen, .open] : [.open, .halfOpen, .closed]
    return order.first(where: positions.contains) ?? .closed
  }

  var counts: Counts { state.withLock { $0.counts } }
}
