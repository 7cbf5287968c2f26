import Testing

@testable import Fairlead

@Suite struct JobPolicyTests {
  private let now = Timestamp(seconds: 1_000)

  @Test(arguments: [(1, 1, 2), (2, 2, 4), (5, 16, 32), (12, 450, 900), (1_000_000, 450, 900)])
  func backsOffBetweenHalfAndAllOfADoublingWait(attempt: Int, least: Int, most: Int) {
    let policy = JobPolicy(maximumAttempts: .max)
    for (jitter, seconds) in [(0.0, least), (1.0, most)] {
      let outcome = policy.outcome(
        ofThrown: CancellationError(), attempt: attempt, now: now, jitter: jitter)
      guard case .retry(let at, _) = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(at == now + .seconds(seconds))
    }
  }

  @Test func saysNothingOfErrorsThatMayHoldSecrets() {
    struct Leaky: Error, CustomStringConvertible {
      var description: String { "token=xoxb-secret" }
    }
    let outcome = JobPolicy(maximumAttempts: 1).outcome(
      ofThrown: Leaky(), attempt: 1, now: now, jitter: 0)
    #expect(outcome == .dead(error: "the handler threw Leaky"))
  }

  @Test func quotesErrorsMeantForPeople() {
    let outcome = JobPolicy(maximumAttempts: 1).outcome(
      ofThrown: FairleadError(.notFound, "Gone."), attempt: 1, now: now, jitter: 0)
    #expect(outcome == .dead(error: "NOT_FOUND: Gone."))
  }
}
