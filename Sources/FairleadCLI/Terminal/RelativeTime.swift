import Fairlead

/// Times as people say them.
enum RelativeTime {
  /// `3 min ago`, `in 2 h`; the date when it is further away than 30 days.
  static func text(_ time: Timestamp, now: Timestamp) -> String {
    let (seconds, overflow) = now.seconds.subtractingReportingOverflow(time.seconds)
    guard !overflow, seconds.magnitude <= 30 * 86_400 else {
      return String(time.rfc3339.prefix(10))
    }
    if seconds.magnitude < 2 { return "now" }
    let amount = amount(Int64(seconds.magnitude))
    return seconds > 0 ? "\(amount) ago" : "in \(amount)"
  }

  /// A time of the API; what is no time is shown as it is, what is missing as nothing.
  static func text(_ value: JSONValue?, now: Timestamp) -> String? {
    guard let text = value?.string else { return nil }
    return Timestamp(rfc3339: text).map { Self.text($0, now: now) } ?? text
  }

  private static func amount(_ seconds: Int64) -> String {
    switch seconds {
    case ..<60: "\(seconds) s"
    case ..<3_600: "\(seconds / 60) min"
    case ..<86_400: "\(seconds / 3_600) h"
    default: "\(seconds / 86_400) d"
    }
  }
}

/// Numbers as people read them.
enum NumberText {
  /// `12,345`.
  static func grouped(_ number: Int64) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return number < 0 ? "-" + text : text
  }

  static func grouped(_ value: JSONValue?) -> String? { value?.int.map { grouped($0) } }

  /// `99.1 %` of a share from 0 to 1.
  static func percent(_ value: JSONValue?) -> String? {
    value?.double.map { fixed($0 * 100, 1) + " %" }
  }

  /// `182 ms` below ten seconds, `12.5 s` from there.
  static func milliseconds(_ value: JSONValue?) -> String? {
    guard let number = value?.double, number.isFinite else { return nil }
    return number < 10_000
      ? fixed(number, number < 10 ? 1 : 0) + " ms"
      : fixed(number / 1_000, 1)
        + " s"
  }

  /// Without trailing zeroes, at most two digits behind the point.
  static func plain(_ value: JSONValue?) -> String? {
    guard let number = value?.double, number.isFinite else { return value?.scalarText }
    return number == number.rounded() && abs(number) < 1e15
      ? grouped(Int64(number)) : fixed(number, 2)
  }

  private static func fixed(_ number: Double, _ digits: Int) -> String {
    guard number.isFinite, abs(number) < 1e15 else { return "\(number)" }
    var scale: Int64 = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int64((number * Double(scale)).rounded())
    let whole = scaled / scale
    guard digits > 0 else { return String(whole) }
    let rest = String((scaled % scale).magnitude)
    let sign = scaled < 0 && whole == 0 ? "-" : ""
    return "\(sign)\(whole)." + String(repeating: "0", count: digits - rest.count) + rest
  }
}
