import Fairlead

/// How far a run is, as one line. Pure.
struct ProgressBar: Equatable {
  var records: Int64
  var pages: Int64
  /// How many it will probably be; `nil` or 0 when nobody knows.
  var expected: Int64?
  var elapsed: Duration

  private static let cells = 24

  /// 0 to 0.99 while it runs: an estimate never says that it is done.
  var share: Double? {
    guard let expected, expected > 0 else { return nil }
    return min(0.99, max(0, Double(records) / Double(expected)))
  }

  /// `[########----------------]  33 %  1,200 of about 3,600 records, 12 pages, 4 s`.
  var line: String {
    var text = ""
    if let share {
      let filled = Int(share * Double(Self.cells))
      let percent = String(Int(share * 100))
      text = "[" + String(repeating: "#", count: filled)
      text += String(repeating: "-", count: Self.cells - filled) + "]"
      text += String(repeating: " ", count: 4 - percent.count) + percent + " %  "
    }
    text += NumberText.grouped(records)
    if let expected, expected > 0 {
      text += records <= expected ? " of about \(NumberText.grouped(expected)) records" : " records"
    } else {
      text += " records"
    }
    text += ", \(NumberText.grouped(pages)) \(pages == 1 ? "page" : "pages")"
    return text + ", \(max(0, elapsed.microseconds) / 1_000_000) s"
  }
}
