/// Durations as people write them: a whole number and its unit, `500ms`, `30s`, `15m`, `2h`, `7d`.
public enum DurationText {
  /// `nil` for anything else, a bare number among it.
  public static func parse(_ text: some StringProtocol) -> Duration? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard (1...9).contains(digits.count), let count = Int64(digits) else { return nil }
    switch text[digits.endIndex...] {
    case "ms": return .milliseconds(count)
    case "s": return .seconds(count)
    case "m": return .seconds(count * 60)
    case "h": return .seconds(count * 3_600)
    case "d": return .seconds(count * 86_400)
    default: return nil
    }
  }

  /// In the largest unit that leaves no remainder.
  static func format(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    if attoseconds != 0 {
      return "\(seconds * 1_000 + attoseconds / 1_000_000_000_000_000)ms"
    }
    let units: [(Int64, String)] = [(86_400, "d"), (3_600, "h"), (60, "m")]
    for (size, unit) in units where seconds != 0 && seconds % size == 0 {
      return "\(seconds / size)\(unit)"
    }
    return "\(seconds)s"
  }
}
