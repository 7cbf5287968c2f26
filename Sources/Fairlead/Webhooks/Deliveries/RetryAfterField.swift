/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or an HTTP date in its preferred form.
enum RetryAfterField {
  /// How long to wait from `now`; `nil` when the field cannot be read. A date that has passed is no
  /// wait.
  static func wait(_ text: String, now: Timestamp) -> Duration? {
    let text = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    if !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) {
      return .seconds(Int64(text) ?? Int64(Int32.max))
    }
    return date(text).map { max($0 - now, .zero) }
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// `Sun, 06 Nov 1994 08:49:37 GMT`.
  private static func date(_ text: String) -> Timestamp? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT", parts[1].utf8.count == 2,
      let month = months.firstIndex(of: String(parts[2]))
    else { return nil }
    let number = month + 1
    return Timestamp(
      rfc3339: "\(parts[3])-\(number < 10 ? "0" : "")\(number)-\(parts[1])T\(parts[4])Z")
  }
}
