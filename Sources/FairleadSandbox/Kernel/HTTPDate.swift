import Fairlead

/// The date form of HTTP headers (RFC 9110 section 5.6.7, IMF-fixdate).
enum HTTPDate {
  private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  static func text(_ time: Timestamp) -> String {
    // RFC 3339 already has the civil date: `2026-11-21T08:30:00.123Z`.
    let fields = time.rfc3339.split { "-T:.Z".contains($0) }
    guard fields.count >= 6, let month = Int(fields[1]), (1...12).contains(month) else { return "" }
    // 1970-01-01 was a Thursday.
    let dayNumber = time.seconds >= 0 ? time.seconds / 86_400 : (time.seconds - 86_399) / 86_400
    let day = days[Int((dayNumber % 7 + 7) % 7)]
    return "\(day), \(fields[2]) \(months[month - 1]) \(fields[0]) "
      + "\(fields[3]):\(fields[4]):\(fields[5]) GMT"
  }
}
