import Testing

@testable import FairleadCLI

@Suite struct PrintableTextTests {
  @Test(arguments: [
    "\u{1B}[2J", "\u{1B}]0;title\u{07}", "\u{9B}31m", "\u{202E}txt.exe", "\u{2066}", "\u{08}\u{7F}",
    "\u{85}", "\u{90}q", "\u{1B}\u{301}[0m",
  ])
  func takesOutWhatATerminalWouldObey(text: String) {
    for shown in [PrintableText.line("a" + text + "b"), PrintableText.lines("a" + text + "b")] {
      #expect(shown.hasPrefix("a") && shown.contains("b"))
      #expect(
        !shown.unicodeScalars.contains {
          ($0.value < 32 && $0 != "\n") || (0x7F..<0xA0).contains($0.value)
            || (0x202A...0x202E).contains($0.value) || (0x2066...0x2069).contains($0.value)
        })
    }
  }

  @Test func keepsWhatPeopleWrite() {
    let text = "Zoë & 東京 👩‍💻 — “ok”"
    #expect(PrintableText.line(text) == text)
    #expect(PrintableText.lines(text) == text)
  }

  @Test func aLineStaysALine() {
    #expect(PrintableText.line("a\r\nb\nc\td") == "a b c d")
    #expect(PrintableText.lines("a\r\nb\rc\td") == "a\nb\nc\td")
  }

  @Test(arguments: [
    ("abc", 3), ("東京", 4), ("e\u{301}", 1), ("é", 1), ("👍", 2), ("", 0), ("한글", 4),
  ])
  func knowsHowWideTextIs(text: String, width: Int) {
    #expect(DisplayWidth.of(text) == width)
  }

  @Test(arguments: [
    ("abcdef", 6, "abcdef"), ("abcdefg", 6, "abcde…"), ("東京都", 5, "東京…"), ("東京都", 4, "東…"),
    ("abc", 1, "…"), ("abc", 0, ""),
  ])
  func cutsToTheWidth(text: String, width: Int, cut: String) {
    #expect(DisplayWidth.cut(text, to: width) == cut)
    #expect(DisplayWidth.of(cut) <= width)
  }
}
