/// Whether attempts at one origin go out, are refused for a while, or go out one by one to try: the
/// state machine of a circuit breaker. It performs nothing and knows no clock.
///
/// Closed, it counts. It opens when the share of failures in the window is too large, or when too
/// many attempts in a row fail: an application with five calls a minute never fills a window. Open,
/// it refuses until the break is over. Then it is half open: a wave of probes goes out, the others
/// are still refused; when they all succeed it closes, when one fails it opens for twice as long.
struct CircuitBreaker: Sendable {
  typealias Settings = ProviderDefinition.BreakerSettings

  enum Outcome: Sendable, CaseIterable {
    /// The origin did its part, be it by refusing what was asked for.
    case success
    /// Outage, overload, timeout.
    case failure
    /// Says nothing about the origin: cancelled, held back by a rate limit, never sent.
    case ignored
  }

  /// What an admitted attempt gives back with its outcome, once.
  struct Ticket: Sendable, Equatable {
    fileprivate let era: Int
    let isProbe: Bool
  }

  enum Admission: Sendable, Equatable {
    case admitted(Ticket)
    /// - Parameter retryAfter: when it may be worth another try; positive.
    case refused(retryAfter: Duration)
  }

  enum Transition: Sendable, Equatable {
    case opened(for: Duration)
    case halfOpened
    case closed
  }

  /// How much shorter a break may be than it is set to, so that many nodes do not come back as one.
  static let jitter = 0.2

  private enum State {
    case closed(since: Duration?)
    case open(until: Duration)
    case halfOpen(Probing)
  }

  private struct Probing {
    /// Probes under way or through.
    var admitted = 0
    var succeeded = 0
    var allowed: Int
    /// When another wave may go out, because a probe that hangs must not hold everybody up.
    var extendsAt: Duration
  }

  private let settings: Settings
  private var state = State.closed(since: nil)
  private var window: FailureWindow
  /// Failures since the last success.
  private var run = 0
  /// Grows with every transition; outcomes of an earlier era say nothing about this one.
  private var era = 0
  /// Breaks without a lasting recovery between them.
  private var streak = 0
  private var lastBreak: Duration = .zero

  init(_ settings: Settings) {
    self.settings = settings
    window = FailureWindow(length: settings.window)
  }

  /// Asks for an attempt to go out.
  mutating func admit(at now: Duration) -> (admission: Admission, transition: Transition?) {
    switch state {
    case .closed: return (.admitted(Ticket(era: era, isProbe: false)), nil)
    case .open(let until):
      guard now >= until else { return (.refused(retryAfter: until - now), nil) }
      enter(
        .halfOpen(Probing(admitted: 1, allowed: settings.probes, extendsAt: now + lastBreak)))
      return (.admitted(Ticket(era: era, isProbe: true)), .halfOpened)
    case .halfOpen(var probing):
      if probing.admitted >= probing.allowed {
        guard now >= probing.extendsAt else {
          return (.refused(retryAfter: probing.extendsAt - now), nil)
        }
        probing.allowed = probing.admitted + settings.probes
        probing.extendsAt = now + lastBreak
      }
      probing.admitted += 1
      state = .halfOpen(probing)
      return (.admitted(Ticket(era: era, isProbe: true)), nil)
    }
  }

  /// Takes in how an admitted attempt ended.
  /// - Parameter jitter: from 0 up to 1, for the length of a break that may follow.
  mutating func settle(
    _ ticket: Ticket, _ outcome: Outcome, at now: Duration, jitter: Double
  ) -> Transition? {
    guard ticket.era == era else { return nil }
    switch (state, outcome) {
    case (.open, _), (.closed, .ignored): return nil
    case (.closed, .success):
      run = 0
      window.record(failure: false, at: now)
      return nil
    case (.closed(let since), .failure):
      run += 1
      window.record(failure: true, at: now)
      guard isTooMuch(at: now) else { return nil }
      // It has worked for a whole window since: this is another outage, not the old one.
      if since.map({ now - $0 >= settings.window }) ?? true { streak = 0 }
      return open(at: now, jitter: jitter)
    case (.halfOpen(var probing), .ignored):
      probing.admitted -= 1
      state = .halfOpen(probing)
      return nil
    case (.halfOpen(var probing), .success):
      probing.succeeded += 1
      guard probing.succeeded >= settings.probes else {
        state = .halfOpen(probing)
        return nil
      }
      run = 0
      window.clear()
      enter(.closed(since: now))
      return .closed
    case (.halfOpen, .failure): return open(at: now, jitter: jitter)
    }
  }

  private func isTooMuch(at now: Duration) -> Bool {
    let totals = window.totals(at: now)
    if totals.calls >= settings.minimumCalls,
      Double(totals.failures) >= settings.failureRatio * Double(totals.calls)
    {
      return true
    }
    // In heavy traffic a few failures in a row are chance; a tenth of the window's calls is not.
    return run >= max(settings.consecutive, totals.calls / 10)
  }

  private mutating func open(at now: Duration, jitter: Double) -> Transition {
    streak += 1
    var length = settings.open
    for _ in 1..<min(streak, 32) where length < settings.openCap { length = length * 2 }
    length = min(length, settings.openCap).scaled(by: 1 - Self.jitter * min(max(jitter, 0), 1))
    lastBreak = max(length, .milliseconds(1))
    run = 0
    window.clear()
    enter(.open(until: now + lastBreak))
    return .opened(for: lastBreak)
  }

  private mutating func enter(_ next: State) {
    state = next
    era += 1
  }
}

// MARK: - Reading

extension CircuitBreaker {
  /// Half open as soon as the break is over, whether or not anybody has tried yet.
  func position(at now: Duration) -> IntegrationHealth.Breaker {
    switch state {
    case .closed: .closed
    case .open(let until): now < until ? .open : .halfOpen
    case .halfOpen: .halfOpen
    }
  }

  /// How long an attempt would be refused now; `nil` when it would go out.
  func refusal(at now: Duration) -> Duration? {
    let end: Duration
    switch state {
    case .closed: return nil
    case .open(let until): end = until
    case .halfOpen(let probing):
      guard probing.admitted >= probing.allowed else { return nil }
      end = probing.extendsAt
    }
    return now < end ? end - now : nil
  }

  /// Whether it holds nothing that matters, so that it may be forgotten.
  func isIdle(at now: Duration) -> Bool {
    guard case .closed(let since) = state, run == 0 else { return false }
    let recovered = since.map { now - $0 >= settings.window } ?? true
    return recovered && window.totals(at: now).failures == 0
  }
}
