/// Times of day and year in the form of `crontab(5)`: minute, hour, day of month, month, day of week,
/// in UTC. Pure.
///
/// Each field takes `*`, numbers, ranges, steps (`*/15`, `8-18/2`), lists, and names for months and
/// days; 0 and 7 are Sunday. Where both days are restricted either of them will do. `@hourly`,
/// `@daily`, `@weekly`, `@monthly` and `@yearly` are short for the usual ones.
/// Source: https://man7.org/linux/man-pages/man5/crontab.5.html
public struct Cron: Sendable, Hashable {
  /// As it was written.
  public let text: String
  /// Bit n stands for the value n.
  let minutes: UInt64
  let hours: UInt64
  let daysOfMonth: UInt64
  let months: UInt64
  let daysOfWeek: UInt64
  /// Either day will do; else both must fit.
  let isEitherDay: Bool

  init(
    text: String, minutes: UInt64, hours: UInt64, daysOfMonth: UInt64, months: UInt64,
    daysOfWeek: UInt64, isEitherDay: Bool
  ) {
    self.text = text
    self.minutes = minutes
    self.hours = hours
    self.daysOfMonth = daysOfMonth
    self.months = months
    self.daysOfWeek = daysOfWeek
    self.isEitherDay = isEitherDay
  }

  /// The first time after `time`; `nil` only for what never comes, which cannot be made.
  public func next(after time: Timestamp) -> Timestamp? {
    let minute = Self.floor(time.seconds, 60) + 1
    var day = Self.floor(minute, 1_440)
    var from = minute - day * 1_440
    // The calendar repeats itself after 400 years, weekdays included.
    let end = day + 146_098
    while day <= end {
      let (year, month, date) = Timestamp.civil(fromDays: day)
      guard Self.has(months, month) else {
        day = Timestamp.days(fromCivil: month == 12 ? year + 1 : year, month % 12 + 1, 1)
        from = 0
        continue
      }
      if fits(day: day, date: date), let found = minuteOfDay(from: from) {
        return Timestamp(seconds: (day * 1_440 + found) * 60)
      }
      day += 1
      from = 0
    }
    return nil
  }

  /// Whether it comes in the minute that begins at `time`.
  func matches(_ time: Timestamp) -> Bool {
    let minute = Self.floor(time.seconds, 60)
    let day = Self.floor(minute, 1_440)
    let (_, month, date) = Timestamp.civil(fromDays: day)
    let ofDay = minute - day * 1_440
    return Self.has(months, month) && fits(day: day, date: date) && Self.has(hours, ofDay / 60)
      && Self.has(minutes, ofDay % 60)
  }

  private func fits(day: Int64, date: Int64) -> Bool {
    // 1970-01-01 was a Thursday.
    let weekday = (day % 7 + 11) % 7
    let byDate = Self.has(daysOfMonth, date)
    let byWeekday = Self.has(daysOfWeek, weekday)
    return isEitherDay ? byDate || byWeekday : byDate && byWeekday
  }

  private func minuteOfDay(from: Int64) -> Int64? {
    var hour = from / 60
    var minute = from % 60
    while hour < 24 {
      if Self.has(hours, hour) {
        while minute < 60 {
          if Self.has(minutes, minute) { return hour * 60 + minute }
          minute += 1
        }
      }
      hour += 1
      minute = 0
    }
    return nil
  }

  private static func has(_ set: UInt64, _ value: Int64) -> Bool {
    set & (1 << UInt64(value)) != 0
  }

  private static func floor(_ value: Int64, _ size: Int64) -> Int64 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: size)
    return remainder < 0 ? quotient - 1 : quotient
  }
}

extension Cron: CustomStringConvertible {
  public var description: String { text }
}
