/// A table as lines of text. Pure: the caller says how wide the terminal is.
struct TextTable {
  enum Alignment { case left, right }

  struct Column {
    var title: String
    var alignment = Alignment.left
    /// May be shortened when the terminal is narrow; ids and numbers may not.
    var isFlexible = false

    static func text(_ title: String) -> Column { Column(title: title) }
    static func flexible(_ title: String) -> Column { Column(title: title, isFlexible: true) }
    static func number(_ title: String) -> Column { Column(title: title, alignment: .right) }
  }

  struct Cell: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    let text: String
    let style: Console.Style?

    /// - Parameter text: from anywhere; what a terminal would obey is taken out of it.
    init(_ text: String?, _ style: Console.Style? = nil) {
      let shown = text.map { PrintableText.line($0) } ?? ""
      self.text = shown.isEmpty ? "–" : shown
      self.style = style
    }

    init(stringLiteral value: String) { self.init(value) }
  }

  /// The narrowest a flexible column gets.
  private static let narrowest = 12
  private static let gap = "  "

  var columns: [Column]
  var rows: [[Cell]] = []

  /// The heading and one line a row.
  /// - Parameters:
  ///   - width: what the lines are to fit into; `nil` where nothing is cut, as in a pipe.
  ///   - styled: makes a text coloured, or leaves it as it is.
  func lines(
    width: Int?, styled: (String, Console.Style) -> String = { text, _ in text }
  ) -> [String] {
    let widths = self.widths(in: width)
    let heading = columns.map { Cell($0.title, .dim) }
    return ([heading] + rows).map { line($0, widths, limit: width, styled) }
  }

  private func widths(in limit: Int?) -> [Int] {
    var widths = columns.indices.map { index in
      rows.map { index < $0.count ? DisplayWidth.of($0[index].text) : 0 }
        .reduce(DisplayWidth.of(columns[index].title), max)
    }
    guard let limit else { return widths }
    var excess = widths.reduce(0, +) + Self.gap.count * max(0, columns.count - 1) - limit
    while excess > 0 {
      let shrinkable = columns.indices.filter {
        columns[$0].isFlexible
          && widths[$0] > max(Self.narrowest, DisplayWidth.of(columns[$0].title))
      }
      guard let widest = shrinkable.max(by: { widths[$0] < widths[$1] }) else { break }
      widths[widest] -= 1
      excess -= 1
    }
    return widths
  }

  private func line(
    _ cells: [Cell], _ widths: [Int], limit: Int?, _ styled: (String, Console.Style) -> String
  ) -> String {
    var line = ""
    var used = 0
    for index in columns.indices {
      let cell = index < cells.count ? cells[index] : Cell("")
      var room = widths[index]
      if let limit { room = min(room, max(0, limit - used)) }
      let text = DisplayWidth.cut(cell.text, to: room)
      let padding = String(repeating: " ", count: max(0, room - DisplayWidth.of(text)))
      let shown = cell.style.map { styled(text, $0) } ?? text
      let isLast = index == columns.indices.last
      line += columns[index].alignment == .right ? padding + shown : shown
      if isLast { break }
      if columns[index].alignment == .left { line += padding }
      used += room + Self.gap.count
      if let limit, used >= limit { break }
      line += Self.gap
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}
