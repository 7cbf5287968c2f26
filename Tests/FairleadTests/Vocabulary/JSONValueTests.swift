import Fairlead
import Testing

@Suite struct JSONValueTests {
  private static let documents: [(String, JSONValue)] = [
    ("true", .bool(true)), ("false", .bool(false)), ("1", .int(1)), ("0", .int(0)),
    ("-9223372036854775808", .int(.min)),
    ("-6268348606777457647", .int(-6_268_348_606_777_457_647)),
    ("9223372036854775808", .double(9_223_372_036_854_775_808)), ("-0.5e-2", .double(-0.005)),
    ("689363.61904284730", .double(689_363.6190428473)), ("\"\\ud83c\\udf89\\n\"", .string("🎉\n")),
    (" [ 1 , 2 ] ", .array([.int(1), .int(2)])), ("1.5", .double(1.5)), ("null", .null),
    ("\"a\\u00e9\"", .string("aé")), ("[]", .array([])), ("{}", .object([:])),
    (
      "[1,true,\"x\",null,{\"a\":[2]}]",
      .array([.int(1), .bool(true), .string("x"), .null, .object(["a": .array([.int(2)])])])
    ),
  ]

  @Test(arguments: documents)
  func parsesEveryKind(text: String, value: JSONValue) throws {
    #expect(try JSONValue(parsing: Array(text.utf8)) == value)
  }

  @Test func printsWhatItParsed() throws {
    let text = #"{"a":[1,2.5,true,null],"b":{"c":"/é\n"}}"#
    let value = try JSONValue(parsing: Array(text.utf8))
    #expect(try JSONValue(parsing: value.bytes) == value)
    #expect(value[path: "a.1"] == 2.5)
    #expect(value[path: "b.c"]?.string == "/é\n")
    #expect(value[path: "a.9"] == nil)
  }

  @Test(arguments: [
    "", "{", "[1", "[1,]", "{\"a\":1,}", "01", "-", "1.", ".5", "1e", "+1", "NaN", "1e999", "[1]x",
    "\"a\nb\"", "\"\\x\"", "\"\\ud800\"", "\"\\udc00\"", "'a'", "{a:1}", "[1 2]", "nul", "{\"a\"}",
    "\u{1}",
    String(repeating: "[", count: 100_000),
  ])
  func refusesWhatIsNoJSON(text: String) {
    #expect(throws: DecodingError.self) { try JSONValue(parsing: Array(text.utf8)) }
  }

  @Test func refusesTextThatIsNoUTF8() {
    #expect(throws: DecodingError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func neverTrapsOnMutatedDocuments(seed: UInt64) throws {
    let random = RandomSource(seed: seed)
    var bytes = Array(#"{"a":[1,-2.5e3,true,null,"\u00e9\\x"],"b":{"c":"\ud83c\udf89"}}"#.utf8)
    for _ in 0..<4 {
      bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
    }
    // Whatever reads must print as something that reads the same.
    if let value = try? JSONValue(parsing: bytes) {
      #expect(try JSONValue(parsing: value.bytes) == value)
    }
  }
}
