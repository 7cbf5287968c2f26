/// HTTP's date formats (RFC 9110 section 5.6.7): the preferred one and both obsolete ones.
enum HTTPDate {
  /// - Parameter now: decides the century of a two-digit year.
  static func parse(_ text: some StringProtocol, now: Timestamp) -> Timestamp? {
    guard text.utf8.count <= 64 else { return nil }
    let words = String(text).split { $0 == " " || $0 == "," }.map(String.init)
    switch words.count {
    case 6:  // Sun, 06 Nov 1994 08:49:37 GMT
      guard isZone(words[5]), words[3].utf8.count == 4 else { return nil }
      return timestamp(year: Int(words[3]), month: words[2], day: words[1], time: words[4])
    case 5:  // Sun Nov  6 08:49:37 1994
      guard words[4].utf8.count == 4 else { return nil }
      return timestamp(year: Int(words[4]), month: words[1], day: words[2], time: words[3])
    case 4:  // Sunday, 06-Nov-94 08:49:37 GMT
      let date = words[1].split(separator: "-").map(String.init)
      guard isZone(words[3]), date.count == 3, date[2].utf8.count == 2, let short = Int(date[2])
      else { return nil }
      return timestamp(
        year: fullYear(short, now: now), month: date[1], day: date[0], time: words[2])
    default: return nil
    }
  }

  private static func isZone(_ word: String) -> Bool { word == "GMT" || word == "UTC" }

  /// A year that would lie more than 50 years ahead is taken for the past century's.
  private static func fullYear(_ short: Int, now: Timestamp) -> Int {
    let current = Int(now.rfc3339.prefix(4)) ?? 2000
    let candidate = current - current % 100 + short
    return candidate > current + 50 ? candidate - 100 : candidate
  }

  private static func timestamp(
    year: Int?, month: String, day: String, time: String
  ) -> Timestamp? {
    guard let year, (1600...9999).contains(year),
      let month = months.firstIndex(of: month.prefix(3).lowercased()),
      let day = Int(day), (1...31).contains(day), time.utf8.count == 8
    else { return nil }
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return Timestamp(rfc3339: "\(year)-\(two(month + 1))-\(two(day))T\(time)Z")
  }

  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]
}
