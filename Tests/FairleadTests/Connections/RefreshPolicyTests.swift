import FairleadTesting
import Testing

@testable import Fairlead

@Suite struct RefreshDecisionTests {
  private func token(lifetime: Int64?, refresh: Bool = true) -> Credential.OAuth2 {
    Credential.OAuth2(
      accessToken: Secret("a"), refreshToken: refresh ? Secret("r") : nil,
      expiresAt: lifetime.map { Timestamp(seconds: $0) }, issuedAt: Timestamp(seconds: 0))
  }

  @Test(
    arguments: [
      // One hour: 10 % is 360 s. Five minutes: the floor of 60 s. One minute: half of it.
      (3_600, 3_239, RefreshDecision.fresh), (3_600, 3_240, .refreshAhead),
      (3_600, 3_599, .refreshAhead), (3_600, 3_600, .mustRefresh), (300, 239, .fresh),
      (300, 240, .refreshAhead), (60, 29, .fresh), (60, 30, .refreshAhead), (60, 61, .mustRefresh),
      (0, 0, .mustRefresh), (-5, 0, .mustRefresh),
    ] as [(Int64, Int64, RefreshDecision)])
  func refreshesAheadButNeverBeforeHalfTheLifetime(
    lifetime: Int64, now: Int64, expected: RefreshDecision
  ) {
    #expect(
      RefreshDecision.decide(token(lifetime: lifetime), now: Timestamp(seconds: now)) == expected)
  }

  @Test func withoutARefreshTokenATokenLivesToItsEnd() {
    let token = token(lifetime: 3_600, refresh: false)
    #expect(RefreshDecision.decide(token, now: Timestamp(seconds: 3_599)) == .fresh)
    #expect(RefreshDecision.decide(token, now: Timestamp(seconds: 3_600)) == .dead)
    #expect(
      RefreshDecision.decide(self.token(lifetime: nil), now: Timestamp(seconds: 9_999)) == .fresh)
  }

  @Test func theScheduleFallsIntoTheFirstHalfOfTheMargin() {
    let credential = Credential.oauth2(token(lifetime: 3_600))
    #expect(RefreshDecision.scheduledAt(credential, jitter: 0) == Timestamp(seconds: 3_240))
    #expect(RefreshDecision.scheduledAt(credential, jitter: 0.5) == Timestamp(seconds: 3_330))
    #expect(RefreshDecision.scheduledAt(.oauth2(token(lifetime: nil)), jitter: 0) == nil)
    #expect(RefreshDecision.scheduledAt(.apiKey(key: Secret("k"), secret: nil), jitter: 0) == nil)
  }
}

@Suite struct RefreshAttemptsTests {
  @Test func transientTroubleIsTriedThreeTimes() {
    var attempts = RefreshAttempts()
    let trouble = TokenOutcome.transient(reason: "status 503")
    #expect(attempts.next(after: trouble, jitter: 0) == .retry(after: .milliseconds(100)))
    #expect(attempts.next(after: trouble, jitter: 0) == .retry(after: .milliseconds(200)))
    #expect(attempts.next(after: trouble, jitter: 0) == .unavailable(reason: "status 503"))
  }

  @Test func anAmbiguousAnswerIsTriedOnceMoreAndThenBelieved() {
    var attempts = RefreshAttempts()
    let lost = TokenOutcome.ambiguous(reason: "network: timeout")
    #expect(attempts.next(after: lost, jitter: 0) == .retry(after: .milliseconds(100)))
    #expect(
      attempts.next(after: .grantRefused(code: "invalid_grant"), jitter: 0)
        == .declareDead(code: "invalid_grant"))
    attempts = RefreshAttempts()
    _ = attempts.next(after: lost, jitter: 0)
    #expect(attempts.next(after: lost, jitter: 0) == .unavailable(reason: "network: timeout"))
  }

  @Test func ourOwnMistakesAndUnknownRefusalsKillNoGrant() {
    var attempts = RefreshAttempts()
    #expect(
      attempts.next(after: .clientRefused(code: "invalid_client"), jitter: 0)
        == .misconfigured(code: "invalid_client"))
    attempts = RefreshAttempts()
    #expect(
      attempts.next(after: .otherRefusal(code: "odd"), jitter: 0) == .unavailable(reason: "odd"))
  }
}

@Suite struct SingleFlightTests {
  @Test func allWhoAskShareOneRun() async throws {
    let flight = SingleFlight<String, Int>()
    let gate = Turnstile()
    let results = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<50 {
        group.addTask {
          try await flight.value("k") {
            await gate.pass()
            return 42
          }
        }
      }
      await gate.arrivals(1)
      gate.open()
      return try await group.reduce(into: [Int]()) { $0.append($1) }
    }
    #expect(results == Array(repeating: 42, count: 50))
  }

  @Test func aCancelledAskerLeavesAtOnceAndTheWorkGoesOn() async throws {
    let flight = SingleFlight<String, Int>()
    let gate = Turnstile()
    let done = Turnstile()
    let first = Task {
      try await flight.value("k") {
        await gate.pass()
        done.open()
        return Task.isCancelled ? 0 : 1
      }
    }
    await gate.arrivals(1)
    first.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
    let second = Task { try await flight.value("k") { 2 } }
    gate.open()
    await done.pass()
    await flight.drain()
    // Joined the first run, or came after it; either way nobody was cancelled.
    #expect([1, 2].contains(try await second.value))
  }

  @Test func drainWaitsForWhatNobodyWaitsFor() async throws {
    let flight = SingleFlight<String, Int>()
    let gate = Turnstile()
    flight.start("k") {
      await gate.pass()
      return 1
    }
    await gate.arrivals(1)
    gate.open()
    await flight.drain()
    #expect(try await flight.value("k") { 2 } == 2)
  }
}

@Suite struct BriefCacheTests {
  @Test func valuesAgeOutAndStayBounded() async throws {
    let clock = ManualClock()
    let cache = BriefCache<Int, Int>(lifetime: .seconds(1), capacity: 10, clock: clock)
    #expect(try await cache.value(1) { 10 } == 10)
    #expect(try await cache.value(1) { 11 } == 10)
    clock.advance(by: .seconds(1))
    #expect(try await cache.value(1) { 12 } == 12)
    for key in 0..<1_000 { cache.replace(key, with: key) }
    #expect((0..<1_000).filter { cache.value($0) != nil }.count <= 10)
  }

  @Test func whatIsTooOldGoesWithoutBeingAskedFor() {
    let clock = ManualClock()
    let cache = BriefCache<Int, Int>(lifetime: .seconds(1), capacity: 100, clock: clock)
    for key in 0..<50 { cache.replace(key, with: key) }
    clock.advance(by: .seconds(1))
    cache.replace(50, with: 50)
    #expect(cache.count == 1)
  }

  @Test func whatChangedDuringALoadIsNotKept() async throws {
    let cache = BriefCache<String, Int>(lifetime: .seconds(1), capacity: 10, clock: ManualClock())
    let stale = try await cache.value("k") {
      cache.replace("k", with: 2)
      return 1
    }
    #expect(stale == 1 && cache.value("k") == 2)
    _ = try await cache.value("other") {
      cache.remove("other")
      return 3
    }
    #expect(cache.value("other") == nil)
  }
}
