import HTTPTypes

/// When a provider wants to be called again, in all the ways providers say it.
enum RetryAfter {
  /// Longer wishes are read as this, about 31 years: long enough to fail any call.
  private static let longest: Duration = .seconds(1_000_000_000)

  /// `retry-after-ms`, else `Retry-After` in seconds or as a date. A date counts from the answer's
  /// own `Date`, so that a clock that is off does not matter. `nil` when neither is there or valid.
  static func delay(_ headers: HTTPFields, now: Timestamp) -> Duration? {
    if let text = headers[.retryAfterMilliseconds], let milliseconds = number(text) {
      return milliseconds.scaled(by: 0.001)
    }
    guard let text = headers[.retryAfter]?.trimmed else { return nil }
    if let seconds = number(text) { return seconds }
    guard let date = HTTPDate.parse(text, now: now) else { return nil }
    let sent = headers[.date].flatMap { HTTPDate.parse($0, now: now) } ?? now
    return max(.zero, date - sent)
  }

  /// How long until the limit starts anew, from a provider's own header.
  static func reset(
    _ text: String, format: ProviderDefinition.LimitHeaders.Format, headers: HTTPFields,
    now: Timestamp
  ) -> Duration? {
    let text = text.trimmed
    let sent = headers[.date].flatMap { HTTPDate.parse($0, now: now) } ?? now
    switch format {
    case .seconds: return number(text)
    case .milliseconds: return number(text)?.scaled(by: 0.001)
    case .epochSeconds:
      guard let seconds = Int64(text), (0...10_000_000_000).contains(seconds) else { return nil }
      return max(.zero, Timestamp(seconds: seconds) - sent)
    case .goDuration: return goDuration(text)
    case .rfc3339:
      guard let time = Timestamp(rfc3339: text) else { return nil }
      return max(.zero, time - sent)
    }
  }

  /// Seconds, whole or with a fraction; not negative.
  private static func number(_ text: String) -> Duration? {
    let text = text.trimmed
    guard !text.isEmpty, text.utf8.count <= 32 else { return nil }
    var seenPoint = false
    for (index, byte) in text.utf8.enumerated() {
      if byte == UInt8(ascii: "."), !seenPoint, index > 0 {
        seenPoint = true
      } else if !(48...57).contains(byte) {
        return nil
      }
    }
    guard let seconds = Double(text), seconds.isFinite else { return nil }
    return min(longest, .microseconds(Int64((min(seconds, 1e9) * 1_000_000).rounded())))
  }

  /// Go's notation: `20ms`, `1.5s`, `6m0s`, `1h2m3s`.
  static func goDuration(_ text: String) -> Duration? {
    guard !text.isEmpty, text.utf8.count <= 64 else { return nil }
    var rest = text[...]
    var total = 0.0
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      guard !digits.isEmpty, let value = Double(digits), value.isFinite else { return nil }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(unit.count)
      switch unit {
      case "h": total += value * 3_600
      case "m": total += value * 60
      case "s": total += value
      case "ms": total += value / 1_000
      case "us", "µs": total += value / 1_000_000
      case "ns": total += value / 1_000_000_000
      default: return nil
      }
    }
    return .microseconds(Int64((min(total, 1e9) * 1_000_000).rounded()))
  }
}

extension HTTPField.Name {
  static let retryAfterMilliseconds = HTTPField.Name("retry-after-ms")!
}

extension StringProtocol {
  /// Without spaces and tabs at its ends.
  var trimmed: String {
    var text = self[...]
    while let first = text.first, first == " " || first == "\t" { text = text.dropFirst() }
    while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
    return String(text)
  }
}
