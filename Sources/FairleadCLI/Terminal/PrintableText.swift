/// Text from elsewhere (names, providers' errors, payloads) that must not be able to move the cursor,
/// recolour the screen or reorder what is read.
enum PrintableText {
  /// One line: line breaks and tabs become blanks.
  static func line(_ text: String) -> String { clean(text) { _ in " " } }

  /// Several lines: line breaks and tabs stay.
  static func lines(_ text: String) -> String {
    clean(text) { $0 == "\r" ? "\n" : Character($0) }
  }

  private static func clean(_ text: String, space: (Unicode.Scalar) -> Character) -> String {
    guard text.unicodeScalars.contains(where: needsCare) else { return text }
    var result = ""
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n" where previous == "\r": break
      case "\n", "\r", "\t": result.append(space(scalar))
      case _ where needsCare(scalar): result.unicodeScalars.append("\u{FFFD}")
      default: result.unicodeScalars.append(scalar)
      }
      previous = scalar
    }
    return result
  }

  /// Control characters of both sets (C1's U+009B begins a terminal command as ESC [ does), and the
  /// marks that make text read in another order than it stands.
  private static func needsCare(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0: true
    case 0x200E, 0x200F, 0x202A...0x202E, 0x2028, 0x2029, 0x2066...0x2069, 0x061C: true
    default: false
    }
  }
}

/// How many columns of a terminal a text takes.
enum DisplayWidth {
  static func of(_ text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { $0 + of($1) }
  }

  static func of(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    if character.unicodeScalars.contains(where: { $0.properties.isEmojiPresentation }) { return 2 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    // The blocks of Unicode's East Asian Width that are wide as a whole.
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }

  /// The start of a text that fits into `width` columns, with an ellipsis where something is missing.
  static func cut(_ text: String, to width: Int) -> String {
    guard of(text) > width else { return text }
    guard width > 0 else { return "" }
    var result = ""
    var used = 0
    for character in text {
      let next = of(character)
      guard used + next <= width - 1 else { break }
      result.append(character)
      used += next
    }
    return result + "…"
  }
}
