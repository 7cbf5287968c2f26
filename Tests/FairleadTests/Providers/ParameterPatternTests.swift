import Testing

@testable import Fairlead

@Suite struct ParameterPatternTests {
  @Test(arguments: [
    "[a-z0-9-]{1,40}", "acme", "[a-z][a-z0-9]{0,62}", "(?:eu|us|ap)", "[a-z]{2}-[a-z]{4,9}-\\d",
    "[a-z0-9]{1,63}(-[a-z0-9]{1,63})?", "\\w{1,9}\\.x", "[\\]a]{3}", "([a-z]{2}){3}x?",
  ])
  func acceptsCountedPatterns(pattern: String) throws {
    #expect(ParameterPattern.fault(in: pattern) == nil)
    _ = try Regex(pattern)
  }

  @Test(arguments: [
    "a+", "a*", ".*", "[a-z]+", "a{1,}", "a{,3}", "a{1,999}", "a{3,1}", "a{x}", "(a", "a)", "[a",
    "[]", "(?=a)", "(?<n>a)", "(?i)a", "\\b", "\\1", "a\\", "(a{1,3}){1,3}", "((a{1,3})){1,3}",
    "(a|a){1,40}", "(a?){1,40}", "(a|b){9}", "[a[b]]", "ä", "a\n", "((((((((a))))))))",
    "[a-z]{1,99}[a-z]{1,99}[a-z]{1,99}[a-z]{1,99}", String(repeating: "a", count: 201),
  ])
  func refusesWhatCouldRunAway(pattern: String) {
    #expect(ParameterPattern.fault(in: pattern) != nil)
  }

  @Test func neverTraps() {
    let random = RandomSource(seed: 7)
    let alphabet = Array("ab09-_.\\[](){}?:|^$,*+&~ dwDW".utf8)
    var accepted = 0
    for _ in 0..<4_000 {
      let count = Int(random.next() % 14)
      let bytes = (0..<count).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
      if ParameterPattern.fault(in: String(decoding: bytes, as: UTF8.self)) == nil { accepted += 1 }
    }
    #expect(accepted > 50)
  }

  @Test(arguments: ["[a-z]{1,90}[a-z]{1,90}[a-z]{1,90}", "(((a{255}){255}){255}){255}"])
  func theWorstAcceptedPatternsStillAnswerSoon(pattern: String) throws {
    #expect(ParameterPattern.fault(in: pattern) == nil)
    let regex = try Regex(pattern)
    let value = String(repeating: "a", count: 100) + "!"
    let started = ContinuousClock.now
    #expect(value.wholeMatch(of: regex) == nil)
    #expect(started.duration(to: .now) < .seconds(20))
  }
}
