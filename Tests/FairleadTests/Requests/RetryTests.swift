import HTTPTypes
import Testing

@testable import Fairlead

@Suite struct RetryTests {
  private let policy = RetryPolicy(ProviderDefinition.RetrySettings())

  @Test(arguments: 1...30)
  func backoffStaysWithinItsCeiling(seed: UInt64) {
    let random = RandomSource(seed: seed)
    for (attempt, ceiling) in [(1, 500), (2, 1_000), (3, 2_000), (5, 8_000), (40, 8_000)] {
      let delay = policy.backoff(attempt: attempt, random: random)
      #expect(delay >= .zero && delay <= .milliseconds(ceiling))
    }
  }

  @Test func backoffUsesAllOfItsRange() {
    let random = RandomSource(seed: 3)
    let delays = (0..<400).map { _ in policy.backoff(attempt: 2, random: random) }
    #expect(delays.contains { $0 < .milliseconds(100) })
    #expect(delays.contains { $0 > .milliseconds(900) })
  }

  @Test func retryAfterIsAFloorWithUpToTenPercentMore() {
    let random = RandomSource(seed: 1)
    let delays = (0..<200).map { _ in
      policy.delay(honouring: .seconds(20), attempt: 1, random: random)
    }
    #expect(delays.allSatisfy { $0 >= .seconds(20) && $0 <= .seconds(22) })
    #expect(Set(delays.map(\.microseconds)).count > 100)
  }

  @Test(arguments: [
    (["retry-after": "2"], Duration.seconds(2)),
    (["retry-after": " 0 "], .zero),
    (["retry-after": "1.5"], .milliseconds(1_500)),
    (["retry-after-ms": "350", "retry-after": "7"], .milliseconds(350)),
    (["retry-after": "99999999999999999999"], .seconds(1_000_000_000)),
    // The dates count from the answer's own Date, 1994-11-06 08:49:37.
    (
      ["retry-after": "Sun, 06 Nov 1994 08:49:47 GMT", "date": "Sun, 06 Nov 1994 08:49:37 GMT"],
      .seconds(10)
    ),
    (
      ["retry-after": "Sunday, 06-Nov-94 08:49:40 GMT", "date": "Sun, 06 Nov 1994 08:49:37 GMT"],
      .seconds(3)
    ),
    (
      ["retry-after": "Sun Nov  6 08:50:37 1994", "date": "Sun, 06 Nov 1994 08:49:37 GMT"],
      .seconds(60)
    ),
    (
      ["retry-after": "Sun, 06 Nov 1994 08:49:00 GMT", "date": "Sun, 06 Nov 1994 08:49:37 GMT"],
      .zero
    ),
    // Without one from our own clock, 2027-01-15 08:00:00.
    (["retry-after": "Fri, 15 Jan 2027 08:00:30 GMT"], .seconds(30)),
  ])
  func readsRetryAfter(headers: [String: String], expected: Duration) throws {
    let delay = RetryAfter.delay(try fields(headers), now: Timestamp(seconds: 1_800_000_000))
    #expect(delay == expected)
  }

  @Test(arguments: [
    "", "-1", "soon", "1e3", "0x10", "+2", "2 s", "1.2.3", ".", "NaN", "inf",
    "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 31 Feb 19940 08:49:37 GMT", "06 Nov 1994",
    "Sun, 06 Nov 1994 25:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 PST",
  ])
  func ignoresWhatIsNoRetryAfter(value: String) throws {
    let delay = RetryAfter.delay(
      try fields(["retry-after": value]), now: Timestamp(seconds: 1_800_000_000))
    #expect(delay == nil)
  }

  @Test(arguments: [
    ("30", ProviderDefinition.LimitHeaders.Format.seconds, Duration.seconds(30)),
    ("1500", .milliseconds, .milliseconds(1_500)),
    ("1800000060", .epochSeconds, .seconds(60)),
    ("1700000000", .epochSeconds, .zero),
    ("20ms", .goDuration, .milliseconds(20)), ("6m0s", .goDuration, .seconds(360)),
    ("1h2m3.5s", .goDuration, .milliseconds(3_723_500)),
    ("2027-01-15T08:01:00Z", .rfc3339, .seconds(60)),
  ])
  func readsResets(
    text: String, format: ProviderDefinition.LimitHeaders.Format, expected: Duration
  ) {
    let reset = RetryAfter.reset(
      text, format: format, headers: [:], now: Timestamp(seconds: 1_800_000_000))
    #expect(reset == expected)
  }

  @Test(arguments: ["", "6", "m", "1x", "6m 0s", "-1s", "1s2", "9999999999999999999999999999h1q"])
  func ignoresWhatIsNoGoDuration(text: String) {
    #expect(RetryAfter.goDuration(text) == nil)
  }

  @Test func theBudgetEmptiesAndSuccessesFillIt() {
    var budget = RetryBudget()
    var taken = 0
    while budget.take(cost: RetryBudget.retryCost, isRetrying: true) { taken += 1 }
    #expect(taken == 500 / 14)
    for _ in 0..<10 { budget.begin() }
    for _ in 0..<10 { budget.end(succeeded: true, lastCost: nil) }
    let results = (0..<2).map { _ in budget.take(cost: RetryBudget.retryCost, isRetrying: true) }
    #expect(results == [true, false])
  }

  @Test func atMostAFifthRetriesAtOnceButAlwaysThree() {
    var budget = RetryBudget()
    func granted(of tries: Int, isRetrying: Bool = false) -> Int {
      (0..<tries).count { _ in budget.take(cost: 5, isRetrying: isRetrying) }
    }
    for _ in 0..<10 { budget.begin() }
    #expect(granted(of: 5) == 3)
    #expect(granted(of: 1, isRetrying: true) == 1)
    for _ in 0..<41 { budget.begin() }
    #expect(granted(of: 10) == 7)
    budget.end(succeeded: true, lastCost: 5)
    #expect(granted(of: 1) == 1)
  }

  private func fields(_ headers: [String: String]) throws -> HTTPFields {
    var fields = HTTPFields()
    for (name, value) in headers { fields[try #require(HTTPField.Name(name))] = value }
    return fields
  }
}
