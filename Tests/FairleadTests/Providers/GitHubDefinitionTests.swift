import FairleadTesting
import HTTPTypes
import NIOCore
import Testing

@testable import Fairlead

/// The catalog's GitHub, and the keys it needed.
@Suite struct GitHubDefinitionTests {
  private func github() throws -> Integration {
    try .github(clientID: "id/1", clientSecret: Secret("secret"), webhookSecret: Secret("hook"))
  }

  @Test(
    arguments: [
      (403, ["x-ratelimit-remaining": "0"], "API rate limit exceeded", .rateLimited),
      (429, ["x-ratelimit-remaining": "0"], "", .rateLimited),
      (403, ["retry-after": "60"], "", .rateLimited),
      (403, [:], "You have exceeded a Secondary Rate Limit. Wait.", .rateLimited),
      (403, [:], "You have triggered an abuse detection mechanism.", .rateLimited),
      (429, [:], "", .rateLimited),
      (403, ["x-ratelimit-remaining": "12"], "Resource not accessible", .forbidden),
      (401, [:], "Bad credentials", .authExpired), (404, [:], "Not Found", .notFound),
      (422, [:], "Validation Failed", .invalid), (502, [:], "Server Error", .transient),
      (200, ["x-ratelimit-remaining": "0"], "", nil),
    ] as [(Int, [String: String], String, ErrorClass?)])
  func aRefusalIsALimitOnlyWhereItSaysSo(
    status: Int, headers: [String: String], message: String, expected: ErrorClass?
  ) throws {
    var fields = HTTPFields()
    for (name, value) in headers { fields[HTTPField.Name(name)!] = value }
    let classifier = Classifier(try github().definition.errors)
    let json = classifier.glance.read(
      ByteBuffer(bytes: JSONValue.object(["message": .string(message)]).bytes))
    let meaning = classifier.classify(status: status, headers: fields, json: json)
    #expect(meaning.errorClass == expected)
    if expected == .rateLimited { #expect(meaning.effect == .none) }
  }

  @Test func disconnectingDeletesTheTokenInTheClientsOwnName() throws {
    let tokens = Credential.OAuth2(
      accessToken: Secret("ghu_1"), refreshToken: Secret("ghr_1"), issuedAt: Timestamp(seconds: 0))
    let request = try #require(try OAuthRequest(try github()).revocation(of: tokens))
    #expect(request.method == .delete)
    #expect(request.url == "https://api.github.com/applications/id%2F1/token")
    #expect(request.headers[.authorization] == "Basic " + "id%2F1:secret".utf8.base64)
    guard case .bytes(let body) = request.body else {
      Issue.record("no body")
      return
    }
    #expect(String(buffer: body) == #"{"access_token":"ghu_1"}"#)
  }

  @Test func scopesAreAskedForWithSpaces() throws {
    let url = try OAuthRequest(try github()).authorizeURL(
      redirectURI: "https://f.example/cb", state: "s", pkce: nil, nonce: nil)
    #expect(url.hasPrefix("https://github.com/login/oauth/authorize?"))
    #expect(url.contains("scope=read%3Auser%20repo"))
  }

  @Test(arguments: [
    ("issues", #"{"action":"opened"}"#, "issues.opened"), ("push", #"{"ref":"x"}"#, "push"),
    ("ping", "{}", "ping"), (nil, #"{"action":"opened"}"#, "unknown"),
  ])
  func anEventsTypeHoldsItsAction(event: String?, body: String, type: String) throws {
    let settings = try #require(try github().definition.webhook)
    var headers = HTTPFields()
    headers[HTTPField.Name("X-GitHub-Event")!] = event
    headers[HTTPField.Name("X-GitHub-Delivery")!] = "d-1"
    let envelope = EventEnvelope(
      settings: settings, headers: headers,
      body: try BodyPlaces(settings.bodyPaths, of: Array(body.utf8)), verified: .init())
    #expect(envelope.type == type)
    // The delivery's id is not signed: it must not decide what is a duplicate.
    #expect(envelope.id == "d-1" && envelope.dedupeKey(bodyHash: "h") == "body:h")
  }

  @Test func theHourlyLimitIsWaitedForUntilItsReset() async throws {
    let github = try github().definition
    let clock = ManualClock()
    let reset = clock.now.seconds + 20
    let fixture = PipelineFixture(
      [
        .json(
          403, ["message": "API rate limit exceeded for user."],
          headers: [
            HTTPField.Name("x-ratelimit-remaining")!: "0",
            HTTPField.Name("x-ratelimit-reset")!: String(reset),
          ]), .json(200, ["ok": true]),
      ]
    ) { $0 = Self.acme(github) }
    let result = try await fixture.send(.get("/user"))
    #expect(result.status == 200 && result.report.attempts == 2)
    #expect(result.report.waited >= .seconds(20))
  }

  @Test func aSecondaryLimitWithoutAWordOnWhenIsNotTriedAgainAtOnce() async throws {
    let github = try github().definition
    let fixture = PipelineFixture([
      .json(403, ["message": "You have exceeded a secondary rate limit."])
    ]) { $0 = Self.acme(github) }
    let result = try await fixture.send(.get("/user", timeout: .seconds(30)))
    #expect(result.status == 403 && result.report.attempts == 1)
    #expect(result.report.error?.code == .rateLimitExceeded)
    #expect(result.report.error?.retryAfter == .seconds(60))
    #expect(fixture.transport.requests.count == 1)
  }

  @Test func defaultHeadersFillWhatTheCallerLeavesOpen() async throws {
    let github = try github().definition
    let fixture = PipelineFixture { $0 = Self.acme(github) }
    let version = try #require(HTTPField.Name("X-GitHub-Api-Version"))
    _ = try await fixture.send(.get())
    var call = Call.get()
    call.headers = [.accept: "application/vnd.github.raw+json", version: "2026-01-01"]
    _ = try await fixture.send(call)
    call.headers = [.accept: "*/*"]
    _ = try await fixture.send(call)
    let sent = fixture.transport.requests.map(\.headers)
    #expect(sent.map { $0[version] } == ["2022-11-28", "2026-01-01", "2022-11-28"])
    #expect(
      sent.map { $0[.accept] } == [
        "application/vnd.github+json", "application/vnd.github.raw+json",
        "application/vnd.github+json",
      ])
    #expect(sent.allSatisfy { $0[.userAgent] != nil && $0[.acceptEncoding] == "identity" })
  }

  @Test(arguments: [
    (
      "default_headers: { X-Acme-Version: \"3\" }", "default_headers: { Authorization: x }",
      "default_headers: must not set Authorization"
    ),
    ("body_urls: [href, \"*_url\"]", "body_urls: [\"*\"]", "rewrite.body_urls[0]: is `*`"),
    ("body_urls: [href, \"*_url\"]", "body_urls: [\"a*b\"]", "rewrite.body_urls[0]: is `a*b`"),
    (
      "token_in: bearer", "token_in: bearer, token: access_token",
      "auth.revoke.token: has no meaning"
    ),
    ("token_in: bearer", "method: PUT", "auth.revoke.method: is `PUT`"),
    ("  event_type: { body: type }\n", "", "webhook.event_action: adds to `event_type`"),
    ("wait: 30s", "wait: soon", "errors[0].wait: is `soon`"),
  ])
  func aWrongKeyIsNamed(old: String, new: String, message: String) {
    let problems = DefinitionSamples.problems(DefinitionSamples.complete(old, new))
    #expect(problems.contains { $0.contains(message) }, "\(problems)")
  }

  /// GitHub's policies for the fixture's own connection.
  private static func acme(_ github: ProviderDefinition) -> ProviderDefinition {
    var definition = github
    definition.name = "acme"
    return definition
  }
}
