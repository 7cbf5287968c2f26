extension Cron {
  private struct Field {
    var name: String
    var range: ClosedRange<Int>
    var names: [String] = []
    /// What the first name stands for.
    var firstName = 0
  }

  private static let fields = [
    Field(name: "minute", range: 0...59), Field(name: "hour", range: 0...23),
    Field(name: "day of month", range: 1...31),
    Field(
      name: "month", range: 1...12,
      names: [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
      ], firstName: 1),
    Field(
      name: "day of week", range: 0...7,
      names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
  ]

  private static let shorthands = [
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
  ]

  /// Reads a schedule.
  /// - Throws: `FairleadError` (`invalidRequest`) that says what is wrong, for a schedule that never
  ///   comes too.
  public init(_ text: String) throws(FairleadError) {
    let parts = (Self.shorthands[text.lowercased()] ?? text)
      .split(whereSeparator: { $0 == " " || $0 == "\t" }).map { $0.lowercased() }
    guard text.utf8.count <= 200, parts.count == 5 else {
      throw Self.fault(
        "A schedule has five fields: minute, hour, day of month, month, day of week, such as "
          + "*/15 * * * *.")
    }
    var sets: [UInt64] = []
    for (part, field) in zip(parts, Self.fields) { sets.append(try Self.set(part, field)) }
    // Sunday is 0 and 7.
    if sets[4] & (1 << 7) != 0 { sets[4] = sets[4] & ~(1 << 7) | 1 }
    self.init(
      text: text, minutes: sets[0], hours: sets[1], daysOfMonth: sets[2], months: sets[3],
      daysOfWeek: sets[4], isEitherDay: !parts[2].hasPrefix("*") && !parts[4].hasPrefix("*"))
    guard next(after: Timestamp(seconds: 0)) != nil else {
      throw Self.fault("This schedule never comes: no month has such a day.")
    }
  }

  private static func set(_ text: String, _ field: Field) throws(FairleadError) -> UInt64 {
    var set: UInt64 = 0
    for item in text.split(separator: ",", omittingEmptySubsequences: false) {
      let parts = item.split(separator: "/", omittingEmptySubsequences: false)
      guard (1...2).contains(parts.count) else { throw fault(item, field) }
      var step = 1
      if parts.count == 2 {
        guard let number = number(parts[1]), (1...field.range.upperBound).contains(number) else {
          throw fault(item, field)
        }
        step = number
      }
      let range = try range(parts[0], field, isStepped: parts.count == 2, item)
      for value in stride(from: range.lowerBound, through: range.upperBound, by: step) {
        set |= 1 << UInt64(value)
      }
    }
    return set
  }

  private static func range(
    _ text: Substring, _ field: Field, isStepped: Bool, _ item: Substring
  ) throws(FairleadError) -> ClosedRange<Int> {
    if text == "*" {
      // 7 is Sunday again.
      return field.range.lowerBound...(field.range.upperBound == 7 ? 6 : field.range.upperBound)
    }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    guard (1...2).contains(ends.count), let first = value(ends[0], field),
      field.range.contains(first)
    else { throw fault(item, field) }
    guard ends.count == 2 else { return first...(isStepped ? field.range.upperBound : first) }
    guard let last = value(ends[1], field), field.range.contains(last), last >= first else {
      throw fault(item, field)
    }
    return first...last
  }

  private static func value(_ text: Substring, _ field: Field) -> Int? {
    if let index = field.names.firstIndex(of: String(text)) { return field.firstName + index }
    return number(text)
  }

  private static func number(_ text: Substring) -> Int? {
    guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) })
    else { return nil }
    return Int(text)
  }

  private static func fault(_ item: Substring, _ field: Field) -> FairleadError {
    let names = field.names.isEmpty ? "" : ", names such as \(field.names[1])"
    return fault(
      "The \(field.name) of a schedule is `\(item.prefix(20))`; write *, numbers from "
        + "\(field.range.lowerBound) to \(field.range.upperBound)\(names), ranges, lists or steps.")
  }

  private static func fault(_ message: String) -> FairleadError {
    FairleadError(.invalidRequest, message)
  }
}
