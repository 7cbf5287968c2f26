import Fairlead
import FairleadSQLite
import FairleadSandbox
import FairleadTesting
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import ServiceLifecycle
import Testing

@testable import FairleadServer

/// A deployment that trusts one issuer, with a provider that can be told to revoke.
struct EndUserWorld {
  static let issuer = "https://clerk.app.example"
  static let webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
  // An RSA key takes its time to make; the tests share it.
  private static let shared = Result { try SessionTokenKey(id: "ins_1") }

  let key: SessionTokenKey
  let transport: StubTransport
  let fairlead: Fairlead
  let server: WebServer

  init(keysAnswer: Int = 200, issuers: [TokenIssuer] = [TokenIssuer(EndUserWorld.issuer)])
    async throws
  {
    key = try Self.shared.get()
    let keySet: JSONValue = ["keys": [key.json]]
    transport = StubTransport(
      otherwise: .decide { request in
        request.url.hasSuffix("/.well-known/jwks.json")
          ? .json(keysAnswer, keySet) : .json(200, ["object": "total_count", "total_count": 0])
      })
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    fairlead = try await Fairlead(
      database: .sqlite(":memory:"), vault: .keys(Secret(try KeyRing.generate(id: "k1"))),
      integrations: [
        .clerk(secretKey: Secret("sk_test_1"), webhookSecret: Secret(Self.webhookSecret)),
        .stripe(secretKey: Secret("sk_test_2")),
      ],
      settings: Settings(
        publicURL: "https://fairlead.example", adminKey: Secret(ServerHarness.adminKey),
        connectRedirectOrigins: ["https://app.example"], tokenIssuers: issuers),
      transport: transport, logger: logger)
    server = WebServer(
      fairlead, host: "127.0.0.1", port: 0, corsOrigins: ["https://app.example"], logger: logger)
  }

  func token(_ changes: [String: JSONValue] = [:], header: [String: JSONValue] = [:]) -> String {
    let now = SystemClock().now.seconds
    let claims: [String: JSONValue] = [
      "iss": .string(Self.issuer), "sub": "user_1", "sid": "sess_1", "iat": .int(now),
      "exp": .int(now + 60), "email": "dana@example.com", "first_name": "Dana",
    ]
    return key.token(claims.merging(changes) { $1 }.filter { $0.value != .null }, header: header)
  }

  func bearer(_ changes: [String: JSONValue] = [:]) -> HTTPFields {
    [.authorization: "Bearer \(token(changes))"]
  }

  func connect(_ owner: Owner) async throws -> Connection {
    try await fairlead.connections.create(
      NewConnection(
        integration: "stripe", owner: owner,
        credential: .apiKey(key: Secret("sk_of_\(owner)"), secret: nil)))
  }

  func test(_ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void) async throws
  {
    try await withThrowingTaskGroup(of: Void.self) { group in
      let background = ServiceGroup(services: [fairlead], logger: fairlead.logger)
      group.addTask { try await background.run() }
      try await server.application().test(.router) { try await body($0) }
      await background.triggerGracefulShutdown()
      try await group.waitForAll()
    }
    try await fairlead.close()
  }
}

@Suite struct EndUserTests {
  @Test func aPersonSeesAndEndsTheirOwnAndNobodyElses() async throws {
    let world = try await EndUserWorld()
    let mine = try await world.connect("user_1")
    let theirs = try await world.connect("user_2")
    try await world.test { client in
      let headers = world.bearer()
      let me = try await client.execute(uri: "/v1/me", method: .get, headers: headers)
      #expect(me.status == .ok)
      #expect(me.json["owner"] == "user_1" && me.json["email"] == "dana@example.com")
      #expect(me.json["name"] == "Dana" && me.json["issuer"]?.string == EndUserWorld.issuer)
      let others = try await client.execute(
        uri: "/v1/me/connections?owner=user_2", method: .get, headers: headers)
      #expect(others.status == .badRequest, "there is no such filter")
      let list = try await client.execute(
        uri: "/v1/me/connections", method: .get, headers: headers)
      #expect(list.json["data"]?.array?.compactMap { $0["id"]?.string } == [mine.id.rawValue])
      let one = try await client.execute(
        uri: "/v1/me/connections/\(mine.id)", method: .get, headers: headers)
      #expect(one.status == .ok && one.json["owner"] == "user_1")
      for id in [theirs.id.rawValue, "conn_default_clerk", "conn_none"] {
        for method in [HTTPRequest.Method.get, .delete] {
          let answer = try await client.execute(
            uri: "/v1/me/connections/\(id)", method: method, headers: headers)
          #expect(answer.status == .notFound && answer.errorCode == "NOT_FOUND", "\(id)")
        }
      }
      let gone = try await client.execute(
        uri: "/v1/me/connections/\(mine.id)", method: .delete, headers: headers)
      #expect(gone.status == .ok && gone.json["revoked_at_provider"] == false)
      let after = try await client.execute(
        uri: "/v1/me/connections/\(mine.id)", method: .get, headers: headers)
      #expect(after.status == .notFound)
      #expect(try await world.fairlead.connections.connection(theirs.id).state == .active)
    }
  }

