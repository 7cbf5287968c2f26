import Fairlead

/// Small random damage to a text: what editors, merges and attackers do to files.
enum TextMutation {
  private static let pieces = [
    "{", "}", "[", "]", ":", ": ", "-", "- ", "\n", "\n  ", "\t", "&a ", "*a", "!!int ", "|", ">",
    "'", "\"", "\\", "#", "?", "? ", "%", "@", "`", "null", "~", "true", "1e999", "0x", "-0",
    "9223372036854775808", "\u{0}", "\u{85}", "\u{2028}", "\u{FEFF}", "\u{10FFFF}", "e\u{301}",
    "${X}", "$$", "{1,99999}", "[a-z", "---\n", "...\n", "<<: ", "5xx", "999999999d", "https://",
    "{{{{{{{{", "\u{F5A0}",
  ]

  static func mutated(_ text: String, _ random: RandomSource) -> String {
    var bytes = Array(text.utf8)
    for _ in 0...Int(random.next() % 4) {
      let at = bytes.isEmpty ? 0 : Int(random.next() % UInt64(bytes.count))
      let to = min(bytes.count, at + Int(random.next() % 40))
      switch random.next() % 6 {
      case 0:
        let piece = pieces[Int(random.next() % UInt64(pieces.count))]
        bytes.insert(contentsOf: piece.utf8, at: at)
      case 1: bytes.removeSubrange(at..<to)
      case 2: if !bytes.isEmpty { bytes[at] = UInt8(truncatingIfNeeded: random.next()) }
      case 3: bytes.insert(contentsOf: bytes[at..<to], at: Int(random.next() % UInt64(at + 1)))
      case 4: bytes.removeSubrange(at...)
      default: bytes.swapAt(at, max(0, to - 1))
      }
      if bytes.isEmpty { bytes = [10] }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
