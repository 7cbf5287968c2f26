import FairleadSandbox
import Foundation
import Testing

@testable import Fairlead

/// Tokens that must not pass, each for its own reason.
@Suite struct TokenRefusalTests {
  @Test(arguments: [
    "none", "None", "HS256", "HS512", "RS384", "RS512", "PS256", "ES256", "rs256", "",
  ])
  func noOtherAlgorithmThanRS256IsLookedAt(algorithm: String) async throws {
    let world = try IdentityWorld()
    let header: [String: JSONValue] = ["alg": .string(algorithm), "kid": "ins_1", "typ": "JWT"]
    let claims = world.claims()
    for token in [
      world.key.token(claims, header: header), CompactToken.unsigned(claims, header: header),
      CompactToken.symmetric(claims, header: header, secret: world.key.publicPEM),
    ] {
      #expect(try await world.refusal(of: token) == .algorithm)
    }
    #expect(world.keys.asked.isEmpty, "no key was fetched for it")
  }

  @Test func thePublicKeyIsNoSharedSecret() async throws {
    let world = try IdentityWorld()
    let token = CompactToken.symmetric(
      world.claims(), header: ["alg": "RS256", "kid": "ins_1"], secret: world.key.publicPEM)
    #expect(try await world.refusal(of: token) == .badSignature)
  }

  @Test func aSignatureThatIsMissingOrOfAnotherLengthIsWrong() async throws {
    let world = try IdentityWorld()
    let good = world.token()
    let signed = good.split(separator: ".")[..<2].joined(separator: ".")
    for signature in ["", ".", ".AA", ".\(String(repeating: "A", count: 4_000))"] {
      #expect(try await world.refusal(of: signed + signature) != nil, "\(signature.prefix(9))")
    }
  }

  static let headers: [([String: JSONValue], TokenRefusal)] = [
    (["alg": .null], .algorithm), (["alg": ["RS256"]], .algorithm), (["alg": 1], .algorithm),
    (["kid": .null], .noKeyID), (["kid": ""], .noKeyID), (["kid": 7], .noKeyID),
    (["kid": .string(String(repeating: "k", count: 300))], .noKeyID),
    (["crit": ["exp"]], .critical), (["crit": .array([])], .critical),
    (["typ": "at+jwt"], .type), (["typ": 1], .type), (["kid": "ins_9"], .unknownKey),
  ]

  @Test(arguments: headers)
  func aHeaderThatAsksForSomethingElseIsRefused(
    header: [String: JSONValue], refusal: TokenRefusal
  ) async throws {
    let world = try IdentityWorld()
    #expect(try await world.refusal(of: world.token(header: header)) == refusal)
  }

  @Test func keysThatTheHeaderBringsAlongAreIgnored() async throws {
    let world = try IdentityWorld()
    let header: [String: JSONValue] = [
      "jku": "https://evil.example/jwks", "x5u": "https://evil.example/x5u",
      "jwk": world.otherKey.json, "oiat": 1,
    ]
    #expect(try await world.refusal(of: world.token(header: header)) == nil)
    var forged = header
    forged["kid"] = "ins_1"
    let token = world.otherKey.token(world.claims(), header: forged)
    #expect(try await world.refusal(of: token) == .badSignature)
    #expect(world.keys.asked == ["\(IdentityWorld.issuer)/.well-known/jwks.json"])
  }

  @Test(arguments: [
    "", ".", "..", "a.b", "a.b.c.d", "fl_0123456789", "eyJhbGciOiJSUzI1NiJ9..", "a b.c.d",
    "eyJhbGciOiJSUzI1NiJ9.e30=.AAAA", "é.é.é", "\0.\0.\0",
  ])
  func whatIsNoTokenIsRefused(text: String) async throws {
    let world = try IdentityWorld()
    #expect(try await world.refusal(of: text) != nil)
    #expect(world.keys.asked.isEmpty)
  }

  @Test func partsThatAreNoObjectsAreRefused() async throws {
    let world = try IdentityWorld()
    let good = world.token().split(separator: ".").map(String.init)
    for text in ["[]", "1", "null", "{", "{\"alg\":", String(repeating: "[", count: 4_000)] {
      let part = Array(text.utf8).base64URL
      #expect(try await world.refusal(of: "\(part).\(good[1]).\(good[2])") == .badHeader)
      #expect(try await world.refusal(of: "\(good[0]).\(part).\(good[2])") == .badClaims)
    }
  }

  @Test func aTokenAboveEightKiBIsNotReadAtAll() async throws {
    let world = try IdentityWorld()
    let padding = JSONValue.string(String(repeating: "x", count: 8_192))
    #expect(try await world.refusal(of: world.token(["pad": padding])) == .tooLarge)
  }

  @Test func everySingleChangeOfATokenIsNoticed() async throws {
    let world = try IdentityWorld()
    let good = Array(world.token().utf8)
    let random = RandomSource(seed: 11)
    #expect(try await world.refusal(of: String(decoding: good, as: UTF8.self)) == nil)
    for _ in 0..<200 {
      var bytes = good
      let index = Int(random.next() % UInt64(bytes.count))
      let replacement = Array("ABCDEFGHabcdefgh0123456789-_.".utf8).filter { $0 != good[index] }
      bytes[index] = replacement[Int(random.next() % UInt64(replacement.count))]
      let text = String(decoding: bytes, as: UTF8.self)
      // The last character of a part may hold bits that mean nothing.
      let parts = text.split(separator: ".", omittingEmptySubsequences: false)
      let originals = String(decoding: good, as: UTF8.self).split(separator: ".")
      let isSame =
        parts.count == 3
        && zip(parts, originals).allSatisfy { [UInt8](anyBase64: $0) == [UInt8](anyBase64: $1) }
        && parts[..<2].elementsEqual(originals[..<2])
      if isSame { continue }
      #expect(try await world.refusal(of: text) != nil, "\(text)")
    }
  }
}
