import Foundation

/// What people read: colour on a terminal, plain text when piped.
enum Console {
  enum Style: String {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"
  }

  /// Colour only where a terminal shows it and nobody asked for none (https://no-color.org).
  static let isColoured: Bool =
    isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    && ProcessInfo.processInfo.environment["TERM"] != "dumb"

  static func styled(_ text: String, _ styles: Style...) -> String {
    guard isColoured, !styles.isEmpty else { return text }
    return "\u{1B}[\(styles.map(\.rawValue).joined(separator: ";"))m\(text)\u{1B}[0m"
  }

  /// Writes a line to standard output at once, so that whoever reads the pipe sees it.
  static func line(_ text: String = "") {
    // Whoever read this has gone: what was begun is still ended properly.
    try? FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
  }

  /// Puts a text in the place of the terminal's last line; nothing in a pipe.
  static func rewrite(_ text: String) {
    guard isatty(STDOUT_FILENO) == 1 else { return }
    // As above.
    try? FileHandle.standardOutput.write(contentsOf: Data("\r\u{1B}[K\(text)".utf8))
  }

  static func error(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
  }

  /// A table with a heading line; columns in `numeric` are right-aligned.
  static func table(_ heading: [String], _ rows: [[String]], numeric: Set<Int> = []) {
    let widths = heading.indices.map { column in
      ([heading] + rows).map { $0[column].count }.max() ?? 0
    }
    func layout(_ cells: [String]) -> String {
      cells.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return numeric.contains(column) ? padding + cell : cell + padding
      }.joined(separator: "  ").trimmingTrailingSpaces
    }
    line(styled(layout(heading), .dim))
    for row in rows { line(layout(row)) }
  }
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}
