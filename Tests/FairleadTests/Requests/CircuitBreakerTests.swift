import Testing

@testable import Fairlead

@Suite struct CircuitBreakerTests {
  private typealias Breaker = CircuitBreaker

  private static let settings: ProviderDefinition.BreakerSettings = {
    var settings = ProviderDefinition.BreakerSettings()
    settings.open = .seconds(4)
    settings.openCap = .seconds(30)
    return settings
  }()

  /// A breaker with a clock of its own that a test moves.
  private struct Bench {
    var breaker: CircuitBreaker
    var now: Duration = .seconds(1_000)

    init(_ settings: ProviderDefinition.BreakerSettings = CircuitBreakerTests.settings) {
      breaker = CircuitBreaker(settings)
    }

    /// One attempt from beginning to end; `nil` when it was refused.
    @discardableResult
    mutating func attempt(_ outcome: CircuitBreaker.Outcome) -> CircuitBreaker.Transition?? {
      guard case .admitted(let ticket) = breaker.admit(at: now).admission else { return nil }
      return .some(breaker.settle(ticket, outcome, at: now, jitter: 0))
    }

    mutating func attempts(_ count: Int, _ outcome: CircuitBreaker.Outcome) {
      for _ in 0..<count { attempt(outcome) }
    }

    mutating func admit() -> CircuitBreaker.Admission { breaker.admit(at: now).admission }
    var position: IntegrationHealth.Breaker { breaker.position(at: now) }
  }

  @Test func fiveFailuresInARowOpenItHoweverFewCallsThereAre() {
    var bench = Bench()
    for _ in 0..<4 {
      bench.attempt(.failure)
      bench.now += .seconds(60)
    }
    #expect(bench.position == .closed)
    #expect(bench.attempt(.failure) == .some(.opened(for: .seconds(4))))
    #expect(bench.position == .open)
    #expect(bench.admit() == .refused(retryAfter: .seconds(4)))
  }

  @Test func aSuccessBreaksTheRun() {
    var bench = Bench()
    for _ in 0..<10 {
      bench.attempts(4, .failure)
      bench.attempt(.success)
      bench.now += .seconds(60)
    }
    #expect(bench.position == .closed)
  }

  @Test func halfOfTheWindowOpensItOnceThereAreEnoughCalls() {
    var bench = Bench()
    for _ in 0..<4 {
      bench.attempt(.success)
      bench.attempt(.failure)
      bench.now += .seconds(1)
    }
    bench.attempt(.success)
    #expect(bench.position == .closed)
    bench.attempt(.failure)
    #expect(bench.position == .open)
  }

  @Test func whatIsOlderThanTheWindowIsForgotten() {
    var bench = Bench()
    bench.attempts(5, .success)
    bench.attempts(4, .failure)
    bench.now += .seconds(31)
    bench.attempts(6, .success)
    bench.attempts(4, .failure)
    #expect(bench.position == .closed)
  }

  @Test func aFewFailuresInARowAreChanceInHeavyTraffic() {
    var bench = Bench()
    bench.attempts(1_000, .success)
    bench.attempts(100, .failure)
    #expect(bench.position == .closed)
    bench.attempts(12, .failure)
    #expect(bench.position == .open)
  }

  @Test func ignoredOutcomesNeverOpenIt() {
    var bench = Bench()
    bench.attempts(1_000, .ignored)
    #expect(bench.position == .closed)
    bench.attempts(4, .failure)
    bench.attempts(100, .ignored)
    #expect(bench.position == .closed)
    bench.attempt(.failure)
    #expect(bench.position == .open)
  }

  @Test func onlyTheProbeGoesOutAndItsSuccessCloses() {
    var bench = Bench()
    bench.attempts(5, .failure)
    bench.now += .seconds(4)
    #expect(bench.position == .halfOpen)
    let (admission, transition) = bench.breaker.admit(at: bench.now)
    #expect(transition == .halfOpened)
    guard case .admitted(let probe) = admission else {
      Issue.record("the probe was refused")
      return
    }
    #expect(probe.isProbe)
    #expect(bench.admit() == .refused(retryAfter: .seconds(4)))
    #expect(bench.breaker.settle(probe, .success, at: bench.now, jitter: 0) == .closed)
    #expect(bench.position == .closed)
    // The failures before the break are not counted again.
    bench.attempts(4, .failure)
    #expect(bench.position == .closed)
  }

  @Test func aFailedProbeDoublesTheBreakUpToTheCap() {
    var bench = Bench()
    bench.attempts(5, .failure)
    var breaks: [Duration] = []
    for _ in 0..<5 {
      guard case .refused(let wait) = bench.admit() else {
        Issue.record("it is not open")
        return
      }
      bench.now += wait
      if case .opened(let length)?? = bench.attempt(.failure) { breaks.append(length) }
    }
    #expect(breaks == [8, 16, 30, 30, 30].map { .seconds($0) })
  }

