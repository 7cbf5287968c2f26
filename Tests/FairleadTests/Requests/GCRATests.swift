import FairleadTesting
import Testing

@testable import Fairlead

@Suite struct GCRATests {
  /// A token bucket is the textbook's other form of the same limit.
  private struct TokenBucket {
    let rate: GCRA.Rate
    /// In microseconds of emission, so that the comparison is exact.
    var level: Int64
    var last: Int64 = 0

    init(_ rate: GCRA.Rate) {
      self.rate = rate
      level = rate.emission.microseconds * Int64(rate.burst)
    }

    mutating func take(at now: Int64) -> Bool {
      let cost = rate.emission.microseconds
      level = min(cost * Int64(rate.burst), level + now - last)
      last = now
      guard level >= cost else { return false }
      level -= cost
      return true
    }
  }

  @Test(arguments: 1...40)
  func agreesWithATokenBucket(seed: UInt64) {
    let random = RandomSource(seed: seed)
    let requests = Int(random.next() % 9) + 1
    let rate = GCRA.Rate(
      requests: requests, period: .milliseconds(requests * Int(random.next() % 200 + 1)),
      burst: Int(random.next() % 12) + 1)
    var gcra = GCRA()
    var bucket = TokenBucket(rate)
    var now: Int64 = 1_000_000
    bucket.last = now
    for _ in 0..<500 {
      now += Int64(random.next() % UInt64(rate.emission.microseconds * 2 + 1))
      let conforms = gcra.wait(rate, at: .microseconds(now)) == .zero
      let hasToken = bucket.take(at: now)
      #expect(conforms == hasToken)
      if conforms { gcra.take(rate, at: .microseconds(now)) }
    }
  }

  @Test func saysTheExactWait() {
    let rate = GCRA.Rate(requests: 2, period: .seconds(1))
    var gcra = GCRA()
    let now: Duration = .seconds(100)
    for _ in 0..<2 {
      #expect(gcra.wait(rate, at: now) == .zero)
      gcra.take(rate, at: now)
    }
    #expect(gcra.wait(rate, at: now) == .milliseconds(500))
    #expect(gcra.wait(rate, at: now, ahead: 2) == .milliseconds(1_500))
    #expect(gcra.wait(rate, at: now + .milliseconds(499)) == .milliseconds(1))
    #expect(gcra.wait(rate, at: now + .milliseconds(500)) == .zero)
  }

  @Test func believesTheProviderOnlyDownwards() {
    let rate = GCRA.Rate(requests: 10, period: .seconds(10))
    var gcra = GCRA()
    let now: Duration = .seconds(100)
    gcra.correct(remaining: 50, rate, at: now)
    #expect(gcra == GCRA())
    gcra.correct(remaining: 1, rate, at: now)
    #expect(gcra.wait(rate, at: now) == .zero)
    #expect(gcra.wait(rate, at: now, ahead: 1) == .seconds(1))
    let strict = gcra
    gcra.correct(remaining: 9, rate, at: now)
    #expect(gcra == strict)
  }

  @Test func hostileLimitsDoNotTrap() {
    let rate = GCRA.Rate(requests: 0, period: .zero, burst: -4)
    var gcra = GCRA()
    gcra.take(rate, at: .zero)
    gcra.correct(remaining: .min, rate, at: .zero)
    #expect(gcra.wait(rate, at: .zero, ahead: 10_000) > .zero)
  }
}