  @Test func aPersonMakesAConnectLinkForThemselvesOnly() async throws {
    let world = try await EndUserWorld()
    try await world.test { client in
      let made = try await client.execute(
        uri: "/v1/me/connect", method: .post, headers: world.bearer(),
        body: ByteBuffer(string: #"{"integration":"stripe","redirect":"https://app.example/done"}"#)
      )
      #expect(made.status == .created)
      let url = try #require(made.json["url"]?.string)
      let token = String(url.split(separator: "/").last ?? "")
      let session = try await world.fairlead.connect.session(token: token)
      #expect(session.owner == "user_1" && session.ownerLabel == "dana@example.com")
      for body in [#"{"owner":"user_2"}"#, #"{"redirect":"https://evil.example"}"#, "[]", "{"] {
        let refused = try await client.execute(
          uri: "/v1/me/connect", method: .post, headers: world.bearer(),
          body: ByteBuffer(string: body))
        #expect(refused.status == .badRequest, "\(body)")
      }
    }
  }

  @Test func badTokensAreAllTheSame401() async throws {
    let world = try await EndUserWorld()
    let now = SystemClock().now.seconds
    let other = try SessionTokenKey(id: "ins_1")
    let claims: [String: JSONValue] = [
      "iss": .string(EndUserWorld.issuer), "sub": "user_1", "exp": .int(now + 60),
    ]
    let header: [String: JSONValue] = ["alg": "none", "kid": "ins_1", "typ": "JWT"]
    var tampered = world.token().split(separator: ".").map(String.init)
    tampered[1] = Array(JSONValue.object(claims.merging(["sub": "user_2"]) { $1 }).bytes).base64URL
    let tokens = [
      CompactToken.unsigned(claims, header: header),
      CompactToken.symmetric(
        claims, header: ["alg": "HS256", "kid": "ins_1"], secret: world.key.publicPEM),
      other.token(claims), world.token(["exp": .int(now - 60)]),
      world.token(["nbf": .int(now + 60)]), world.token(["iss": "https://evil.example"]),
      world.token(header: ["kid": "ins_9"]), tampered.joined(separator: "."), "nonsense",
    ]
    try await world.test { client in
      var messages: Set<String> = []
      for token in tokens {
        let answer = try await client.execute(
          uri: "/v1/me/connections", method: .get, headers: [.authorization: "Bearer \(token)"])
        #expect(answer.status == .unauthorized, "\(token)")
        #expect(answer.errorCode == "UNAUTHENTICATED")
        #expect(answer.headers[.wwwAuthenticate] == "Bearer")
        messages.insert(answer.json[path: "error.message"]?.string ?? "")
      }
      #expect(messages.count == 1)
    }
  }

  @Test func keysAndTokensDoNotOpenEachOthersDoors() async throws {
    let world = try await EndUserWorld()
    try await world.test { client in
      let keyed = try await client.execute(
        uri: "/v1/me", method: .get, headers: ServerHarness.admin)
      #expect(keyed.status == .unauthorized)
      for path in ["/v1/connections", "/v1/health", "/v1/proxy/stripe/v1/customers"] {
        let answer = try await client.execute(uri: path, method: .get, headers: world.bearer())
        #expect(answer.status == .unauthorized, "\(path)")
      }
    }
  }

  @Test(
    arguments: [
      (HTTPRequest.Method.get, [:], 200), (.post, [:], 403),
      (.post, ["sec-fetch-site": "same-origin"], 201),
      (.post, ["sec-fetch-site": "cross-site"], 403), (.post, ["sec-fetch-site": "same-site"], 403),
      (.post, ["origin": "https://fairlead.example"], 201),
      (.post, ["origin": "https://evil.example"], 403),
      (.post, ["origin": "https://app.example"], 403), (.post, ["origin": "null"], 403),
      (.post, ["sec-fetch-site": "same-origin", "origin": "https://evil.example"], 403),
    ] as [(HTTPRequest.Method, [String: String], Int)])
  func theCookieCountsOnlyOnTheOwnSite(
    method: HTTPRequest.Method, headers: [String: String], status: Int
  ) async throws {
    let world = try await EndUserWorld()
    var fields: HTTPFields = [.cookie: "a=b; __session=\(world.token()); c=d"]
    for (name, value) in headers { fields[HTTPField.Name(name)!] = value }
    try await world.test { [fields] client in
      let answer = try await client.execute(
        uri: method == .get ? "/v1/me" : "/v1/me/connect", method: method, headers: fields,
        body: method == .get ? nil : ByteBuffer(string: "{}"))
      #expect(answer.status.code == status)
    }
  }

  @Test func anotherSitesPageMayAskWithTheHeader() async throws {
    let world = try await EndUserWorld()
    try await world.test { client in
      var headers = world.bearer()
      headers[.origin] = "https://app.example"
      let answer = try await client.execute(uri: "/v1/me", method: .get, headers: headers)
      #expect(answer.status == .ok)
      #expect(answer.headers[.accessControlAllowOrigin] == "https://app.example")
      headers[.origin] = "https://evil.example"
      let other = try await client.execute(uri: "/v1/me", method: .get, headers: headers)
      #expect(other.headers[.accessControlAllowOrigin] == nil)
    }
  }

  @Test func keysThatCannotBeHadAre503() async throws {
    let world = try await EndUserWorld(keysAnswer: 500)
    try await world.test { client in
      let answer = try await client.execute(uri: "/v1/me", method: .get, headers: world.bearer())
      #expect(answer.status == .serviceUnavailable)
      #expect(answer.errorCode == "SERVICE_UNAVAILABLE")
      #expect(answer.headers[.retryAfter] == "5")
    }
  }

  @Test func withoutAnIssuerNobodyComesIn() async throws {
    let world = try await EndUserWorld(issuers: [])
    try await world.test { client in
      let answer = try await client.execute(uri: "/v1/me", method: .get, headers: world.bearer())
      #expect(answer.status == .unauthorized)
    }
    #expect(world.transport.requests.isEmpty)
  }

  @Test func aDeletedUserTakesTheirConnectionsAlong() async throws {
    let world = try await EndUserWorld()
    let mine = try await world.connect("user_1")
    let theirs = try await world.connect("user_2")
    let fairlead = world.fairlead
    try await world.test { client in
      let body = Array(
        #"{"object":"event","type":"user.deleted","data":{"object":"user","id":"user_1","deleted":true}}"#
          .utf8)
      let headers = WebhookSigner.standard(
        body: body, secret: EndUserWorld.webhookSecret, id: "msg_1", at: SystemClock().now,
        family: .svix)
      let forged = WebhookSigner.standard(
        body: body, secret: "whsec_Zm9yZ2Vk", id: "msg_0", at: SystemClock().now, family: .svix)
      let refused = try await client.execute(
        uri: "/webhooks/clerk", method: .post, headers: forged, body: ByteBuffer(bytes: body))
      #expect(refused.status == .unauthorized)
      let taken = try await client.execute(
        uri: "/webhooks/clerk", method: .post, headers: headers, body: ByteBuffer(bytes: body))
      #expect(taken.status == .ok)
      // The delivery runs in the background of a real deployment.
      let clock = SystemClock()
      let deadline = clock.uptime + .seconds(20)
      while try await fairlead.connections.connection(mine.id).state != .revoked {
        try #require(clock.uptime < deadline, "the connection was not revoked")
        try await clock.sleep(for: .milliseconds(20))
      }
      #expect(try await fairlead.connections.connection(theirs.id).state == .active)
      let list = try await client.execute(
        uri: "/v1/me/connections", method: .get, headers: world.bearer())
      #expect(list.json[path: "data.0.state"] == "revoked")
    }
  }
}

/// What docs/identity.md shows a Hummingbird server to write, run for real.
@Suite struct EndUserMiddlewareTests {
  struct AppContext: EndUserRequestContext {
    var coreContext: CoreRequestContextStorage
    var endUser: EndUser?

