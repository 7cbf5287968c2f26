import NIOCore
import Testing

@testable import Fairlead

@Suite struct JSONGlanceTests {
  private static let paths = ["ok", "error.code", "errors.0.reason", "errors.2", "a.b.c", "list"]

  private func random(_ random: RandomSource, depth: Int) -> JSONValue {
    switch random.next() % (depth > 3 ? 6 : 8) {
    case 0: return .null
    case 1: return .bool(random.next() % 2 == 0)
    case 2: return .int(Int64(bitPattern: random.next()))
    case 3: return .double(random.unit() * 1e6)
    case 4, 5:
      let texts = ["", "plain", "quote \" and \\ slash", "ünïcödé 🎉", "line\nbreak\u{1}", "}{]["]
      return .string(texts[Int(random.next() % 6)])
    case 6:
      return .array((0..<Int(random.next() % 4)).map { _ in self.random(random, depth: depth + 1) })
    default:
      var members: [String: JSONValue] = [:]
      let names = ["ok", "error", "code", "errors", "reason", "a", "b", "c", "list", "quo\"te"]
      for _ in 0..<Int(random.next() % 6) {
        members[names[Int(random.next() % 10)]] = self.random(random, depth: depth + 1)
      }
      return .object(members)
    }
  }

  /// Whatever the document, it sees at its paths what a whole parser sees.
  @Test(arguments: 1...60)
  func agreesWithTheWholeParser(seed: UInt64) throws {
    let source = RandomSource(seed: seed)
    let glance = JSONGlance(paths: Self.paths)
    for _ in 0..<50 {
      let bytes = random(source, depth: 0).bytes
      let whole = try JSONValue(parsing: bytes)
      let seen = try #require(glance.read(ByteBuffer(bytes: bytes)))
      for path in Self.paths { #expect(seen[path: path] == whole[path: path]) }
    }
  }

  @Test(arguments: [
    "", " ", "{", "[1,", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1 2]", "tru", "nul", "\"open",
    "{\"ok\":true} x", "{ok:true}", "<html>", "{\"ok\":tru}", "\"\\", "{\"ok\":--1}", "}",
  ])
  func whatIsNoJSONIsNothing(text: String) {
    #expect(JSONGlance(paths: ["ok"]).read(ByteBuffer(string: text)) == JSONValue?.none)
  }

  /// Cut or bent anywhere, a document is read or refused, and never traps.
  @Test(arguments: 1...20)
  func brokenDocumentsDoNotTrap(seed: UInt64) {
    let source = RandomSource(seed: seed)
    let glance = JSONGlance(paths: Self.paths)
    for _ in 0..<200 {
      var bytes = random(source, depth: 0).bytes
      guard !bytes.isEmpty else { continue }
      bytes[Int(source.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: source.next())
      bytes.removeLast(Int(source.next() % UInt64(bytes.count)))
      _ = glance.read(ByteBuffer(bytes: bytes))
    }
  }

  @Test func depthIsBounded() {
    let glance = JSONGlance(paths: ["ok"])
    let deep = String(repeating: "[", count: 200_000)
    #expect(glance.read(ByteBuffer(string: deep)) == JSONValue?.none)
    #expect(glance.read(ByteBuffer(string: "[[[[]]]]")) != JSONValue?.none)
  }
}