  @Test func aLastingRecoveryMakesTheNextBreakShortAgain() {
    var bench = Bench()
    bench.attempts(5, .failure)
    bench.now += .seconds(4)
    bench.attempt(.success)
    bench.now += .seconds(29)
    bench.attempts(4, .failure)
    #expect(bench.attempt(.failure) == .some(.opened(for: .seconds(8))))
    bench.now += .seconds(8)
    bench.attempt(.success)
    bench.now += .seconds(30)
    bench.attempts(4, .failure)
    #expect(bench.attempt(.failure) == .some(.opened(for: .seconds(4))))
  }

  @Test func aProbeThatSaysNothingGivesItsPlaceBack() {
    var bench = Bench()
    bench.attempts(5, .failure)
    bench.now += .seconds(4)
    #expect(bench.attempt(.ignored) == .some(nil))
    #expect(bench.position == .halfOpen)
    #expect(bench.attempt(.success) == .some(.closed))
  }

  @Test func aProbeThatHangsDoesNotHoldEverybodyUp() {
    var bench = Bench()
    bench.attempts(5, .failure)
    bench.now += .seconds(4)
    guard case .admitted(let hanging) = bench.admit() else {
      Issue.record("the probe was refused")
      return
    }
    bench.now += .seconds(3)
    #expect(bench.admit() == .refused(retryAfter: .seconds(1)))
    bench.now += .seconds(1)
    #expect(bench.attempt(.success) == .some(.closed))
    // What it says comes too late to matter.
    #expect(bench.breaker.settle(hanging, .failure, at: bench.now, jitter: 0) == nil)
    #expect(bench.position == .closed)
  }

  @Test func whatWasUnderWayWhenItOpenedSaysNothingAboutTheProbe() {
    var bench = Bench()
    guard case .admitted(let early) = bench.admit() else {
      Issue.record("a closed breaker refused")
      return
    }
    bench.attempts(5, .failure)
    #expect(bench.breaker.settle(early, .success, at: bench.now, jitter: 0) == nil)
    #expect(bench.position == .open)
  }

  @Test func jitterOnlyShortensABreak() {
    let random = RandomSource(seed: 3)
    for _ in 0..<200 {
      var bench = Bench()
      bench.attempts(4, .failure)
      guard case .admitted(let ticket) = bench.admit(),
        case .opened(let length)? = bench.breaker.settle(
          ticket, .failure, at: bench.now, jitter: random.unit())
      else {
        Issue.record("it did not open")
        return
      }
      #expect(length <= .seconds(4) && length > .milliseconds(3_199))
    }
  }

  /// Random attempts with random ends at random times: never more probes than allowed, always a way
  /// back, nothing goes out while it is open.
  @Test(arguments: 1...200)
  func itsPromisesHoldForAnyHistory(seed: UInt64) {
    let random = RandomSource(seed: seed)
    func below(_ limit: UInt64) -> Int { Int(random.next() % limit) }
    var settings = ProviderDefinition.BreakerSettings()
    settings.probes = 1 + below(3)
    settings.consecutive = 1 + below(6)
    settings.minimumCalls = 1 + below(20)
    settings.failureRatio = 0.1 + 0.9 * random.unit()
    settings.open = .milliseconds(100 + below(5_000))
    settings.openCap = settings.open * (1 + below(8))
    var breaker = CircuitBreaker(settings)
    var now: Duration = .seconds(below(1_000))
    var flying: [CircuitBreaker.Ticket] = []
    var openUntil: Duration?
    var waves = 0
    var waveProbes = 0
    for _ in 0..<400 {
      now += .milliseconds(below(below(10) == 0 ? 20_000 : 200))
      let before = breaker.position(at: now)
      let refusal = breaker.refusal(at: now)
      if flying.isEmpty || below(2) == 0 {
        let (admission, transition) = breaker.admit(at: now)
        if transition == .halfOpened {
          waves += 1
          waveProbes = 0
          #expect(openUntil.map { now >= $0 } == true)
        }
        switch admission {
        case .admitted(let ticket):
          #expect(before != .open && refusal == nil)
          #expect(ticket.isProbe == (before == .halfOpen))
          if ticket.isProbe { waveProbes += 1 }
          flying.append(ticket)
        case .refused(let wait):
          #expect(before != .closed && wait > .zero && wait <= settings.openCap)
          #expect(refusal == wait)
        }
      } else {
        let ticket = flying.remove(at: below(UInt64(flying.count)))
        let outcome = CircuitBreaker.Outcome.allCases[below(3)]
        switch breaker.settle(ticket, outcome, at: now, jitter: random.unit()) {
        case .opened(let length):
          #expect(outcome == .failure)
          #expect(length <= settings.openCap && length >= settings.open.scaled(by: 0.79))
          openUntil = now + length
          #expect(breaker.position(at: now) == .open)
        case .closed:
          #expect(outcome == .success && before == .halfOpen && waveProbes >= settings.probes)
        case .halfOpened: Issue.record("settling cannot half open")
        case nil: break
        }
      }
    }
    // Whatever happened, it closes again once everything works.
    for _ in 0..<20 where breaker.position(at: now) != .closed {
      now += settings.openCap
      for _ in 0..<settings.probes {
        guard case .admitted(let ticket) = breaker.admit(at: now).admission else { continue }
        _ = breaker.settle(ticket, .success, at: now, jitter: 0)
      }
    }
    #expect(breaker.position(at: now) == .closed)
  }
}