    init(source: ApplicationRequestContextSource) {
      coreContext = CoreRequestContextStorage(source: source)
    }
  }

  @Test func onlySignedInPeopleReachTheRoutesBehindIt() async throws {
    let world = try await EndUserWorld()
    let down = try await EndUserWorld(keysAnswer: 503)
    let router = Router(context: AppContext.self)
    router.get("open") { _, _ in "open" }
    router.get("unguarded") { _, context in try context.requireEndUser().owner.rawValue }
    router.group("account").add(middleware: EndUserMiddleware(world.fairlead))
      .get("name") { _, context in try context.requireEndUser().name ?? "nameless" }
    router.group("down").add(middleware: EndUserMiddleware(down.fairlead))
      .get("name") { _, _ in "never" }
    let application = Application(router: router)
    try await application.test(.router) { client in
      let named = try await client.execute(
        uri: "/account/name", method: .get, headers: world.bearer())
      #expect(named.status == .ok && String(buffer: named.body) == "Dana")
      let missing = try await client.execute(uri: "/account/name", method: .get)
      #expect(missing.status == .unauthorized && missing.errorCode == "UNAUTHENTICATED")
      let bad = try await client.execute(
        uri: "/account/name", method: .get, headers: world.bearer(["exp": 1]))
      #expect(bad.status == .unauthorized)
      let later = try await client.execute(
        uri: "/down/name", method: .get, headers: world.bearer())
      #expect(later.status == .serviceUnavailable && later.headers[.retryAfter] == "5")
      let open = try await client.execute(uri: "/open", method: .get)
      #expect(open.status == .ok)
      let unguarded = try await client.execute(
        uri: "/unguarded", method: .get, headers: world.bearer())
      #expect(unguarded.status == .unauthorized)
    }
    try await world.fairlead.close()
    try await down.fairlead.close()
  }
}
