import Testing

@testable import Fairlead

@Suite struct FallbackTemplateTests {
  private let template = FallbackTemplate(
    request: ["model": "gpt-5", "n": 2, "user": ["name": "A\"b"]], now: 1_800_000_000,
    id: "0123456789abcdef01234567", message: "Back soon.")

  @Test(
    arguments: [
      ("{now}", 1_800_000_000), ("at {now}", "at 1800000000"), ("{request.model}", "gpt-5"),
      ("{request.n}", 2), ("{request.n} of {request.model}", "2 of gpt-5"),
      ("{request.user}", ["name": "A\"b"]), ("{request.user.name}!", "A\"b!"),
      ("{request.nothing}", nil), ("<{request.nothing}>", "<>"),
      ("chatcmpl-{id}", "chatcmpl-0123456789abcdef01234567"), ("{message}", "Back soon."),
      ("{\"a\": {}}", "{\"a\": {}}"), ("{", "{"), ("{{now}}", "{1800000000}"), ("", ""),
      ("{ now }", "{ now }"), ("{now", "{now"),
    ] as [(String, JSONValue)])
  func fillsWhatItKnows(text: String, value: JSONValue) {
    #expect(template.fill(text) == value)
  }

  @Test func fillsAWholeDocumentAndLeavesTheRest() {
    let document: JSONValue = [
      "a": ["{now}", nil, 1.5], "b": ["{message}": "{message}"], "c": true,
    ]
    let filled: JSONValue = [
      "a": [1_800_000_000, nil, 1.5], "b": ["{message}": "Back soon."], "c": true,
    ]
    #expect(template.fill(document) == filled)
    #expect(FallbackTemplate.placeholders(in: document) == ["now", "message"])
  }

  @Test(arguments: ["Back soon.", "One", "", " two  spaces ", "Ä \u{1F600} ü"])
  func thePiecesMakeTheMessage(message: String) {
    #expect(FallbackTemplate.pieces(of: message).joined() == message)
  }

  @Test func withoutARequestItsValuesAreNull() {
    var bare = template
    bare.request = nil
    #expect(bare.fill("{request.model}") == .null)
  }

  /// Whatever a caller sends, it fills values in and never takes the process down.
  @Test(arguments: 1...100)
  func neverTrapsOnAnyText(seed: UInt64) {
    let random = RandomSource(seed: seed)
    let pieces = ["{", "}", "now", "message", "request.", "a.b", "0", ".", " ", "é", "{id}", "\n"]
    let text = (0..<20).map { _ in pieces[Int(random.next() % UInt64(pieces.count))] }.joined()
    let parts = FallbackTemplate.parts(of: text)
    let again = parts.map { part in
      switch part {
      case .literal(let text): text
      case .placeholder(let name): "{\(name)}"
      }
    }
    #expect(again.joined() == text)
    _ = template.fill(text)
  }
}
