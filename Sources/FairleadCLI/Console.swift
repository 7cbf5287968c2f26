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

  /// Draws a line of standard error over the one before; only on a terminal.
  static func errorInPlace(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K\(text)".utf8))
  }

  /// Writes text as it is, without a line break behind it.
  static func write(_ text: String) { write(Array(text.utf8)) }

  /// Writes bytes of an answer as they came; on a terminal, what it would obey is taken out.
  static func write(_ bytes: [UInt8]) {
    // As with `line`: a reader that has gone is no reason to stop half way.
    try? FileHandle.standardOutput.write(contentsOf: Data(bytes))
  }

  /// An answer of the API for a script.
  static func answer(_ bytes: [UInt8]) {
    if Terminal.isInteractive {
      write(PrintableText.lines(String(decoding: bytes, as: UTF8.self)))
    } else {
      write(bytes)
    }
    if bytes.last != UInt8(ascii: "\n") { write("\n") }
  }

  static func table(_ table: TextTable) {
    for text in table.lines(width: Terminal.width, styled: { styled($0, $1) }) { line(text) }
  }

  /// A table of plain texts; columns in `numeric` are right-aligned.
  static func table(_ heading: [String], _ rows: [[String]], numeric: Set<Int> = []) {
    table(
      TextTable(
        columns: heading.enumerated().map {
          TextTable.Column(title: $1, alignment: numeric.contains($0) ? .right : .left)
        },
        rows: rows.map { row in row.map { TextTable.Cell($0) } }))
  }

  /// Facts under one another, their labels in a column; those without a value are left out.
  static func facts(_ facts: [(label: String, cell: TextTable.Cell?)]) {
    let shown = facts.filter { $0.cell != nil }
    let width = shown.map(\.label.count).max() ?? 0
    for (label, cell) in shown {
      guard let cell else { continue }
      let padding = String(repeating: " ", count: width - label.count + 2)
      let text = cell.style.map { styled(cell.text, $0) } ?? cell.text
      line(styled(label, .dim) + padding + text)
    }
  }
}
