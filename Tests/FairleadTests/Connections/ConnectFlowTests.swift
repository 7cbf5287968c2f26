import FairleadTesting
import Foundation
import Synchronization
import Testing

@testable import Fairlead

@Suite struct ConnectFlowTests {
  static let browser = "browser-cookie-0123456789"

  /// A link, and the fields of the authorize URL it leads to.
  private func begin(
    _ flow: ConnectFlow, integration: IntegrationName = "acme", redirect: String? = nil
  ) async throws -> (token: String, query: [String: String]) {
    let session = try await flow.createSession(
      NewConnectSession(owner: "u1", ownerLabel: "Ann", redirect: redirect))
    let token = String(session.url.split(separator: "/").last ?? "")
    let url = try await flow.begin(
      sessionToken: token, integration: integration, browser: Self.browser)
    return (token, fields(url))
  }

  private func fields(_ url: String) -> [String: String] {
    let items = URLComponents(string: url)?.queryItems ?? []
    return Dictionary(items.map { ($0.name, $0.value ?? "") }) { _, last in last }
  }

  private func granting(_ provider: FakeProvider) {
    provider.on("oauth/token") { asked in
      .json([
        "access_token": "granted-1", "refresh_token": "r-1", "expires_in": 3_600, "scope": "read",
      ])
    }
  }

