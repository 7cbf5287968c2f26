import Histogram

/// Latencies in microseconds, to two significant digits (1 %), up to an hour; mergeable.
struct LatencyHistogram: Sendable {
  private static let highest: UInt64 = 3_600_000_000
  private static let formatVersion: UInt8 = 1
  private var base = Histogram<UInt64>(
    highestTrackableValue: Self.highest, numberOfSignificantValueDigits: .two)

  var count: UInt64 { base.totalCount }

  /// Longer latencies count as an hour, negative ones as zero.
  mutating func record(microseconds: Int64) {
    base.record(min(UInt64(clamping: microseconds), Self.highest))
  }

  mutating func add(_ other: Self) { base.add(other.base) }

  /// The latency that `percentile` (0 to 100) of the recorded ones do not exceed, in milliseconds.
  /// `nil` when nothing was recorded.
  func milliseconds(percentile: Double) -> Double? {
    count == 0 ? nil : Double(base.valueAtPercentile(percentile)) / 1_000
  }
}

// MARK: - At rest

extension LatencyHistogram {
  /// Only the values that occur: a version byte and the greatest value, then pairs of (difference to
  /// the value before, count) as LEB128 numbers.
  var encoded: [UInt8] {
    var bytes = [Self.formatVersion]
    bytes.appendLEB128(base.maxRecorded)
    var last: UInt64 = 0
    for step in base.recordedValues() {
      bytes.appendLEB128(step.value - last)
      bytes.appendLEB128(step.count)
      last = step.value
    }
    return bytes
  }

  /// - Throws: `StorageError.corrupt` when the bytes are not what `encoded` gave.
  init(encoded bytes: [UInt8]) throws {
    var rest = bytes[...]
    guard rest.popFirst() == Self.formatVersion, let greatest = rest.popLEB128(),
      greatest <= Self.highest
    else { throw Self.corrupt }
    var value: UInt64 = 0
    while !rest.isEmpty {
      guard let step = rest.popLEB128(), let count = rest.popLEB128(), step <= Self.highest * 2,
        count <= UInt64(UInt32.max)
      else { throw Self.corrupt }
      value += step
      guard value <= Self.highest * 2 else { throw Self.corrupt }
      // A step is the upper end of what counts as equal, which may be above the greatest value.
      base.record(min(value, greatest), count: count)
    }
  }

  private static var corrupt: StorageError { .corrupt("a latency histogram is not readable") }
}

extension Array<UInt8> {
  fileprivate mutating func appendLEB128(_ number: UInt64) {
    var rest = number
    while rest > 127 {
      append(UInt8(truncatingIfNeeded: rest) | 128)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }
}

extension ArraySlice<UInt8> {
  fileprivate mutating func popLEB128() -> UInt64? {
    var number: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 63, by: 7) {
      guard let byte = popFirst() else { return nil }
      number |= UInt64(byte & 127) << shift
      if byte < 128 { return number }
    }
    return nil
  }
}
