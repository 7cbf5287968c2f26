public import Foundation

/// A point in wall-clock time, in whole microseconds since 1970-01-01T00:00:00Z. It is what storage
/// holds (an integer column) and what the API prints (RFC 3339, UTC).
public struct Timestamp: Hashable, Comparable, Sendable {
  public let microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  /// From whole seconds since the epoch, as most providers send them.
  public init(seconds: Int64) { microseconds = seconds &* 1_000_000 }

  public init(_ date: Date) {
    microseconds = Int64((date.timeIntervalSince1970 * 1_000_000).rounded())
  }

  public var date: Date { Date(timeIntervalSince1970: Double(microseconds) / 1_000_000) }

  /// Whole seconds since the epoch, rounded down.
  public var seconds: Int64 {
    let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    return remainder < 0 ? quotient - 1 : quotient
  }

  public static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

  public static func + (left: Self, right: Duration) -> Self {
    Timestamp(microseconds: left.microseconds &+ right.microseconds)
  }

  public static func - (left: Self, right: Duration) -> Self {
    Timestamp(microseconds: left.microseconds &- right.microseconds)
  }

  public static func - (left: Self, right: Self) -> Duration {
    .microseconds(left.microseconds - right.microseconds)
  }
}

extension Duration {
  /// Whole microseconds, rounded toward zero, clamped to what an `Int64` holds.
  public var microseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    return scaled &+ attoseconds / 1_000_000_000_000
  }

  /// Whole milliseconds, rounded toward zero.
  public var milliseconds: Int64 { microseconds / 1_000 }

  /// Seconds with their fraction, for arithmetic with random factors.
  public var inSeconds: Double { Double(microseconds) / 1_000_000 }
}

// MARK: - RFC 3339

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC with milliseconds: `2026-11-21T08:30:00.123Z`.
  public var description: String { rfc3339 }

  public var rfc3339: String {
    var days = seconds / 86_400
    var secondOfDay = seconds % 86_400
    if secondOfDay < 0 {
      secondOfDay += 86_400
      days -= 1
    }
    let (year, month, day) = Self.civil(fromDays: days)
    let remainder = microseconds % 1_000_000
    let millisecond = (remainder < 0 ? remainder + 1_000_000 : remainder) / 1_000
    var text: [UInt8] = []
    text.reserveCapacity(24)
    func digits(_ value: Int64, _ count: Int) {
      var divisor: Int64 = 1
      for _ in 1..<count { divisor *= 10 }
      while divisor > 0 {
        text.append(UInt8(48 + (value / divisor) % 10))
        divisor /= 10
      }
    }
    digits(year, 4)
    text.append(45)
    digits(month, 2)
    text.append(45)
    digits(day, 2)
    text.append(84)
    digits(secondOfDay / 3_600, 2)
    text.append(58)
    digits(secondOfDay / 60 % 60, 2)
    text.append(58)
    digits(secondOfDay % 60, 2)
    text.append(46)
    digits(millisecond, 3)
    text.append(90)
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads an RFC 3339 date-time with any offset and any number of fraction digits.
  /// `nil` when the text is not one.
  public init?(rfc3339 text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20, bytes.count <= 64 else { return nil }
    func number(_ range: Range<Int>) -> Int64? {
      var value: Int64 = 0
      for index in range {
        guard index < bytes.count, (48...57).contains(bytes[index]) else { return nil }
        value = value * 10 + Int64(bytes[index] - 48)
      }
      return value
    }
    guard let year = number(0..<4), bytes[4] == 45, let month = number(5..<7), bytes[7] == 45,
      let day = number(8..<10), [84, 116, 32].contains(bytes[10]), let hour = number(11..<13),
      bytes[13] == 58, let minute = number(14..<16), bytes[16] == 58, let second = number(17..<19),
      (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
    else { return nil }
    var index = 19
    var fraction: Int64 = 0
    if bytes[index] == 46 {
      index += 1
      var scale: Int64 = 100_000
      let start = index
      while index < bytes.count, (48...57).contains(bytes[index]) {
        fraction += Int64(bytes[index] - 48) * scale
        scale /= 10
        index += 1
      }
      guard index > start else { return nil }
    }
    guard index < bytes.count else { return nil }
    var offset: Int64 = 0
    if bytes[index] == 90 || bytes[index] == 122 {
      guard index == bytes.count - 1 else { return nil }
    } else {
      guard bytes[index] == 43 || bytes[index] == 45, bytes.count == index + 6,
        let hours = number(index + 1..<index + 3), bytes[index + 3] == 58,
        let minutes = number(index + 4..<index + 6), hours < 24, minutes < 60
      else { return nil }
      offset = (hours * 3_600 + minutes * 60) * (bytes[index] == 45 ? -1 : 1)
    }
    let days = Self.days(fromCivil: year, month, day)
    self.init(
      microseconds: (days * 86_400 + hour * 3_600 + minute * 60 + second - offset) * 1_000_000
        + fraction)
  }

  /// Proleptic Gregorian date of a day number (days since 1970-01-01).
  static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  static func days(fromCivil year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}

extension Timestamp: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = Timestamp(rfc3339: text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "not an RFC 3339 time: \(text)")
    }
    self = value
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rfc3339)
  }
}