  @Test(arguments: TestEngine.all)
  func theWholeFlowConnectsAnAccount(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      granting(world.provider)
      let connections = world.node()
      let flow = world.flow(connections)
      let session = try await flow.createSession(
        NewConnectSession(
          owner: "u1", ownerLabel: "Ann", redirect: "https://app.example/done?a=1#top"))
      #expect(session.url.hasPrefix("https://fairlead.example/connect/"))
      #expect(session.expiresAt == world.clock.now + .seconds(900))
      let token = String(session.url.split(separator: "/").last ?? "")
      let info = try await flow.session(token: token)
      #expect(info.ownerLabel == "Ann")
      #expect(info.choices.map(\.integration) == ["acme", "keyed", "standing"])
      #expect(info.choices.map(\.method) == [.signIn, .apiKey, .apiKey])

      let url = try await flow.begin(
        sessionToken: token, integration: "acme", browser: Self.browser)
      let query = fields(url)
      #expect(url.hasPrefix("https://acme.example/oauth/authorize?"))
      #expect(query["redirect_uri"] == "https://fairlead.example/oauth/callback/acme")
      #expect(query["scope"] == "read write" && query["code_challenge_method"] == "S256")
      let state = try #require(query["state"])
      #expect(state.utf8.count >= 43)

      let outcome = try await flow.complete(
        integration: "acme", query: [("code", "c-1"), ("state", state)], browser: Self.browser)
      #expect(outcome.status == .success)
      #expect(
        outcome.redirect == "https://app.example/done?a=1&integration=acme&status=success#top")
      let exchange = try #require(world.provider.asked("oauth/token").first)
      #expect(exchange.form["code"] == "c-1")
      #expect(
        exchange.form["redirect_uri"] == "https%3A%2F%2Ffairlead.example%2Foauth%2Fcallback%2Facme")
      let verifier = try #require(exchange.form["code_verifier"])
      #expect(PKCE(verifier: Secret(verifier)).challenge == query["code_challenge"])

      let made = try #require(outcome.connection)
      #expect(made.identity == ["id": "A1", "label": "Acme Inc"])
      #expect(made.scopes == ["read"] && made.owner == "u1" && made.ownerLabel == "Ann")
      #expect(
        try await connections.usableCredential(for: made.id).credential.accessText == "granted-1")
      // The link has done its work.
      #expect(await thrownCode { _ = try await flow.session(token: token) } == .notFound)
      // Connecting again updates the same connection.
      let again = try await begin(flow)
      let second = try await flow.complete(
        integration: "acme", query: [("code", "c-2"), ("state", again.query["state"] ?? "")],
        browser: Self.browser)
      #expect(second.connection?.id == made.id && second.connection?.version == 2)
      #expect(second.redirect == nil)
    }
  }

  @Test func aStateIsGoodOnce() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let flow = world.flow(world.node())
      world.provider.on("oauth/token") { _ in .json(["error": "invalid_grant"], status: 400) }
      let (_, query) = try await begin(flow)
      let answer = [("code", "c"), ("state", query["state"] ?? "")]
      let first = try await flow.complete(
        integration: "acme", query: answer, browser: Self.browser)
      #expect(first.status == .failed && first.message.contains("refused"))
      #expect(
        await thrownCode {
          _ = try await flow.complete(integration: "acme", query: answer, browser: Self.browser)
        } == .invalidRequest)
      #expect(world.provider.asked("oauth/token").count == 1)
    }
  }

  @Test func strangersCannotFinishASignIn() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      var other = Integration.acme
      other.name = "other"
      let world = try ConnectionsWorld(database, integrations: [.acme, other])
      granting(world.provider)
      let flow = world.flow(world.node())
      func attempt(
        _ integration: IntegrationName, browser: String, state: String? = nil,
        extra: [(String, String)] = []
      ) async throws -> ErrorCode? {
        let (_, query) = try await begin(flow, redirect: "https://app.example/")
        let state = state ?? query["state"] ?? ""
        return await thrownCode {
          _ = try await flow.complete(
            integration: integration, query: [("code", "c"), ("state", state)] + extra,
            browser: browser)
        }
      }
      #expect(try await attempt("acme", browser: "browser-of-an-attacker") == .forbidden)
      #expect(try await attempt("acme", browser: "") == .forbidden)
      #expect(try await attempt("other", browser: Self.browser) == .invalidRequest)
      #expect(
        try await attempt("acme", browser: Self.browser, state: "made-up") == .invalidRequest)
      #expect(try await attempt("acme", browser: Self.browser, state: "") == .invalidRequest)
      #expect(
        try await attempt("acme", browser: Self.browser, extra: [("state", "x")])
          == .invalidRequest)
      #expect(world.provider.asked("oauth/token").isEmpty)
    }
  }

  @Test func aLinkBelongsToTheBrowserThatBegan() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let flow = world.flow(world.node())
      let (token, _) = try await begin(flow)
      #expect(
        await thrownCode {
          _ = try await flow.begin(
            sessionToken: token, integration: "acme", browser: "another-browser-cookie")
        } == .forbidden)
      #expect(
        await thrownCode {
          _ = try await flow.begin(sessionToken: token, integration: "acme", browser: "")
        } == .invalidRequest)
    }
  }

  @Test func signInsAndLinksRunOut() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let clock = ManualClock()
      let world = try ConnectionsWorld(database, clock: clock)
      granting(world.provider)
      let flow = world.flow(world.node())
      let (token, query) = try await begin(flow, redirect: "https://app.example/")
      clock.advance(by: .seconds(600))
      let late = try await flow.complete(
        integration: "acme", query: [("code", "c"), ("state", query["state"] ?? "")],
        browser: Self.browser)
      #expect(late.status == .failed && late.message.contains("too long"))
      #expect(late.redirect == "https://app.example/?integration=acme&status=failed")
      #expect(world.provider.asked("oauth/token").isEmpty)
      #expect(try await flow.session(token: token).owner == "u1")
      clock.advance(by: .seconds(300))
      #expect(await thrownCode { _ = try await flow.session(token: token) } == .notFound)
      #expect(
        await thrownCode {
          _ = try await flow.begin(
            sessionToken: token, integration: "acme", browser: Self.browser)
        } == .notFound)
    }
  }

  @Test(
    arguments: [
      (nil, nil, false, true), (nil, "https://evil.example", false, true),
      ("https://acme.example", nil, false, true),
      ("https://acme.example", "https://acme.example", true, true),
      ("https://acme.example", "https://evil.example", false, false),
      ("https://acme.example", "https://acme.example/", false, false),
      ("https://acme.example", nil, true, false),
    ] as [(String?, String?, Bool, Bool)])
  func theIssuerIsChecked(
    issuer: String?, sent: String?, required: Bool, passes: Bool
  ) async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let integration = Integration.acme {
        $0.issuer = issuer
        $0.issuerRequired = required
      }
      let world = try ConnectionsWorld(database, integrations: [integration])
      granting(world.provider)
      let flow = world.flow(world.node())
      let (_, query) = try await begin(flow)
      let outcome = try await flow.complete(
        integration: "acme",
        query: [("code", "c"), ("state", query["state"] ?? "")]
          + (sent.map { [("iss", $0)] } ?? []),
        browser: Self.browser)
      #expect((outcome.status == .success) == passes)
      #expect(world.provider.asked("oauth/token").isEmpty != passes)
    }
  }

  @Test func withoutPKCENoVerifierIsSent() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database, integrations: [.acme { $0.pkce = .off }])
      granting(world.provider)
      let flow = world.flow(world.node())
      let (_, query) = try await begin(flow)
      #expect(query["code_challenge"] == nil)
      _ = try await flow.complete(
        integration: "acme", query: [("code", "c"), ("state", query["state"] ?? "")],
        browser: Self.browser)
      #expect(world.provider.asked("oauth/token").first?.form["code_verifier"] == nil)
    }
  }

  @Test func theIDTokenMustBeOfThisSignIn() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database, integrations: [.acme { $0.nonce = true }])
      let flow = world.flow(world.node())
      let nonce = Mutex<String?>("stolen")
      world.provider.on("oauth/token") { _ in
        let claims: JSONValue = ["nonce": .string(nonce.withLock { $0 } ?? "")]
        return .json([
          "access_token": "a", "id_token": .string("e30.\(claims.bytes.base64URL).c2ln"),
        ])
      }
      let (_, first) = try await begin(flow)
      let stolen = try await flow.complete(
        integration: "acme", query: [("code", "c"), ("state", first["state"] ?? "")],
        browser: Self.browser)
      #expect(stolen.status == .failed)
      let (_, second) = try await begin(flow)
      nonce.withLock { $0 = second["nonce"] }
      let own = try await flow.complete(
        integration: "acme", query: [("code", "c"), ("state", second["state"] ?? "")],
        browser: Self.browser)
      #expect(own.status == .success)
    }
  }

  @Test func aRefusalOfThePersonIsDeniedAndTheLinkStaysGood() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      granting(world.provider)
      let flow = world.flow(world.node())
      let (token, query) = try await begin(flow, redirect: "https://app.example/")
      let denied = try await flow.complete(
        integration: "acme", query: [("error", "access_denied"), ("state", query["state"] ?? "")],
        browser: Self.browser)
      #expect(denied.status == .denied)
      #expect(denied.redirect == "https://app.example/?integration=acme&status=denied")
      let retry = fields(
        try await flow.begin(sessionToken: token, integration: "acme", browser: Self.browser))
      let failed = try await flow.complete(
        integration: "acme",
        query: [("error", "server_error\r\n<b>"), ("state", retry["state"] ?? "")],
        browser: Self.browser)
      #expect(failed.status == .failed && !failed.message.contains("<b>"))
      let last = fields(
        try await flow.begin(sessionToken: token, integration: "acme", browser: Self.browser))
      let done = try await flow.complete(
        integration: "acme", query: [("code", "c"), ("state", last["state"] ?? "")],
        browser: Self.browser)
      #expect(done.status == .success)
      #expect(world.provider.asked("oauth/token").count == 1)
    }
  }

  @Test func twoSignInsOfOneLinkConnectOnce() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      granting(world.provider)
      let flow = world.flow(world.node())
      let (token, first) = try await begin(flow)
      let second = fields(
        try await flow.begin(sessionToken: token, integration: "acme", browser: Self.browser))
      for (state, expected) in [
        (first["state"], ConnectOutcome.Status.success), (second["state"], .failed),
      ] {
        let outcome = try await flow.complete(
          integration: "acme", query: [("code", "c"), ("state", state ?? "")],
          browser: Self.browser)
        #expect(outcome.status == expected)
      }
    }
  }

  @Test(arguments: TestEngine.all)
  func aLinkIsUsedUpOnceEvenByTwoAtTheSameMoment(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let gate = Turnstile()
      world.provider.on("oauth/token") { asked in
        await gate.pass()
        return .json(["access_token": .string("for-\(asked.form["code"] ?? "")")])
      }
      let connections = world.node()
      let flow = world.flow(connections)
      let (token, first) = try await begin(flow)
      let second = fields(
        try await flow.begin(sessionToken: token, integration: "acme", browser: Self.browser))
      async let one = flow.complete(
        integration: "acme", query: [("code", "1"), ("state", first["state"] ?? "")],
        browser: Self.browser)
      async let two = flow.complete(
        integration: "acme", query: [("code", "2"), ("state", second["state"] ?? "")],
        browser: Self.browser)
      await gate.arrivals(2)
      gate.open()
      let outcomes = try await [one, two]
      #expect(Set(outcomes.map(\.status)) == [.success, .failed])
      let made = try #require(outcomes.compactMap(\.connection).first)
      #expect(try await connections.connection(made.id).version == 1)
    }
  }

  @Test func pendingSignInsOfALinkAreBounded() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let flow = world.flow(world.node())
      let (token, _) = try await begin(flow)
      for _ in 1..<ConnectStore.maximumPending {
        _ = try await flow.begin(
          sessionToken: token, integration: "acme", browser: Self.browser)
      }
      #expect(
        await thrownCode {
          _ = try await flow.begin(
            sessionToken: token, integration: "acme", browser: Self.browser)
        } == .rateLimitExceeded)
    }
  }

  @Test(arguments: [
    "https://evil.example/", "https://app.example.evil.example/",
    "https://app.example@evil.example/",
    "https://app.example\\@evil.example/", "//app.example/", "javascript:alert(1)", "/relative",
    "https://app.example:8443/", "http://app.example/", "https://app.example/a b",
    "https://app.example/\u{0}", "https://app.example/é", "",
    "https://app.example/" + String(repeating: "a", count: 3_000),
  ])
  func redirectsLeaveForNoOtherOrigin(redirect: String) async throws {
    let policy = RedirectPolicy(
      publicURL: "https://fairlead.example", allowed: ["https://app.example/"])
    #expect(thrownCode { try policy.check(redirect) } == .invalidRequest)
    #expect(thrownCode { try policy.check("https://app.example") } == nil)
    #expect(thrownCode { try policy.check("HTTPS://App.example:443/x?y=z#f") } == nil)
    #expect(thrownCode { try policy.check("https://fairlead.example/dashboard") } == nil)
  }

  @Test func linksAreMadeForWhatCanBeConnected() async throws {
    try await TestEngine.sqliteMemory.withDatabase(migrations: Migration.connections) { database in
      var unset = Integration.acme
      unset.name = "unset"
      unset.clientSecret = nil
      let world = try ConnectionsWorld(database, integrations: [.acme, .plain, unset])
      let flow = world.flow(world.node())
      func attempt(_ new: NewConnectSession) async -> ErrorCode? {
        await thrownCode { _ = try await flow.createSession(new) }
      }
      #expect(await attempt(NewConnectSession(owner: "u", integration: "acme")) == nil)
      #expect(await attempt(NewConnectSession(owner: "u", integration: "none")) == .notFound)
      #expect(await attempt(NewConnectSession(owner: "u", integration: "plain")) == .invalidRequest)
      #expect(
        await attempt(NewConnectSession(owner: "u", integration: "unset")) == .configurationError)
      #expect(await attempt(NewConnectSession(owner: "")) == .invalidRequest)
      #expect(
        await attempt(NewConnectSession(owner: "u", redirect: "https://evil.example/"))
          == .invalidRequest)
      let session = try await flow.createSession(
        NewConnectSession(owner: "u", integration: "acme"))
      let token = String(session.url.split(separator: "/").last ?? "")
      #expect(try await flow.session(token: token).choices.map(\.integration) == ["acme"])
      #expect(
        await thrownCode {
          _ = try await flow.begin(
            sessionToken: token, integration: "unset", browser: Self.browser)
        } == .invalidRequest)
      #expect(await thrownCode { _ = try await flow.session(token: "guess") } == .notFound)
    }
  }

  @Test(arguments: TestEngine.all)
  func keysAreConnectedThroughTheSameLink(engine: TestEngine) async throws {
    try await engine.withDatabase(migrations: Migration.connections) { database in
      let world = try ConnectionsWorld(database)
      let flow = world.flow(world.node())
      let session = try await flow.createSession(
        NewConnectSession(owner: "u1", redirect: "https://app.example/"))
      let token = String(session.url.split(separator: "/").last ?? "")
      let key = Credential.apiKey(key: Secret("k-1"), secret: nil)
      world.provider.on("keyed.example/account") { _ in .init(status: 401, body: "{}") }
      do {
        _ = try await flow.connectWithKey(
          sessionToken: token, integration: "keyed", credential: key, params: ["shop": "s"])
        Issue.record("a refused key was connected")
      } catch let error as FairleadError {
        #expect(error.code == .invalidRequest && error.message.contains("Keyed refused this key"))
      }
      world.provider.on("keyed.example/account") { _ in .json(["id": "K1"]) }
      let outcome = try await flow.connectWithKey(
        sessionToken: token, integration: "keyed", credential: key, params: ["shop": "s"])
      #expect(outcome.redirect == "https://app.example/?integration=keyed&status=success")
      #expect(outcome.connection?.params == ["shop": "s"])
      #expect(
        await thrownCode {
          _ = try await flow.connectWithKey(
            sessionToken: token, integration: "keyed", credential: key, params: ["shop": "s"])
        } == .notFound)
    }
  }
}
