/// Durations as people write them: `500ms`, `30s`, `15m`, `12h`, `7d`, `2w`, or several in a row.
enum DurationText {
  private static let microseconds: [String: Int64] = [
    "us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000,
    "d": 86_400_000_000, "w": 604_800_000_000,
  ]

  /// `nil` when the text is no duration or is above ten years.
  static func parse(_ text: String) -> Duration? {
    var total: Int64 = 0
    var rest = Substring(text)
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { $0.isASCII && $0.isLetter }
      rest = rest.dropFirst(unit.count)
      guard let count = Int64(digits), let size = microseconds[String(unit)] else { return nil }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      let (sum, sumOverflow) = total.addingReportingOverflow(product)
      guard !overflow, !sumOverflow, sum <= 3_660 * 86_400_000_000 else { return nil }
      total = sum
    }
    return .microseconds(total)
  }
}
