import Testing

@testable import FairleadCLI

@Suite struct TextTableTests {
  private func table(_ message: String) -> TextTable {
    TextTable(
      columns: [.text("id"), .number("calls"), .flexible("message")],
      rows: [
        [.init("evt_1"), .init("7"), .init(message)],
        [.init("evt_200"), .init("12,345"), .init("ok")],
      ])
  }

  @Test func alignsNumbersToTheRight() {
    #expect(
      table("short").lines(width: nil) == [
        "id        calls  message", "evt_1         7  short", "evt_200  12,345  ok",
      ])
  }

  @Test func shortensOnlyWhatMayBeShortened() {
    let lines = table(String(repeating: "x", count: 200)).lines(width: 40)
    #expect(lines.allSatisfy { DisplayWidth.of($0) <= 40 })
    #expect(lines[1].hasPrefix("evt_1         7  xxx") && lines[1].hasSuffix("…"))
    #expect(lines[2] == "evt_200  12,345  ok")
  }

  @Test(arguments: [20, 30, 60, 120])
  func fitsIntoEveryTerminal(width: Int) {
    let table = TextTable(
      columns: (0..<9).map { .flexible("column \($0)") },
      rows: [(0..<9).map { TextTable.Cell(String(repeating: "東", count: $0 * 3)) }])
    #expect(table.lines(width: width).allSatisfy { DisplayWidth.of($0) <= width })
  }

  @Test func cutsNothingInAPipe() {
    let long = String(repeating: "x", count: 5_000)
    #expect(table(long).lines(width: nil)[1].hasSuffix(long))
  }

  @Test func coloursAreNotCountedAsWidth() {
    let table = TextTable(
      columns: [.text("state"), .text("id")],
      rows: [[.init("active", .green), .init("a")], [.init("revoked"), .init("b")]])
    let lines = table.lines(width: nil) { text, _ in "<\(text)>" }
    #expect(lines == ["<state>    <id>", "<active>   a", "revoked  b"])
  }

  @Test func aRowThatIsTooShortDoesNotTrap() {
    let table = TextTable(columns: [.text("a"), .text("b")], rows: [[.init("1")], []])
    #expect(table.lines(width: nil) == ["a  b", "1  –", "–  –"])
  }

  @Test func cellsCannotBreakOutOfTheirRow() {
    let table = TextTable(columns: [.text("a")], rows: [[.init("x\ny\u{1B}[31m")]])
    #expect(table.lines(width: nil) == ["a", "x y\u{FFFD}[31m"])
  }
}
