import FairleadSandbox
import FairleadTesting
import HTTPTypes
import Synchronization
import Testing

@testable import Fairlead

@Suite struct JWTVerifierTests {
  private let url = "\(IdentityWorld.issuer)/.well-known/jwks.json"

  @Test func aGoodTokenSaysWhoItIs() async throws {
    let world = try IdentityWorld()
    let token = world.token([
      "email": "dana@example.com", "first_name": "Dana", "last_name": "Example", "plan": "gold",
      "act": ["sub": "user_admin"],
    ])
    let user = try await world.verifier.endUser(of: token)
    #expect(user.owner == "user_1" && user.issuer == IdentityWorld.issuer)
    #expect(user.email == "dana@example.com" && user.name == "Dana Example")
    #expect(user.session == "sess_1" && user.actor == "user_admin" && user.text("plan") == "gold")
    #expect(user.expiresAt == world.clock.now + .seconds(60))
  }

  @Test func aRefusalTellsTheCallerNothingOfItsReason() async throws {
    let world = try IdentityWorld()
    var messages: Set<String> = []
    for token in [
      "x", world.token(["exp": 1]), world.token(["iss": "https://other.example"]),
      world.otherKey.token(world.claims(), header: ["kid": "ins_1"]),
      world.token(header: ["kid": "ins_7"]), world.token(["sub": .null]),
    ] {
      let error = try #require(try await world.error(of: token))
      #expect(error.code == .unauthenticated)
      messages.insert(error.message)
    }
    #expect(messages.count == 1)
    #expect(try await JWTVerifierTests.message(of: IdentityWorld([])) == messages.first)
  }

  private static func message(of world: IdentityWorld) async throws -> String? {
    try await world.error(of: world.token())?.message
  }

  @Test func anotherIssuersKeyOfTheSameIDOpensNothing() async throws {
    let other = "https://clerk.other.example"
    let world = try IdentityWorld([TokenIssuer(IdentityWorld.issuer), TokenIssuer(other)])
    let theirs = world.otherKey.json.object?.merging(["kid": "ins_1"]) { $1 } ?? [:]
    world.keys.serve(["keys": [.object(theirs)]], at: "\(other)/.well-known/jwks.json")
    let honest = world.otherKey.token(
      world.claims(["iss": .string(other)]), header: ["kid": "ins_1"])
    #expect(try await world.refusal(of: honest) == nil, "it opens its own issuer's")
    let forged = world.otherKey.token(world.claims(), header: ["kid": "ins_1"])
    #expect(try await world.refusal(of: forged) == .badSignature)
    #expect(try await world.refusal(of: world.token(["iss": .string(other)])) == .badSignature)
  }

