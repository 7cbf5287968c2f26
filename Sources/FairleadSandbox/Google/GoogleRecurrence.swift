import Fairlead
import Foundation

/// A repetition by days or weeks, with an interval and an end; other rules are refused.
struct GoogleRecurrence: Sendable {
  /// How many instances of a rule without an end are shown.
  static let horizon = 365

  var days: Int
  var count: Int
  var until: Timestamp?

  init(_ value: JSONValue) throws(GoogleError) {
    let refusal = GoogleError.invalid(
      "recurrence",
      "Invalid recurrence rule. The sandbox knows one RRULE with FREQ=DAILY or WEEKLY, INTERVAL, "
        + "COUNT and UNTIL.")
    guard let lines = value.array, lines.count == 1, let line = lines.first?.string,
      line.hasPrefix("RRULE:"), line.utf8.count <= 500
    else { throw refusal }
    var parts: [String: String] = [:]
    for part in line.dropFirst(6).split(separator: ";") {
      let halves = part.split(separator: "=", maxSplits: 1)
      guard halves.count == 2 else { throw refusal }
      parts[String(halves[0])] = String(halves[1])
    }
    let unit: Int
    switch parts["FREQ"] {
    case "DAILY": unit = 1
    case "WEEKLY": unit = 7
    default: throw refusal
    }
    let interval = parts["INTERVAL"].map { Int($0) ?? 0 } ?? 1
    let count = parts["COUNT"].map { Int($0) ?? 0 } ?? Self.horizon
    guard (1...1_000).contains(interval), (1...10_000).contains(count),
      Set(parts.keys).isSubset(of: ["FREQ", "INTERVAL", "COUNT", "UNTIL"])
    else { throw refusal }
    days = unit * interval
    self.count = min(count, Self.horizon)
    if let text = parts["UNTIL"] {
      guard let until = Self.moment(text) else { throw refusal }
      self.until = until
    }
  }

  /// `20261121` (to the end of that day) or `20261121T083000Z`.
  private static func moment(_ text: String) -> Timestamp? {
    let day = Array(text.prefix(8))
    guard day.count == 8, day.allSatisfy(\.isASCII) else { return nil }
    let date = "\(String(day[0..<4]))-\(String(day[4..<6]))-\(String(day[6..<8]))"
    if text.count == 8 { return Timestamp(rfc3339: date + "T23:59:59Z") }
    let time = Array(text.dropFirst(8))
    guard time.count == 8, time[0] == "T", time[7] == "Z" else { return nil }
    return Timestamp(
      rfc3339:
        "\(date)T\(String(time[1..<3])):\(String(time[3..<5])):\(String(time[5..<7]))Z")
  }

  /// When the instances start; in a zone with summer time the hour of the day stays.
  func starts(from start: GoogleTime) -> [GoogleTime] {
    var calendar = Foundation.Calendar(identifier: .gregorian)
    let zone = start.isAllDay ? nil : start.zone.flatMap(TimeZone.init(identifier:))
    calendar.timeZone = zone ?? .gmt
    var starts: [GoogleTime] = []
    for index in 0..<count {
      guard
        let date = calendar.date(byAdding: .day, value: index * days, to: start.moment.date)
      else { break }
      let moment = Timestamp(date)
      if let until, moment > until { break }
      starts.append(start.moved(to: moment))
    }
    return starts
  }
}
