import FairleadSandbox
import HTTPTypes
import Testing

@testable import Fairlead

@Suite struct SigningKeySetTests {
  private func keySet(_ keys: JSONValue...) throws -> SigningKeySet {
    try SigningKeySet(parsing: JSONValue.object(["keys": .array(keys)]).bytes)
  }

  private func key(_ changes: [String: JSONValue] = [:]) throws -> JSONValue {
    let whole = try IdentityWorld().key.json.object ?? [:]
    return .object(whole.merging(changes) { $1 }.filter { $0.value != .null })
  }

  @Test(
    arguments: [
      [:], ["use": .null], ["alg": .null], ["key_ops": ["verify"]], ["x5c": ["AAAA"]],
    ] as [[String: JSONValue]])
  func keysForSignaturesAreTaken(changes: [String: JSONValue]) throws {
    #expect(try keySet(try key(changes))["ins_1"] != nil)
  }

  @Test(
    arguments: [
      ["use": "enc"], ["alg": "RS512"], ["alg": "HS256"], ["kty": "oct", "k": "c2VjcmV0"],
      ["kty": "EC"], ["kid": .null], ["kid": ""], ["kid": 7], ["n": "AQAB"], ["n": .null],
      ["e": .null], ["n": "!!"], ["e": ""], ["key_ops": ["encrypt"]], ["key_ops": "verify"],
      ["n": .string(String(repeating: "A", count: 3_000))],
    ] as [[String: JSONValue]])
  func everythingElseIsLeftOut(changes: [String: JSONValue]) throws {
    let set = try keySet(try key(changes))
    #expect(set.isEmpty, "\(changes)")
  }

  @Test func aBadKeyDoesNotHideTheGoodOnes() throws {
    let other = try IdentityWorld().otherKey.json
    let set = try keySet("no object", ["kty": "oct", "kid": "ins_1", "k": "AAAA"], other)
    #expect(set["ins_1"] == nil && set["ins_2"] != nil)
  }

  @Test func theFirstKeyOfAnIDIsTheOne() async throws {
    let world = try IdentityWorld()
    let renamed = world.otherKey.json.object?.merging(["kid": "ins_1"]) { $1 } ?? [:]
    let set = try keySet(world.key.json, .object(renamed))
    let found = try #require(set["ins_1"])
    let mine = try UnverifiedToken(parsing: world.token())
    let theirs = try UnverifiedToken(
      parsing: world.otherKey.token(world.claims(), header: ["kid": "ins_1"]))
    #expect(await found.signed(mine))
    #expect(await !found.signed(theirs))
  }

  @Test(arguments: [
    "", "no json", "[]", "{}", #"{"keys":{}}"#, #"{"keys":null}"#,
    #"{"keys":[\#(Array(repeating: "1", count: 101).joined(separator: ","))]}"#,
    #"{"keys":[],"pad":"\#(String(repeating: "x", count: 70_000))"}"#,
  ])
  func whatIsNoKeySetIsRefused(text: String) {
    #expect(throws: SigningKeySet.Unreadable.self) {
      try SigningKeySet(parsing: Array(text.utf8))
    }
  }

  @Test(arguments: [
    ("max-age=600", 600), ("public, max-age=0", 0), ("Max-Age=\"60\"", 60), ("no-store", nil),
    ("max-age=x", nil), ("max-age=-1", nil), ("max-age=99999999999", nil), ("", nil),
  ])
  func theAgeOfAnAnswerIsRead(header: String, seconds: Int64?) {
    let age = SigningKeys.maximumAge(header.isEmpty ? [:] : [.cacheControl: header])
    #expect(age == seconds.map { .seconds($0) })
  }
}