  @Test func keysAreFetchedOnceForEveryone() async throws {
    let world = try IdentityWorld()
    let token = world.token()
    let verifier = world.verifier
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<50 { group.addTask { _ = try await verifier.endUser(of: token) } }
      try await group.waitForAll()
    }
    #expect(world.keys.asked == [url])
  }

  @Test(arguments: [
    (nil, 300), ("max-age=10", 300), ("max-age=900", 900), ("max-age=90000", 3_600),
  ])
  func keysAreFreshForAsLongAsTheAnswerSays(cacheControl: String?, seconds: Int) async throws {
    let world = try IdentityWorld()
    let headers: HTTPFields = cacheControl.map { [.cacheControl: $0] } ?? [:]
    world.keys.serve(["keys": [world.key.json]], at: url, headers: headers)
    #expect(try await world.refusal(of: world.token()) == nil)
    world.clock.advance(by: .seconds(seconds - 1))
    #expect(try await world.refusal(of: world.token()) == nil)
    #expect(world.keys.asked.count == 1)
    world.clock.advance(by: .seconds(1))
    #expect(try await world.refusal(of: world.token()) == nil)
    #expect(world.keys.asked.count == 2)
  }

  @Test func forgedKeyIDsFetchNothingMoreThanEveryHalfMinute() async throws {
    let world = try IdentityWorld()
    #expect(try await world.refusal(of: world.token()) == nil)
    for number in 0..<20 {
      let forged = world.token(header: ["kid": .string("ins_forged_\(number)")])
      #expect(try await world.refusal(of: forged) == .unknownKey)
    }
    #expect(world.keys.asked.count == 1)
    world.clock.advance(by: .seconds(30))
    for number in 0..<20 {
      let forged = world.token(header: ["kid": .string("ins_forged_\(number)")])
      #expect(try await world.refusal(of: forged) == .unknownKey)
    }
    #expect(world.keys.asked.count == 2)
  }

  @Test func aNewKeyIsFoundAndARemovedOneIsForgotten() async throws {
    let world = try IdentityWorld()
    #expect(try await world.refusal(of: world.token()) == nil)
    world.keys.serve(["keys": [world.otherKey.json]], at: url)
    world.clock.advance(by: .seconds(31))
    #expect(try await world.refusal(of: world.otherKey.token(world.claims())) == nil)
    #expect(try await world.refusal(of: world.token()) == .unknownKey)
    #expect(world.keys.asked.count == 2)
  }

  @Test func keysThatCannotBeHadAreNotTheCallersFault() async throws {
    let world = try IdentityWorld()
    world.keys.fail(at: url)
    let error = try #require(try await world.error(of: world.token()))
    #expect(error.code == .serviceUnavailable && error.retryAfter == .seconds(5))
    #expect(try await world.error(of: world.token())?.code == .serviceUnavailable)
    #expect(world.keys.asked.count == 1, "it is not asked again at once")
    world.keys.serve(["keys": [world.key.json]], at: url)
    world.clock.advance(by: .seconds(5))
    #expect(try await world.refusal(of: world.token()) == nil)
  }

  @Test func knownKeysServeForADayWhenNoOthersCanBeHad() async throws {
    let world = try IdentityWorld()
    #expect(try await world.refusal(of: world.token()) == nil)
    world.keys.fail(at: url)
    world.clock.advance(by: .seconds(3_600))
    #expect(try await world.refusal(of: world.token()) == nil)
    #expect(try await world.refusal(of: world.token()) == nil)
    #expect(world.keys.asked.count == 2, "one fetch, then a pause")
    let unknown = world.token(header: ["kid": "ins_9"])
    #expect(
      try await world.error(of: unknown)?.code == .serviceUnavailable,
      "nobody can say whether the key has come since")
    world.clock.advance(by: .seconds(86_400 - 3_600))
    #expect(try await world.error(of: world.token())?.code == .serviceUnavailable)
  }

  @Test(arguments: [301, 302, 404, 500, 204])
  func onlyAnAnswerOf200Counts(status: Int) async throws {
    let world = try IdentityWorld()
    world.keys.serve(
      ["keys": [world.key.json]], at: url, headers: [.location: "https://evil.example"],
      status: status)
    #expect(try await world.error(of: world.token())?.code == .serviceUnavailable)
    #expect(world.keys.asked == [url])
  }

  @Test func anAnswerThatNeverComesEndsAfterFiveSeconds() async throws {
    let world = try IdentityWorld()
    let clock = world.clock
    world.keys.answer(at: url) {
      try await clock.sleep(for: .seconds(3_600))
      return (200, [:], [])
    }
    let token = world.token()
    async let error = world.error(of: token)
    await clock.waitForSleepers(2)
    clock.advance(by: .seconds(5))
    #expect(try await error?.code == .serviceUnavailable)
  }

  @Test func theKeysMayBeSomewhereElse() async throws {
    let world = try IdentityWorld([
      TokenIssuer(IdentityWorld.issuer, keySetURL: "https://keys.example/set")
    ])
    world.keys.serve(["keys": [world.key.json]], at: "https://keys.example/set")
    #expect(try await world.refusal(of: world.token()) == nil)
    #expect(world.keys.asked == ["https://keys.example/set"])
  }
}
