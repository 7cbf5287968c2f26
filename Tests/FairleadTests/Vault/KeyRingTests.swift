import Fairlead
import Foundation
import Testing

@Suite struct KeyRingTests {
  private static let first = "k1:" + [UInt8](repeating: 1, count: 32).base64
  private static let second = "k2:" + [UInt8](repeating: 2, count: 32).base64

  @Test func readsSeveralKeysTheFirstOneActive() throws {
    let ring = try KeyRing(parsing: Secret("\(Self.second), \(Self.first)\n"))
    #expect(ring.activeID == "k2")
    #expect(ring.ids == ["k2", "k1"])
  }

  @Test(arguments: [
    ("", "There is no vault key"),
    (" \n", "There is no vault key"),
    ("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "number 1 is not id:base64"),
    ("k1:", "has 0 bytes"),
    (":AAAA", "id of vault key number 1"),
    ("K1:AAAA", "id of vault key number 1"),
    ("a.b:AAAA", "id of vault key number 1"),
    (String(repeating: "k", count: 33) + ":AAAA", "id of vault key number 1"),
    ("k1:AAAA", "has 3 bytes instead of 32"),
    ("k1:" + [UInt8](repeating: 1, count: 33).base64, "has 33 bytes"),
    ("k1:not base64!", "is not base64"),
    (first + "," + first, "Two vault keys have the id k1"),
    (first + ",", "number 2 is not id:base64"),
    (Array(repeating: "x", count: 40).joined(separator: ","), "more than 32"),
  ])
  func refusesInOneLineThatNamesTheCommand(text: String, words: String) {
    let error = #expect(throws: FairleadError.self) { try KeyRing(parsing: Secret(text)) }
    #expect(error?.code == .configurationError)
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    #expect(error?.message.contains("fairlead keys generate-vault-key") == true)
    #expect(error?.message.contains("\n") == false)
  }

  @Test func noErrorSaysAKey() {
    let material = [UInt8](repeating: 0xA7, count: 31).base64
    let error = #expect(throws: FairleadError.self) {
      try KeyRing(parsing: Secret("k1:\(material)"))
    }
    #expect(error.map { "\($0)".contains(material.prefix(8)) } == false)
  }

  @Test func printsItsIDsOnly() throws {
    let ring = try KeyRing(parsing: Secret(Self.first))
    for text in ["\(ring)", String(reflecting: ring), "\(Mirror(reflecting: ring).children.count)"]
    {
      #expect(["KeyRing(k1)", "0"].contains(text))
    }
  }

  @Test func makesKeysThatItReads() throws {
    let text = try KeyRing.generate(id: "2026-11")
    #expect(try KeyRing(parsing: Secret(text)).activeID == "2026-11")
    #expect(try KeyRing.generate(id: "2026-11") != text)
    #expect(throws: FairleadError.self) { _ = try KeyRing.generate(id: "No") }
  }

  @Test func readsAFile() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/vault.keys"
      try Data("# rotated in May\n\(Self.second),\n\n\(Self.first)\n".utf8)
        .write(to: URL(fileURLWithPath: path))
      #expect(try KeyRing(file: path).ids == ["k2", "k1"])
      let error = #expect(throws: FairleadError.self) { _ = try KeyRing(file: "\(folder)/none") }
      #expect(error?.message.contains("cannot be read") == true)
    }
  }
}
