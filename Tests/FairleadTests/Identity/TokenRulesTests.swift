import Testing

@testable import Fairlead

@Suite struct TokenRulesTests {
  private let now = Timestamp(seconds: 1_800_000_000)

  private func refusal(
    _ changes: [String: JSONValue], _ change: (inout TokenIssuer) -> Void = { _ in }
  ) -> TokenRefusal? {
    var issuer = TokenIssuer("https://clerk.app.example")
    change(&issuer)
    let usual: [String: JSONValue] = [
      "iss": "https://clerk.app.example", "sub": "user_1", "exp": .int(now.seconds + 60),
      "nbf": .int(now.seconds), "iat": .int(now.seconds),
    ]
    let claims = usual.merging(changes) { $1 }.filter { $0.value != .null }
    do throws(TokenRefusal) {
      _ = try TokenRules(issuer: issuer, now: now).check(claims)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [
    ("exp", -4, nil), ("exp", -5, TokenRefusal.expired), ("exp", -60, .expired),
    ("nbf", 5, nil), ("nbf", 6, .notYetValid), ("iat", 5, nil), ("iat", 6, .issuedInFuture),
    ("iat", -100_000, nil),
  ])
  func clocksMayDifferByFiveSeconds(claim: String, offset: Int64, refused: TokenRefusal?) {
    #expect(refusal([claim: .int(now.seconds + offset)]) == refused)
  }

  @Test func aTokenWithoutAnEndIsRefused() {
    #expect(refusal(["exp": .null]) == .noExpiry)
    #expect(refusal(["nbf": .null, "iat": .null]) == nil)
    #expect(refusal(["exp": .double(Double(now.seconds) + 0.5)]) == nil)
  }

  @Test(
    arguments: [
      .string("1900000000"), .double(1e300), .double(-1), .int(.max), .int(.min), .bool(true),
      .array([]), .object([:]),
    ] as [JSONValue])
  func aTimeThatIsNoTimeIsRefused(value: JSONValue) {
    for claim in ["exp", "nbf", "iat"] { #expect(refusal([claim: value]) == .badClaims) }
  }

  @Test(
    arguments: [
      .null, .int(1), .string(""), .string("a\nb"), .string(String(repeating: "u", count: 513)),
    ] as [JSONValue])
  func aSubjectThatCanBeNoOwnerIsRefused(subject: JSONValue) {
    #expect(refusal(["sub": subject]) == .noSubject)
  }

  @Test func theIssuerIsComparedByteByByte() {
    for issuer in [
      "https://clerk.app.example/", "https://CLERK.app.example", "https://clerk.app.example.evil",
      "",
    ] { #expect(refusal(["iss": .string(issuer)]) == .unknownIssuer) }
    #expect(refusal(["iss": ["https://clerk.app.example"]]) == .unknownIssuer)
  }

  @Test func authorizedPartiesAreAnAllowList() {
    let list = { (issuer: inout TokenIssuer) in
      issuer.authorizedParties = ["https://app.example", "https://admin.app.example"]
    }
    #expect(refusal(["azp": "https://admin.app.example"], list) == nil)
    #expect(refusal(["azp": "https://evil.example"], list) == .wrongAuthorizedParty)
    #expect(refusal(["azp": "https://app.example.evil"], list) == .wrongAuthorizedParty)
    #expect(refusal([:], list) == .noAuthorizedParty, "once there is a list, azp must be there")
    #expect(refusal(["azp": ["https://app.example"]], list) == .noAuthorizedParty)
    #expect(refusal(["azp": "https://evil.example"]) == nil, "without a list any will do")
    #expect(refusal([:]) == nil)
  }

  @Test func anAudienceIsCheckedWhereOneIsConfigured() {
    let audience = { (issuer: inout TokenIssuer) in issuer.audience = "api" }
    #expect(refusal(["aud": "api"], audience) == nil)
    #expect(refusal(["aud": ["other", "api"]], audience) == nil)
    #expect(refusal(["aud": "other"], audience) == .wrongAudience)
    #expect(refusal(["aud": .array([])], audience) == .wrongAudience)
    #expect(refusal([:], audience) == .wrongAudience)
  }

  @Test func aPendingSessionCountsOnlyWhereThatWasAllowed() {
    #expect(refusal(["sts": "pending"]) == .pendingSession)
    #expect(refusal(["sts": "active"]) == nil)
    #expect(refusal(["sts": "pending"], { $0.acceptsPendingSessions = true }) == nil)
  }
}
