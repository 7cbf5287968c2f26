import Testing

@testable import Fairlead

@Suite struct YAMLDocumentTests {
  private func problem(_ text: String) -> String? {
    do throws(FileProblem) {
      _ = try YAMLDocument.parse(text, file: "f.yaml")
      return nil
    } catch {
      return error.description
    }
  }

  @Test func aDuplicateKeyIsNamedWithItsLine() {
    #expect(
      problem("a: 1\nb: 2\nb: 3\n")
        == "f.yaml:2: the key `b` is there more than once. Keep one.")
    #expect(problem("a: { \"x\": 1, x: 2 }")?.contains("the key `x`") == true)
  }

  @Test(arguments: [
    "a: &x [1]\nb: *x",
    "a: &x {k: v}\nb: {<<: *x}",
    "&a [&b [1,1], *b, *b]",
    "? &k [a]\n: 1\n? [*k, *k]\n: 2",
    "a: !!seq &x [1]\nb: [*x]",
    "a: &x 1\u{85}b: \u{2028}*x",
  ])
  func aliasesAreRefused(text: String) {
    #expect(problem(text)?.contains("anchors and aliases") == true)
  }

  @Test func anAliasBombIsRefusedAtOnce() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...30 {
      let alias = "*a\(level - 1)"
      text += "a\(level): &a\(level) [\((0..<10).map { _ in alias }.joined(separator: ", "))]\n"
    }
    #expect(problem(text)?.contains("anchors and aliases") == true)
  }

  @Test func anAsteriskInOrdinaryTextIsFine() {
    #expect(problem("a: \"*/15 * * * *\"\nb: invoice.*\nc: R&D & more\nd: \"*all*\"") == nil)
  }

  @Test(arguments: [30, 900, 1_100, 200_000])
  func deepNestingIsRefused(depth: Int) {
    let message = problem(String(repeating: "[", count: depth))
    #expect(message != nil)
    let closed =
      String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)
    #expect(problem(closed) != nil)
    let blocks = String(repeating: "- ", count: depth) + "1"
    #expect(problem(blocks) != nil)
  }

  @Test func nestingThatPeopleWriteIsFine() {
    #expect(problem("{a: {b: {c: {d: {e: {f: [1]}}}}}}") == nil)
  }

  @Test(arguments: ["a: !!binary aGk=", "a: !custom 1", "!!map {a: 1}", "a: !!python/object:x []"])
  func tagsAreRefused(text: String) {
    #expect(problem(text)?.contains("tags") == true)
  }

  @Test func severalDocumentsAreRefused() {
    #expect(problem("a: 1\n---\nb: 2")?.contains("is not valid YAML") == true)
  }

  @Test func aFileOverAMebibyteIsRefused() {
    let text = "a: " + String(repeating: "x", count: YAMLDocument.maximumBytes)
    #expect(problem(text) == "f.yaml: is larger than 1 MiB. Split it.")
  }

  @Test func syntaxErrorsNameTheLineAndGiveAHint() {
    #expect(problem("a: 1\n\tb: 2")?.hasPrefix("f.yaml:2: is not valid YAML") == true)
    #expect(problem("a: b: c")?.contains("quote a value that contains a colon") == true)
    #expect(problem("a: 1\nb: \u{1}")?.hasPrefix("f.yaml:2: is not valid YAML") == true)
  }

  @Test(arguments: ["", "# only a comment\n"])
  func anEmptyFileSaysSo(text: String) {
    #expect(problem(text) == "f.yaml: is empty.")
  }

  @Test func aKeyMustBeAWord() {
    #expect(problem("? [a]\n: 1")?.contains("a key must be a plain word") == true)
    #expect(problem("\"\": 1")?.contains("a key must be a plain word") == true)
  }

  @Test func manyKeysTakeLittleTime() {
    let text = (0..<60_000).map { "k\($0): 1" }.joined(separator: "\n")
    #expect(text.utf8.count < YAMLDocument.maximumBytes)
    #expect(problem(text) == nil)
  }

  @Test(arguments: [
    ("500ms", Duration.milliseconds(500)), ("30s", .seconds(30)), ("15m", .seconds(900)),
    ("2h", .seconds(7_200)), ("7d", .seconds(604_800)), ("0s", .zero),
  ])
  func durationsCarryTheirUnit(text: String, duration: Duration) {
    #expect(DurationText.parse(text) == duration)
  }

  @Test(arguments: ["", "5", "s", "1.5s", "-1s", "1 s", "1S", "1w", "9999999999s", "१s", "1sm"])
  func whatIsNoDurationIsRefused(text: String) {
    #expect(DurationText.parse(text) == nil)
  }

  @Test func durationsArePrintedInTheirLargestUnit() {
    let texts = ["500ms", "30s", "15m", "2h", "7d", "1500ms", "90s"]
    #expect(texts.map { DurationText.parse($0).map(DurationText.format) } == texts)
  }
}
