import Fairlead
import Testing

@testable import FairleadServer

@Suite struct LinkHeaderTests {
  @Test(arguments: [
    ("<https://a/1>; rel=\"next\", <https://a/9>; rel=\"last\"", ["https://a/1", "https://a/9"]),
    ("<https://a/?x=1,2;3>; rel=next", ["https://a/?x=1,2;3"]),
    ("<a>; title=\"one, <b>; two\"; rel=x, <c>", ["a", "c"]),
    ("<a>; title=\"quote \\\" , <b>\" , <c>", ["a", "c"]),
    (", ,<a> ;  rel = next ;; x, ,<b>,", ["a", "b"]), ("<>", [""]), ("", []),
    ("<a>;rel=next;title*=UTF-8''x%2Cy,<b>;rel=prev", ["a", "b"]),
  ])
  func everyTargetIsFoundWhateverStandsAroundIt(value: String, targets: [String]) throws {
    let header = try #require(LinkHeader(value))
    #expect(header.targets == targets)
    #expect(header.rewritten { _ in nil } == value)
  }

  @Test(arguments: [
    "a", "<a", "<a> rel=next", "<a>; rel=\"next", "<a><b>", "<a>; x=\"\\", "<<a>>", "<a>; =x",
    "a, <b>",
  ])
  func whatIsNoListOfLinksIsLeftAlone(value: String) {
    #expect(LinkHeader(value) == nil)
  }

  @Test func largeAndManyAreBounded() {
    #expect(LinkHeader("<\(String(repeating: "a", count: LinkHeader.longest))>") == nil)
    let many = Array(repeating: "<a>", count: LinkHeader.mostLinks + 1).joined(separator: ",")
    #expect(LinkHeader(many) == nil)
    // A thousand open quotes cost one pass each at most.
    #expect(LinkHeader(String(repeating: "<a>;x=\"", count: 9_000)) == nil)
  }

  /// Whatever links a server may write are found, and rewriting them writes exactly the same header
  /// with other targets.
  @Test(arguments: UInt64(1)...50)
  func rewritingIsWritingWithOtherTargets(seed: UInt64) throws {
    let random = RandomSource(seed: seed)
    func pick(_ choices: [String]) -> String { choices[Int(random.next() % UInt64(choices.count))] }
    func text(_ alphabet: [String], upTo limit: UInt64) -> String {
      (0..<random.next() % limit).map { _ in pick(alphabet) }.joined()
    }
    for _ in 0..<40 {
      var value = ""
      var changed = ""
      var targets: [String] = []
      func write(_ part: String) {
        value += part
        changed += part
      }
      for number in 0..<random.next() % 6 {
        write(number == 0 ? text([" ", ","], upTo: 3) : pick([",", ", ", " ,,\t"]))
        let target = text(["a", "/", ",", ";", "=", "\"", "?", "é", "%2C"], upTo: 12)
        targets.append(target)
        value += "<\(target)>"
        changed += target.contains("a") ? "<new>" : "<\(target)>"
        for _ in 0..<random.next() % 4 {
          let name = pick(["rel", "title", "x-1", "title*"])
          let plain = pick(["next", "UTF-8''a%2C", "1"])
          let quoted = text(["a", ",", ";", "<", ">", "\\\"", "\\\\", " "], upTo: 9)
          write(pick([";", "; ", " ;\t"]) + name)
          write(pick(["", "=\(plain)", "=\"\(quoted)\"", " = \"\(quoted)\""]))
        }
      }
      let header = try #require(LinkHeader(value), "\(value)")
      #expect(header.targets == targets)
      #expect(header.rewritten { $0.contains("a") ? "new" : nil } == changed)
    }
  }

  /// Any bytes at all: no trap, and what is taken for links writes back as it came.
  @Test(arguments: UInt64(1)...20)
  func noValueBreaksIt(seed: UInt64) {
    let random = RandomSource(seed: seed)
    let alphabet = Array("<>;,=\"\\ \ta/é".unicodeScalars)
    for _ in 0..<500 {
      var value = ""
      for _ in 0..<random.next() % 24 {
        value.unicodeScalars.append(alphabet[Int(random.next() % UInt64(alphabet.count))])
      }
      if let header = LinkHeader(value) { #expect(header.rewritten { _ in nil } == value) }
    }
  }
}
