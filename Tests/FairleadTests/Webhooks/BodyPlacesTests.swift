import Testing

@testable import Fairlead

@Suite struct BodyPlacesTests {
  @Test(
    arguments: [
      ("id", "evt_1"), ("data.object.id", "in_1"), ("list.1.name", "b"), ("list.0.name", "a"),
      ("number", 5), ("large", 9_007_199_254_740_993), ("fraction", 1.5), ("yes", true),
      ("nothing", .some(.null)), ("data", Optional<JSONValue>.none), ("list", .none),
      ("list.2.name", .none),
      ("list.-1.name", .none), ("id.more", .none), ("data.missing.id", .none), ("", .none),
      ("escaped", "a\"é✓\n"), ("list.99999999999999999999", .none),
    ] as [(String, JSONValue?)])
  func readsScalarsAtPaths(path: String, value: JSONValue?) throws {
    let body = #"""
      {"id":"evt_1","data":{"object":{"id":"in_1"}},"list":[{"name":"a"},{"name":"b"}],"number":5,
       "large":9007199254740993,"fraction":1.5,"yes":true,"nothing":null,"escaped":"a\"\u00e9✓\n"}
      """#
    #expect(try BodyPlaces([path, "id"], of: Array(body.utf8))[path] == value)
  }

  @Test(arguments: ["", "{", "{}x", #"{"id":}"#, #"{"id":"a}"#, "nul", "{'id':1}"])
  func refusesWhatIsNoJSON(text: String) {
    #expect(throws: (any Error).self) { try BodyPlaces(["id"], of: Array(text.utf8)) }
  }

  @Test(arguments: ["1", "null", #""x""#, "[]", "true"])
  func findsNothingInADocumentThatIsNoObject(text: String) throws {
    #expect(try BodyPlaces(["id", "0", ""], of: Array(text.utf8))["id"] == nil)
  }
}
