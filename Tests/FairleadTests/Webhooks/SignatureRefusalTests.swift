import FairleadTesting
import HTTPTypes
import Testing

@testable import Fairlead

/// What must not pass, in every scheme.
@Suite struct SignatureRefusalTests {
  enum Scheme: String, CaseIterable, Sendable {
    case stripe, slack, github, clerk

    var settings: WebhookSettings {
      switch self {
      case .stripe: .stripe
      case .slack: .slack
      case .github: .github
      case .clerk: .clerk
      }
    }

    var secret: String {
      switch self {
      case .stripe: WebhookSecrets.stripe
      case .slack: WebhookSecrets.slack
      case .github: WebhookSecrets.github
      case .clerk: WebhookSecrets.clerk
      }
    }

    var signatureHeader: String { settings.header }

    func sign(_ body: [UInt8], secret: String? = nil, at time: Timestamp) -> HTTPFields {
      let secret = secret ?? self.secret
      return switch self {
      case .stripe: WebhookSigner.stripe(body: body, secret: secret, at: time)
      case .slack: WebhookSigner.slack(body: body, secret: secret, at: time)
      case .github: WebhookSigner.github(body: body, secret: secret, event: "push", delivery: "d1")
      case .clerk:
        WebhookSigner.standard(body: body, secret: secret, id: "msg_1", at: time, family: .svix)
      }
    }

    static let timed: [Scheme] = [.stripe, .slack, .clerk]
  }

  static let now = Timestamp(seconds: 1_800_000_000)
  static let body = Array(#"{"id":"evt_1","type":"a.b"}"#.utf8)
  static let otherSecret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

  private func verdict(
    _ scheme: Scheme, _ headers: HTTPFields, body: [UInt8] = body, secrets: [String]? = nil
  ) throws -> SignatureVerdict {
    try SignatureCheck(
      headers: headers, body: body, secrets: (secrets ?? [scheme.secret]).map { Secret($0) },
      now: Self.now, settings: scheme.settings
    ).verdict()
  }

  private func isVerified(_ verdict: SignatureVerdict) -> Bool {
    if case .verified = verdict { true } else { false }
  }

  private func changing(
    _ scheme: Scheme, _ change: (String) -> String
  ) throws -> HTTPFields {
    var headers = scheme.sign(Self.body, at: Self.now)
    let name = try #require(HTTPField.Name(scheme.signatureHeader))
    headers[name] = change(try #require(headers[name]))
    return headers
  }

  @Test(arguments: Scheme.allCases)
  func refusesAnotherBodyOrSecret(scheme: Scheme) throws {
    let genuine = scheme.sign(Self.body, at: Self.now)
    #expect(isVerified(try verdict(scheme, genuine)))
    #expect(try verdict(scheme, genuine, body: Self.body + [32]) == .rejected(.forged))
    #expect(try verdict(scheme, genuine, body: []) == .rejected(.forged))
    let foreign = scheme.sign(Self.body, secret: Self.otherSecret, at: Self.now)
    #expect(try verdict(scheme, foreign) == .rejected(.forged))
  }

  @Test(arguments: Scheme.timed)
  func refusesTimesOutsideTheToleranceBothWays(scheme: Scheme) throws {
    func at(_ offset: Duration) throws -> SignatureVerdict {
      try verdict(scheme, scheme.sign(Self.body, at: Self.now + offset))
    }
    #expect(isVerified(try at(.seconds(-300))))
    #expect(try at(.seconds(-301)) == .rejected(.stale))
    #expect(isVerified(try at(.seconds(300))))
    #expect(try at(.seconds(301)) == .rejected(.future))
    // Milliseconds where seconds are meant: 13 digits are no time at all.
    #expect(try at(.seconds(1_798_200_000_000)) == .rejected(.malformedHeader))
  }

  @Test(arguments: Scheme.allCases)
  func anyActiveSecretVerifies(scheme: Scheme) throws {
    let headers = scheme.sign(Self.body, at: Self.now)
    #expect(isVerified(try verdict(scheme, headers, secrets: [Self.otherSecret, scheme.secret])))
    #expect(isVerified(try verdict(scheme, headers, secrets: ["", scheme.secret])))
  }

  @Test(arguments: Scheme.allCases)
  func withoutASecretNothingVerifies(scheme: Scheme) throws {
    // What an attacker would send who knows that the key is empty.
    let headers = scheme.sign(Self.body, secret: "", at: Self.now)
    for secrets in [[], [""], ["", ""]] {
      #expect {
        try verdict(scheme, headers, secrets: secrets)
      } throws: { error in
        (error as? FairleadError)?.code == .configurationError
      }
    }
  }

  @Test func aStandardSecretThatIsNoBase64FailsClosed() throws {
    for secret in ["whsec_", "whsec_!!!", "not base64!"] {
      #expect {
        try verdict(
          .clerk, Scheme.clerk.sign(Self.body, secret: "", at: Self.now), secrets: [secret])
      } throws: { error in
        (error as? FairleadError)?.code == .configurationError
      }
    }
  }

