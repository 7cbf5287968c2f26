import Testing

@testable import Fairlead

@Suite struct DotEnvTests {
  private func parse(_ text: String) -> (values: [String: String], problems: [String]) {
    let log = ProblemLog(file: ".env")
    let file = DotEnvFile(text, file: ".env", log: log)
    return (file.values, log.sorted.map(\.description))
  }

  @Test func readsWhatDotEnvFilesHold() {
    let (values, problems) = parse(
      """
      # a comment
      PLAIN=value
      export EXPORTED = spaced out   # a comment
      HASH=a#b
      EMPTY=
      SINGLE='a "b" $c \\n'
      DOUBLE="a 'b' \\"c\\" \\n \\$d" # a comment
      URL=postgres://u:p@h/db?x=1

      TWICE=1
      TWICE=2
      """)
    #expect(problems == [])
    #expect(
      values == [
        "PLAIN": "value", "EXPORTED": "spaced out", "HASH": "a#b", "EMPTY": "",
        "SINGLE": "a \"b\" $c \\n", "DOUBLE": "a 'b' \"c\" \n $d",
        "URL": "postgres://u:p@h/db?x=1", "TWICE": "2",
      ])
  }

  @Test func readsWindowsLineEndsAndAByteOrderMark() {
    #expect(parse("\u{FEFF}A=1\r\nB='2'\r\n").values == ["A": "1", "B": "2"])
  }

  @Test(arguments: [
    "A=1\nsk_live_hunter2", "A=1\n2A=sk_live_hunter2", "A=1\n=sk_live_hunter2",
    "A=1\nB='sk_live_hunter2", "A=1\nB=\"x\" sk_live_hunter2", "A=1\nB C=sk_live_hunter2",
  ])
  func aLineItCannotReadIsNamedButNotQuoted(text: String) {
    let (values, problems) = parse(text)
    #expect(values == ["A": "1"])
    #expect(problems.count == 1)
    #expect(problems[0].hasPrefix(".env:2: "))
    #expect(!problems[0].contains("hunter2"))
  }
}
