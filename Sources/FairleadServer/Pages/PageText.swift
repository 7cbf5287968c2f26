import Fairlead
import Foundation

/// Figures with their units, as the pages write them.
enum PageText {
  /// Whole numbers with thousands apart: `12,345`.
  static func count(_ value: some BinaryInteger) -> String {
    var digits = String(value.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    groups.insert(digits, at: 0)
    return (value < 0 ? "-" : "") + groups.joined(separator: ",")
  }

  static func percent(_ share: Double?) -> String {
    share.map { String(format: "%.1f %%", $0 * 100) } ?? "–"
  }

  static func milliseconds(_ value: Double?) -> String {
    guard let value else { return "–" }
    if value >= 10_000 { return String(format: "%.1f s", value / 1_000) }
    return String(format: value < 10 ? "%.1f ms" : "%.0f ms", value)
  }

  static func duration(_ value: Duration) -> String {
    let seconds = value.inSeconds
    if seconds == 0 { return "0 s" }
    if seconds < 120 { return String(format: "%.1f s", seconds) }
    if seconds < 7_200 { return String(format: "%.0f min", seconds / 60) }
    return String(format: "%.1f h", seconds / 3_600)
  }

  /// How long ago, in the largest unit that fits.
  static func relative(_ time: Timestamp, to now: Timestamp) -> String {
    let seconds = max(0, (now - time).microseconds / 1_000_000)
    switch seconds {
    case 0..<5: return "just now"
    case 5..<60: return "\(seconds) s ago"
    case 60..<3_600: return "\(seconds / 60) min ago"
    case 3_600..<86_400: return "\(seconds / 3_600) h ago"
    default: return "\(seconds / 86_400) d ago"
    }
  }
}
