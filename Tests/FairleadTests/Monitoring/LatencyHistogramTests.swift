import Testing

@testable import Fairlead

@Suite struct LatencyHistogramTests {
  /// Latencies over five orders of magnitude, in microseconds.
  private static func sample(_ count: Int, seed: UInt64) -> [Int64] {
    let random = RandomSource(seed: seed)
    return (0..<count).map { _ in
      var value = 50.0
      for _ in 0..<17 where random.unit() < 0.45 { value *= 2 }
      return Int64(value * (1 + random.unit()))
    }
  }

  @Test(arguments: [1, 2, 3, 10, 99, 1_000, 20_000])
  func percentilesAgreeWithASortToOnePercent(count: Int) throws {
    let values = Self.sample(count, seed: UInt64(count))
    var histogram = LatencyHistogram()
    for value in values { histogram.record(microseconds: value) }
    let sorted = values.sorted()
    for percentile in [50.0, 95, 99] {
      let rank = max(1, Int((percentile / 100 * Double(count)).rounded(.up)))
      let exact = Double(sorted[rank - 1]) / 1_000
      let measured = try #require(histogram.milliseconds(percentile: percentile))
      #expect(abs(measured - exact) <= exact * 0.01, "p\(percentile) of \(count)")
    }
  }

  @Test func mergingGivesWhatOneHistogramWouldHold() throws {
    let values = Self.sample(5_000, seed: 9)
    var all = LatencyHistogram()
    var parts = [LatencyHistogram(), LatencyHistogram(), LatencyHistogram()]
    for (index, value) in values.enumerated() {
      all.record(microseconds: value)
      parts[index % 3].record(microseconds: value)
    }
    var merged = try LatencyHistogram(encoded: parts[2].encoded)
    merged.add(parts[0])
    merged.add(try LatencyHistogram(encoded: parts[1].encoded))
    #expect(merged.count == 5_000)
    #expect(merged.encoded == all.encoded)
  }

  @Test func absurdValuesAreClampedAndNothingIsNoNumber() {
    var histogram = LatencyHistogram()
    #expect(histogram.milliseconds(percentile: 50) == nil)
    histogram.record(microseconds: .min)
    #expect(histogram.milliseconds(percentile: 99) == 0)
    histogram.record(microseconds: .max)
    let longest = histogram.milliseconds(percentile: 100) ?? 0
    #expect(abs(longest - 3_600_000) < 36_000)
    #expect((try? LatencyHistogram(encoded: histogram.encoded))?.count == 2)
  }

  @Test func whatIsNoHistogramIsRefused() throws {
    var histogram = LatencyHistogram()
    for value in Self.sample(200, seed: 3) { histogram.record(microseconds: value) }
    let bytes = histogram.encoded
    #expect(throws: StorageError.self) { try LatencyHistogram(encoded: []) }
    #expect(throws: StorageError.self) { try LatencyHistogram(encoded: [2, 1, 1]) }
    #expect(throws: StorageError.self) { try LatencyHistogram(encoded: bytes.dropLast()) }
    #expect(throws: StorageError.self) {
      try LatencyHistogram(encoded: [1] + [UInt8](repeating: 255, count: 40))
    }
    // Damage of any kind is refused or read, never fatal.
    let random = RandomSource(seed: 8)
    for _ in 0..<2_000 {
      var damaged = bytes
      damaged[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      _ = try? LatencyHistogram(encoded: damaged)
    }
  }
}