  @Test(arguments: Scheme.allCases)
  func refusesShortLongAndEmptySignatures(scheme: Scheme) throws {
    let shorter = try changing(scheme) { String($0.dropLast(2)) }
    #expect(try !isVerified(verdict(scheme, shorter)))
    let longer = try changing(scheme) { $0.hasSuffix("=") ? "\($0.dropLast())AAAA" : $0 + "00" }
    #expect(try !isVerified(verdict(scheme, longer)))
    for text in ["", " ", ",", "=", "v1", "v1=", "v1,", "v0=", "sha256=", "t=,v1=", "t=1800000000"]
    {
      #expect(try !isVerified(verdict(scheme, try changing(scheme) { _ in text })))
    }
  }

  @Test(arguments: Scheme.allCases)
  func refusesMissingAndDoubledHeaders(scheme: Scheme) throws {
    #expect(try verdict(scheme, [:]) == .rejected(.missingHeader))
    let genuine = scheme.sign(Self.body, at: Self.now)
    for field in genuine where !field.name.canonicalName.hasPrefix("x-github") {
      var without = genuine
      without[field.name] = nil
      #expect(try verdict(scheme, without) == .rejected(.missingHeader), "\(field.name)")
      var doubled = genuine
      doubled.append(HTTPField(name: field.name, value: field.value))
      #expect(try verdict(scheme, doubled) == .rejected(.malformedHeader), "\(field.name)")
    }
  }

  @Test(arguments: Scheme.allCases)
  func findsTheRightOneAmongSeveralSignaturesButNotAmongAnyNumber(scheme: Scheme) throws {
    func crowd(_ count: Int) throws -> HTTPFields {
      try changing(scheme) { genuine in
        switch scheme {
        case .stripe:
          let v1 = genuine.split(separator: ",")[1]
          let others = (0..<count - 1).map { _ in "v1=" + String(repeating: "0", count: 64) }
          return "t=1800000000,v0=00," + others.joined(separator: ",") + ",\(v1)"
        case .slack, .github:
          let prefix = scheme.settings.prefix
          let others = (0..<count - 1).map { _ in prefix + String(repeating: "0", count: 64) }
          return (others + [genuine]).joined(separator: ",")
        case .clerk:
          let others = (0..<count - 1).map { _ in "v1,AAAA" }
          return (others + [genuine]).joined(separator: " ")
        }
      }
    }
    #expect(isVerified(try verdict(scheme, crowd(3))))
    #expect(isVerified(try verdict(scheme, crowd(16))))
    #expect(try verdict(scheme, crowd(17)) == .rejected(.malformedHeader))
    #expect(try verdict(scheme, crowd(500)) == .rejected(.malformedHeader))
  }

  @Test func theStandardIDIsPartOfWhatIsSigned() throws {
    var headers = Scheme.clerk.sign(Self.body, at: Self.now)
    headers[try #require(HTTPField.Name("svix-id"))] = "msg_2"
    #expect(try verdict(.clerk, headers) == .rejected(.forged))
    // Moving the boundary between id and time keeps the signed text and must not pass.
    headers[try #require(HTTPField.Name("svix-id"))] = "msg_1.1800000000"
    #expect(try verdict(.clerk, headers) == .rejected(.malformedHeader))
  }

  @Test func unsignedSchemesOfTheSameHeaderDoNotCount() throws {
    // Stripe's test signatures stand under v0; a v1 code filed there is no v1.
    let headers = try changing(.stripe) { $0.replacing("v1=", with: "v0=") }
    #expect(try verdict(.stripe, headers) == .rejected(.forged))
    let svix = try changing(.clerk) { $0.replacing("v1,", with: "v2,") }
    #expect(try verdict(.clerk, svix) == .rejected(.forged))
  }

  @Test func comparesWithoutTrappingOnAnyLength() {
    #expect(constantTimeEquals([], []))
    #expect(constantTimeEquals([1, 2], [1, 2]))
    #expect(!constantTimeEquals([1, 2], [1, 3]))
    #expect(!constantTimeEquals([1, 2], [1]))
    #expect(!constantTimeEquals([], [1]))
  }
}
